"""The toolbar's server part asks the desk for a check: with which token, what comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from atelier_toolbar import checks
from atelier_toolbar.problems import Problem

from .conftest import Desk, git

PROJECT = "https://gitlab.campus.example/u1/demo.git"
TOKEN = "canary-of-this-server-4d2a"
DECLARED = """
version: 1
exercises:
  - id: notes
    title: {fr: Notes, en: Notes}
    file: notes.md
"""


class Office(ThreadingHTTPServer):
    """The desk that is asked: notes each request, answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.headers = 200, dict[str, str]()
        self.body = b'{"score": "62 %"}'
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/moocs/services/desk"


class _Handler(BaseHTTPRequestHandler):
    server: Office

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A desk to ask, and what the hub tells a learner's server of it."""
    git(desk.top, "remote", "set-url", "origin", PROJECT)
    desk.write("atelier.yml", DECLARED)
    with Office() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        for name, value in {
            "ATELIER_COURSE": "demo",
            "ATELIER_PROJECT_URL": PROJECT,
            "ATELIER_DESK_URL": running.address,
            "ATELIER_DESK_PAGES": "https://hub.campus.example/moocs/services/desk",
            "JUPYTERHUB_API_TOKEN": TOKEN,
            "http_proxy": "http://127.0.0.1:1",
        }.items():
            monkeypatch.setenv(name, value)
        yield running
        running.shutdown()
        thread.join()


PAGE = "https://hub.campus.example/moocs/services/desk/courses/demo/check?path=notes.md"


def check(desk: Desk, name: str = "notes.md") -> dict[str, Any]:
    return checks.check(desk.root, {"path": desk.path(name), "lang": "fr"})


def problem(desk: Desk, name: str = "notes.md") -> dict[str, Any]:
    with pytest.raises(Problem) as caught:
        check(desk, name)
    assert TOKEN not in json.dumps(caught.value.as_json())
    return caught.value.as_json()


def test_the_desk_is_asked_with_this_servers_token_and_no_proxy(desk: Desk, office: Office) -> None:
    assert check(desk) == {"score": "62 %", "page": PAGE}
    ((path, headers, body),) = office.asked
    assert path == "/moocs/services/desk/api/checks"
    assert headers["Authorization"] == f"token {TOKEN}"
    assert body == {"course": "demo", "path": "notes.md", "language": "fr"}
    assert TOKEN not in repr(
        checks.Asking.of(
            {
                "ATELIER_DESK_URL": office.address,
                "ATELIER_COURSE": "demo",
                "JUPYTERHUB_API_TOKEN": TOKEN,
            }
        )
    )


def test_what_the_desk_refuses_is_told_in_its_words(desk: Desk, office: Office) -> None:
    office.status = 409
    office.body = json.dumps({"reason": "exercise_closed", "words": "Fermé."}).encode()
    assert problem(desk) == {
        "code": "check_refused",
        "reason": "exercise_closed",
        "words": "Fermé.",
        "page": PAGE,
    }


def test_a_desk_without_checks_for_notebooks_leaves_the_page(desk: Desk, office: Office) -> None:
    office.status, office.body = 404, b"Not Found"
    assert problem(desk) == {"code": "check_page", "page": PAGE}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b'{"reason": "this token is that of a server elsewhere"}'),
        (429, b'{"reason": "asked too often"}'),
        (502, b"<html>"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"a": "' + b"x" * checks.MAX_BYTES + b'"}'),
    ],
)
def test_an_answer_that_tells_learners_nothing_is_no_answer(
    desk: Desk, office: Office, status: int, body: bytes
) -> None:
    office.status, office.body = status, body
    assert problem(desk)["code"] == "check_away"


def test_the_token_follows_no_redirect(desk: Desk, office: Office) -> None:
    with Office() as other:
        office.status, office.headers = 307, {"Location": f"{other.address}/api/checks"}
        assert problem(desk)["code"] == "check_away"
        assert other.asked == []


@pytest.mark.usefixtures("office")
def test_a_desk_that_does_not_answer_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_DESK_URL", "http://127.0.0.1:1/services/desk")
    assert problem(desk)["code"] == "check_away"
    monkeypatch.setenv("ATELIER_DESK_URL", "file:///etc/passwd")
    assert problem(desk)["code"] == "check_page"


def test_only_exercises_of_the_course_are_asked_about(
    desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problem(desk, "exo.ipynb") == {"code": "no_exercise"}
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    assert problem(desk) == {"code": "check_page", "page": PAGE}
    monkeypatch.delenv("ATELIER_DESK_URL")
    monkeypatch.delenv("ATELIER_DESK_PAGES")
    assert problem(desk) == {"code": "no_exercise"}
    assert office.asked == []
