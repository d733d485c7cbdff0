"""A platform's outcome service on this machine's loopback interface."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lms import outcomes

from kit.site import free_port


class GradeService:
    """Open edX's outcome service; can be stopped and started again on the same port.

    Args:
        secret: the consumer's.
    """

    def __init__(self, secret: str) -> None:
        self.book = outcomes.GradeBook()
        self.asked = 0
        self.address = f"http://127.0.0.1:{free_port()}/outcomes/pi"
        self._secret = secret
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = outcomes.answer(
                    service.book, "pi", service._secret, service.address, dict(self.headers), body
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        port = int(self.address.split(":")[2].split("/")[0])
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
