"""A reverse proxy that makes bad weather between the modules and GitLab, on real sockets."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FORWARD = "forward"
DROP_BEFORE = "drop before"
DROP_AFTER = "drop after"
SLOW = "slow"
SLOW_SECONDS = 0.5
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "host"}

Choose = Callable[["Request"], "str | int"]
"""What happens to a request: one of the words above, or the code to answer instead of GitLab."""


@dataclass(frozen=True)
class Request:
    """A request as the proxy saw it; ``number`` counts from 0."""

    number: int
    method: str
    path: str

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}


@dataclass
class Weather:
    """A running proxy.

    Attributes:
        choose: decides about each request; may be replaced while it runs.
        seen: requests, in the order they came.
        fates: what became of them, likewise.
        retry_after: header of the answers 429, in seconds.
    """

    url: str
    choose: Choose
    seen: list[Request] = field(default_factory=list)
    fates: list[str | int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    retry_after: str | None = "1"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, fate: str | int) -> int:
        return self.fates.count(fate)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    weather: Weather
    upstream: tuple[str, int]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _any(self) -> None:
        weather = self.weather
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        with weather.lock:
            request = Request(len(weather.seen), self.command, self.path)
            weather.seen.append(request)
            weather.times.append(time.monotonic())
            fate = weather.choose(request)
            weather.fates.append(fate)
        if isinstance(fate, int):
            self._answer(fate)
            return
        if fate == DROP_BEFORE:
            self.close_connection = True
            return
        if fate == SLOW:
            time.sleep(SLOW_SECONDS)
        try:
            self._forward(body, drop=fate == DROP_AFTER)
        except OSError:
            self._answer(502)

    def _answer(self, code: int) -> None:
        body = b"Retry later\n" if code == 429 else b"<html>bad weather</html>"
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        if code == 429 and self.weather.retry_after is not None:
            self.send_header("Retry-After", self.weather.retry_after)
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, body: bytes | None, drop: bool) -> None:
        connection = http.client.HTTPConnection(*self.upstream, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        if drop:
            # GitLab has done it; nobody will hear of it.
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in HOP | {"content-length", "date", "server"}:
                self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed leave without a word."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def weather(port: int, choose: Choose = lambda _request: FORWARD) -> Iterator[Weather]:
    """A proxy before the server at ``port`` of this machine."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    made = Weather(f"http://127.0.0.1:{server.server_address[1]}", choose)
    handler.weather = made  # type: ignore[attr-defined]
    handler.upstream = ("127.0.0.1", port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
