"""Limits on connections and request bodies of hub and desk.

nginx limits browsers. Learners' containers reach the hub and the desk directly, so each address
other than this machine's may hold only a few connections and unread bodies.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate
from uvicorn.protocols.http.h11_impl import H11Protocol

from atelier.limits.rate import Rate

MAX_BODY_BYTES = 1024**2
"""Largest request to the hub. A launch or a form has a few kilobytes, 256 at most."""
BODY_SECONDS = 60.0
"""Time limit for a request's body: nginx sends it at once, and so do programs."""
MAX_CONNECTIONS = 64
"""Connections of one other address: a notebook server needs one or two."""
MAX_HELD_BYTES = 4 * 1024**2
"""Total size of unread bodies from one other address."""
MAX_HELD_BYTES_HERE = 64 * 1024**2
"""Total size of unread bodies from the proxy."""
REQUESTS_AT_ONCE = 200
SECONDS_A_REQUEST = 0.05
"""Rate of requests to the hub from one other address: 200 at once, then 20 a second."""


def foreign_address(peer: Any, here: Any) -> str | None:
    """A peer's address; empty for this machine, whose peer and own address are equal.

    Args:
        peer: address and port of the one who connected, if known.
        here: address and port that they connected to.
    """
    if not peer or (here and here[0] == peer[0]):
        return None
    return str(peer[0])


class Bodies:
    """Total size of unread bodies by address."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    def reserve(self, address: str, size: int, most: int) -> bool:
        """Add bytes unless the total would exceed ``most``."""
        if self._held[address] + size > most:
            return False
        self._held[address] += size
        return True

    def release(self, address: str, size: int) -> None:
        """Subtract bytes."""
        self._held[address] -= size
        if self._held[address] <= 0:
            del self._held[address]


class _Held(HTTPMessageDelegate):
    """Passes a request on, or closes the connection if its address exceeds a limit."""

    def __init__(
        self,
        server: BoundedServer,
        inner: HTTPMessageDelegate,
        connection: Any,
        address: str,
        most: int | None,
    ) -> None:
        self._server = server
        self._inner = inner
        self._connection = connection
        self._bodies = server.bodies
        self._address = address
        self._elsewhere = most is not None
        self._most = MAX_HELD_BYTES_HERE if most is None else most
        self._size = 0

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        if self._elsewhere and self._server.exceeds_rate(self._address):
            self._connection.stream.close()
            return None
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        if not self._bodies.reserve(self._address, len(chunk), self._most):
            self._connection.stream.close()  # this ends the reading
            return None
        self._size += len(chunk)
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._release()
        self._inner.finish()

    def on_connection_close(self) -> None:
        self._release()
        self._inner.on_connection_close()

    def _release(self) -> None:
        if self._size:
            self._bodies.release(self._address, self._size)
            self._size = 0


class BoundedServer(HTTPServer):
    """Tornado's HTTP server with limits for each address."""

    def initialize(self, *args: Any, **options: Any) -> None:
        """Initialize the parent with :data:`MAX_BODY_BYTES`."""
        super().initialize(
            *args,
            **{
                "max_body_size": MAX_BODY_BYTES,
                "max_buffer_size": MAX_BODY_BYTES,
                "body_timeout": BODY_SECONDS,
                **options,
            },
        )
        self.bodies = Bodies()
        self._open: Counter[str] = Counter()
        self._requests = Rate(REQUESTS_AT_ONCE, SECONDS_A_REQUEST)

    def handle_stream(self, stream: Any, address: tuple[Any, ...]) -> None:
        """Serve a connection unless its address has too many, or sends too many requests."""
        peer = foreign_address(address, _own_end(stream))
        if peer and (self._open[peer] >= MAX_CONNECTIONS or self._requests.wait(peer)):
            stream.close()
            return
        self._open[_name(address)] += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: Any) -> None:
        """Forget a connection."""
        peer = _name(server_conn.context.address)
        self._open[peer] -= 1
        if self._open[peer] <= 0:
            del self._open[peer]
        super().on_close(server_conn)

    def start_request(self, server_conn: Any, request_conn: Any) -> HTTPMessageDelegate:
        """Count a request and its body."""
        inner = super().start_request(server_conn, request_conn)
        address = server_conn.context.address
        most = MAX_HELD_BYTES if foreign_address(address, _own_end(request_conn.stream)) else None
        return _Held(self, inner, request_conn, _name(address), most)

    def exceeds_rate(self, address: str) -> bool:
        """Count a request; return whether it exceeds the rate."""
        return bool(self._requests.take(address))


def _name(address: Any) -> str:
    return str(address[0]) if address else ""


def _own_end(stream: Any) -> Any:
    try:
        return stream.socket.getsockname()
    except (AttributeError, OSError):  # already closed
        return None


def bound_hub() -> None:
    """Make JupyterHub create a bounded HTTP server in this process.

    JupyterHub has no setting for it; Tornado has (``tornado.util.Configurable``).
    """
    HTTPServer.configure(BoundedServer)


class BoundedProtocol(H11Protocol):
    """Connections of the desk. uvicorn reads a body only as fast as the handler does."""

    _open: ClassVar[Counter[str]] = Counter()
    _counted = ""

    def connection_made(self, transport: Any) -> None:
        """Serve a connection unless its address has too many."""
        super().connection_made(transport)
        peer = foreign_address(self.client, self.server)
        if peer:
            if self._open[peer] >= MAX_CONNECTIONS:
                transport.abort()
                return
            self._open[peer] += 1
            self._counted = peer

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        if self._counted:
            self._open[self._counted] -= 1
            if self._open[self._counted] <= 0:
                del self._open[self._counted]
            self._counted = ""
        super().connection_lost(exc)
