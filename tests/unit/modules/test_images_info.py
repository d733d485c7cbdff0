"""Which images an engine has: missing ones are an answer, an engine that fails is an error."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from kit.modules import run

KNOWN = {"debian:13-slim": "sha256:1", "registry.example.org:5000/base@sha256:abc": "sha256:2"}
LABELS = {"debian:13-slim": {"org.example": "x"}}


class Engine(http.server.BaseHTTPRequestHandler):
    """Answers as the engine's API does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body: dict[str, object]
        name = unquote(self.path.removeprefix("/images/").removesuffix("/json"))
        if name == "broken":
            status, body = 500, {"message": "no space left"}
        elif name in KNOWN:
            status, body = 200, {"Id": KNOWN[name], "Config": {"Labels": LABELS.get(name)}}
        else:
            status, body = 404, {"message": f"No such image: {name}"}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "a socket"

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "docker.sock")
    server = Server(path, Engine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield path
    server.shutdown()
    server.server_close()


def test_each_image_has_its_id_or_none(engine: str) -> None:
    ran = run("images_info", images=[*KNOWN, "absent:latest", ""], socket=engine)
    assert not ran.changed
    assert ran.result["ids"] == {**KNOWN, "absent:latest": None}
    without = [name for name in ran.result["ids"] if not ran.result["labels"][name]]
    assert without == ["registry.example.org:5000/base@sha256:abc", "absent:latest"]
    assert ran.result["labels"]["debian:13-slim"] == LABELS["debian:13-slim"]


def test_an_engine_that_fails_is_quoted(engine: str) -> None:
    failure = run("images_info", images=["broken"], socket=engine).failure
    assert "500" in failure
    assert "no space left" in failure


def test_without_an_engine_only_a_dry_run_goes_on(tmp_path: Path) -> None:
    socket = str(tmp_path / "docker.sock")
    result = run("images_info", check=True, images=["x"], socket=socket).result
    assert (result["ids"], result["labels"]) == ({"x": None}, {"x": {}})
    assert socket in run("images_info", images=["x"], socket=socket).failure
