"""A course platform that speaks LTI 1.3, and a browser on its pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from lms.outcomes import GradeBook
from lms.platform13 import Platform13, make_key

from kit.platform11 import Visitor


@contextmanager
def platform(hub_url: str, grades: GradeBook | None = None) -> Iterator[Platform13]:
    """A platform whose key set and services are served on this machine."""
    found: dict[str, Platform13] = {}

    class Keys(BaseHTTPRequestHandler):
        def answer(self, content: Any, status: int = 200) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def do_GET(self) -> None:
            it = found["it"]
            configuration = it.openid_configuration()
            self.answer(configuration if self.path == "/configuration" else it.keyset())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            *_, link, last = self.path.split("/")
            permission = self.headers["Authorization"]
            answer: dict[str, Any] | None = None
            if last == "register" and permission == "Bearer registration-token":
                answer = found["it"].register(json.loads(body))
            elif last == "token":
                answer = found["it"].access_token(dict(parse_qsl(body)))
            elif last == "scores":
                token = permission.removeprefix("Bearer ")
                if found["it"].take_score(link, token, json.loads(body)):
                    answer = {}
            self.answer(answer, 401 if answer is None else 200)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    address = f"http://127.0.0.1:{server.server_port}"
    found["it"] = Platform13(address, hub_url, make_key(), grades=grades)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found["it"]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Visitor13(Visitor):
    """A browser whose owner is a learner of such a platform.

    Args:
        campus: the platform.
        user_id: the learner's name there.
    """

    def __init__(self, campus: Platform13, user_id: str) -> None:
        super().__init__(campus.hub_url, "", user_id)
        self.campus = campus

    def click(self, *, name: str = "Ada Lovelace", role: str = "student", **custom: str) -> str:
        """A click on a link of the course page: the address it leads to."""
        return self.campus.login_url(self.user_id, "link-1", custom, name=name, role=role)

    def choose(self, *, role: str = "instructor") -> httpx.Response:
        """Begin to choose what a link opens: the page with what there is."""
        began = self.campus.login_url(self.user_id, "link-1", {}, role=role, deep_linking=True)
        return self.send(self.authorize(began))

    def authorize(self, address: str) -> dict[str, str]:
        """Follow a click to the platform, which signs: the form it has the browser post."""
        began = self.browser.get(address)
        assert began.status_code == 302, began.text
        asked = began.headers["location"]
        assert asked.startswith(f"{self.campus.address}/lti13/auth?")
        return self.campus.answer(dict(parse_qsl(urlsplit(asked).query)))

    def send(self, form: dict[str, str]) -> httpx.Response:
        """Post the platform's form to the site; the redirect it gives is not followed."""
        return self.browser.post(
            self.campus.launch_url, data=form, headers={"Sec-Fetch-Site": "cross-site"}
        )

    def open(self, **values: Any) -> httpx.Response:
        """Click and go where it leads."""
        return self.follow(self.send(self.authorize(self.click(**values))))
