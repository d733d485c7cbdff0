"""A few answers of GitLab's API, for what the modules do with them; the stand-in does the rest."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Fault = str | tuple[int, dict[str, str]]
"""How it fails: a status with headers, or `lost`: it does what was asked, and closes."""
TOKEN = "glpat-unit-test-token"
RANK = {"private": 0, "internal": 1, "public": 2}


@dataclass
class Double:
    """What it knows, the paths it was asked for, and the writes it got."""

    settings: dict[str, Any] = field(default_factory=dict)
    # Settings that it takes and does not keep.
    stubborn: set[str] = field(default_factory=set)
    scopes: list[str] = field(default_factory=lambda: ["api", "write_repository"])
    expires_at: str | None = "2100-01-01"
    admin: bool = True
    # (code, body) for everything.
    always: tuple[int, str] | None = None
    # Of the next requests.
    faults: list[Fault] = field(default_factory=list)
    writes: list[tuple[str, str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Paths of all requests, also of those that failed."""
    url: str = ""

    def answer(self, method: str, path: str, token: str | None, body: Any) -> tuple[int, Any]:
        if self.always:
            return self.always
        if token != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        if method != "GET":
            self.writes.append((method, path, body))
        match path:
            case "/api/v4/version":
                return 200, {"version": "19.3.3", "revision": "abc"}
            case "/api/v4/user":
                return 200, {"id": 1, "username": "root"}
            case "/api/v4/personal_access_tokens/self":
                return 200, {"id": 1, "scopes": self.scopes, "expires_at": self.expires_at}
            case "/api/v4/application/settings":
                if not self.admin:
                    return 403, {"message": "403 Forbidden"}
                if method == "PUT":
                    kept = {k: v for k, v in body.items() if k not in self.stubborn}
                    self.settings.update(kept)
                return 200, self.settings
        return 404, {"error": "404 Not Found"}


def serve(double: Double) -> ThreadingHTTPServer:
    """Answer on a free port of this machine until ``shutdown()``."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            path = self.path.split("?")[0]
            double.asked.append(path)
            fault = double.faults.pop(0) if double.faults else None
            headers: dict[str, str] = {}
            if isinstance(fault, tuple):
                (code, headers), body = fault, "Retry later"
            else:
                code, body = double.answer(
                    self.command, path, self.headers.get("PRIVATE-TOKEN"),
                    json.loads(raw) if raw else None,
                )  # fmt: skip
                if fault == "lost":
                    return
            text = body if isinstance(body, str) else json.dumps(body)
            kind = "text/html" if isinstance(body, str) else "application/json"
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = do_POST = _do  # noqa: N815 - names of the library

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


class Groups(Double):
    """Groups, projects and members, with GitLab's rule about their visibility."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[str, dict[str, Any]]] = {"groups": {}, "projects": {}}
        self.members: dict[int, dict[str, Any]] = {}
        self.users = {"alice": 7}

    def answer(self, method: str, path: str, token: str | None, body: Any) -> tuple[int, Any]:
        if token != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        if method != "GET":
            self.writes.append((method, path, body))
        parts = unquote(path.removeprefix("/api/v4/")).split("/", 2)
        if parts[0] == "users":
            return 200, [{"id": self.users["alice"], "username": "alice"}] if self.users else []
        if parts[0] == "groups" and parts[2:] and parts[2].startswith("members"):
            return self.answer_members(method, parts[2], body)
        return self.answer_object(method, parts[0], "/".join(parts[1:]), body)

    def answer_members(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "POST":
            known = {"id": body["user_id"], "username": "alice"}
            self.members[body["user_id"]] = known | {"access_level": body["access_level"]}
            return 201, self.members[body["user_id"]]
        if method == "PUT":
            self.members[int(path.split("/")[1])].update(body)
        if "/" in path:
            found = self.members.get(int(path.split("/")[1]))
            return (200, found) if found else (404, {"message": "404 Not found"})
        return 200, list(self.members.values())

    def answer_object(self, method: str, kind: str, key: str, body: Any) -> tuple[int, Any]:
        known = self.objects[kind]
        if method == "POST":
            parent = "rr1/" if kind == "projects" else ""
            made = {**body, "id": len(known) + 1, "web_url": f"{self.url}/{parent}{body['path']}"}
            known[parent + body["path"]] = made
            return 201, made
        found = known.get(key) or next((o for o in known.values() if str(o["id"]) == key), None)
        if found is None:
            return 404, {"message": f"404 {kind[:-1].title()} Not Found"}
        if method == "PUT":
            wanted = RANK[body.get("visibility", "private")]
            inside = [RANK[o["visibility"]] for o in self.objects["projects"].values()]
            if kind == "groups" and "visibility" in body and wanted < max(inside, default=0):
                return 400, {"message": {"visibility": ["private is not allowed"]}}
            found.update(body)
        return 200, found
