"""What hub and desk take from the network at once.

nginx has limits of its own for browsers. Learners' containers reach the hub and the desk directly,
so that each address but this machine's own may hold a few connections and a few unread bodies.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate
from uvicorn.protocols.http.h11_impl import H11Protocol

from atelier.limits.rate import Rate

MAX_BODY_BYTES = 1024**2
"""Of one request to the hub. A launch or a form is a few kilobytes, 256 at most."""
BODY_SECONDS = 60.0
"""Within which the hub has a request's body: nginx sends it whole, a program in one go."""
MAX_CONNECTIONS = 64
"""Of one address but this machine's: a notebook server needs one or two."""
MAX_HELD_BYTES = 4 * 1024**2
"""Bodies under way from one such address."""
MAX_HELD_BYTES_HERE = 64 * 1024**2
"""Bodies under way from the proxy, together."""
REQUESTS_AT_ONCE = 200
SECONDS_A_REQUEST = 0.05
"""How often one such address may ask the hub: 200 times, then 20 times a second."""


def foreign_address(peer: Any, here: Any) -> str | None:
    """A peer's address, unless it is this machine: the kernel gives it the address it goes to.

    Args:
        peer: address and port of the one who connected, if known.
        here: address and port that they connected to.
    """
    if not peer or (here and here[0] == peer[0]):
        return None
    return str(peer[0])


class Bodies:
    """How much of bodies under way is held, by address."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    def take(self, address: str, size: int, most: int) -> bool:
        """Hold so many bytes more, unless that were more than ``most``."""
        if self._held[address] + size > most:
            return False
        self._held[address] += size
        return True

    def give_back(self, address: str, size: int) -> None:
        """They are held no more."""
        self._held[address] -= size
        if self._held[address] <= 0:
            del self._held[address]


class _Held(HTTPMessageDelegate):
    """Passes a request on, and ends the connection when its address holds or asks too much."""

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
        if self._elsewhere and self._server.too_often(self._address):
            self._connection.stream.close()
            return None
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        if not self._bodies.take(self._address, len(chunk), self._most):
            self._connection.stream.close()  # reading on ends there
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
            self._bodies.give_back(self._address, self._size)
            self._size = 0


class BoundedServer(HTTPServer):
    """Tornado's server, with bounds for each address."""

    def initialize(self, *args: Any, **options: Any) -> None:
        """As the parent; no body is larger than :data:`MAX_BODY_BYTES`."""
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
        """Serve a connection, unless its address has too many, or asks too often."""
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
        """Have a request and its body counted."""
        inner = super().start_request(server_conn, request_conn)
        address = server_conn.context.address
        most = MAX_HELD_BYTES if foreign_address(address, _own_end(request_conn.stream)) else None
        return _Held(self, inner, request_conn, _name(address), most)

    def too_often(self, address: str) -> bool:
        """Count a request of an address; whether it is one too many."""
        return bool(self._requests.take(address))


def _name(address: Any) -> str:
    return str(address[0]) if address else ""


def _own_end(stream: Any) -> Any:
    try:
        return stream.socket.getsockname()
    except (AttributeError, OSError):  # it is closed already
        return None


def bound_hub() -> None:
    """Have the HTTP server that JupyterHub makes in this process be a bounded one.

    JupyterHub has no setting for it; Tornado has (``tornado.util.Configurable``).
    """
    HTTPServer.configure(BoundedServer)


class BoundedProtocol(H11Protocol):
    """The desk's connections; uvicorn reads a body no faster than a handler takes it."""

    _open: ClassVar[Counter[str]] = Counter()
    _counted = ""

    def connection_made(self, transport: Any) -> None:
        """Serve a connection, unless its address has too many."""
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
