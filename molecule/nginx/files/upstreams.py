"""Plays the hub (port 8000), GitLab (8929) and a course page (8010): tells what arrived.

A path that ends in a three-digit number answers with that status, `/upgrade` speaks as much of
the WebSocket protocol as a proxy looks at, a path that ends in `/slow` keeps silent for longer
than GitLab's pages may and than nginx's own default, both 2 s in this scenario, and one that ends
in `/page` answers as a learner's server may: with headers that reach beyond its own pages.
"""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SILENCE_SECONDS = 5


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        received = 0
        while received < length:
            received += len(self.rfile.read(min(65536, length - received)))
        if self.path.endswith("/slow"):
            time.sleep(SILENCE_SECONDS)
        if self.path == "/upgrade" and self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(b"spoken through")
            self.close_connection = True
            return
        status = re.search(r"/(\d{3})$", self.path)
        facts = {
            "port": self.server.server_address[1],
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "received": received,
        }
        body = json.dumps(facts).encode()
        self.send_response(int(status.group(1)) if status else 200)
        if self.path.endswith("/page"):
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Service-Worker-Allowed", "/")
            self.send_header("Clear-Site-Data", '"*"')
        else:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Frame-Options", "SAMEORIGIN")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815 - http.server's names

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


if __name__ == "__main__":
    for port in (8000, 8929, 8010):
        threading.Thread(
            target=ThreadingHTTPServer(("127.0.0.1", port), Echo).serve_forever
        ).start()
