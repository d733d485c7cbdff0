"""The credential helper: what git asks, what the desk lends, and who is never answered."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from atelier_notebook import credential
from atelier_toolbar import network
from atelier_toolbar.git import Result
from hypothesis import given
from hypothesis import strategies as st

from .conftest import ROOT

PROJECT = "https://gitlab.example.org:8443/u1/demo.git"
ASKED = {"protocol": "https", "host": "gitlab.example.org:8443", "path": "u1/demo.git"}
HUB_TOKEN = "hub-token-of-this-server"
LENT = {"username": "u1", "password": "glpat-lent-for-today", "expires_at": "2026-11-23"}


class Desk(http.server.ThreadingHTTPServer):
    """A desk that records what it is asked and answers as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body: bytes = json.dumps(LENT).encode()
        self.location = ""
        self.pauses: list[int] = []
        """Seconds to wait that the next answers tell."""
        self.delay = 0.0
        self.pause_status = 429
        self.asked: list[tuple[str, str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/desk"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Desk

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        self.server.asked.append((self.path, self.headers["Authorization"], body))
        time.sleep(self.server.delay)
        if self.server.pauses:
            self.send_response(self.server.pause_status)
            self.send_header("Retry-After", str(self.server.pauses.pop(0)))
            self.end_headers()
            return
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        with contextlib.suppress(ConnectionError):  # who asks may have given up
            self.end_headers()
            self.wfile.write(self.server.body)

    do_GET = do_POST  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def environment(desk_url: str) -> dict[str, str]:
    return {
        "ATELIER_PROJECT_URL": PROJECT,
        "ATELIER_DESK_URL": desk_url,
        "ATELIER_COURSE": "demo",
        "JUPYTERHUB_API_TOKEN": HUB_TOKEN,
    }


def ask(
    desk_url: str, asked: dict[str, str] | None = None, operation: str = "get"
) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    asked = ASKED if asked is None else asked
    assert credential.answer(operation, asked, environment(desk_url), out, err) == 0
    return out.getvalue(), err.getvalue()


def test_the_desk_lends_a_credential(desk: Desk) -> None:
    assert ask(desk.url) == ("username=u1\npassword=glpat-lent-for-today\n", "")
    assert desk.asked == [
        ("/services/desk/api/git-credential?wait=0", f"token {HUB_TOKEN}", {"course": "demo"})
    ]


def test_a_space_in_the_making_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential, "TIMEOUT_SECONDS", 0.1)
    desk.delay = 0.5
    told = environment(desk.url) | {"ATELIER_SPACE": "preparing"}
    assert credential.ask_desk(told) == ("u1", "glpat-lent-for-today")
    assert desk.asked[0][0].endswith("?wait=20")


@pytest.mark.parametrize("operation", ["store", "erase", "capability", ""])
def test_other_operations_are_ignored(desk: Desk, operation: str) -> None:
    assert ask(desk.url, operation=operation) == ("", "")
    assert desk.asked == []


@pytest.mark.parametrize(
    "asked",
    [
        {"protocol": "https", "host": "github.com"},
        {"protocol": "https", "host": "gitlab.example.org"},
        {"protocol": "https", "host": "gitlab.example.org:443"},
        {"protocol": "https", "host": "gitlab.example.org:8443.evil.example"},
        {"protocol": "https", "host": "evil.example@gitlab.example.org"},
        {"protocol": "https", "host": "evil.gitlab.example.org:8443"},
        {"protocol": "https", "host": "gitlab.example.org:x"},
        {"protocol": "http", "host": "gitlab.example.org:8443"},
        {"protocol": "ssh", "host": "gitlab.example.org:8443"},
        {"protocol": "https"},
        {},
    ],
)
def test_nobody_else_is_answered(desk: Desk, asked: dict[str, str]) -> None:
    assert ask(desk.url, asked) == ("", "")
    assert desk.asked == []


@given(host=st.text(max_size=60))
def test_only_the_exact_host_is_ours(host: str) -> None:
    ours = credential.is_ours({"protocol": "https", "host": host}, PROJECT)
    name, _, port = host.rpartition("@")[2].rpartition(":")
    assert not ours or (name.lower(), int(port)) == ("gitlab.example.org", 8443)


def test_the_default_port_may_be_left_out() -> None:
    for host in ("gitlab.example.org", "gitlab.example.org:443", "GitLab.example.org"):
        project = "https://gitlab.example.org/u1/demo.git"
        assert credential.is_ours({"protocol": "https", "host": host}, project)


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_a_refusal_stops_git_from_asking_the_learner(desk: Desk, status: int) -> None:
    desk.status = status
    out, err = ask(desk.url)
    assert out == "quit=1\n"
    assert "GitLab gives no access" in err
    assert "GitLab ne donne pas accès" in err


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"text"',
        b'{"username": "u1"}',
        b'{"username": "u1", "password": 3}',
        b'{"username": "u1", "password": ""}',
        json.dumps({"username": "u1", "password": "x\nurl=https://evil.example"}).encode(),
    ],
)
def test_an_answer_that_is_no_credential_is_not_passed_on(desk: Desk, body: bytes) -> None:
    desk.body = body
    assert ask(desk.url)[0] == "quit=1\n"


def test_no_desk_at_all() -> None:
    out, err = ask("http://127.0.0.1:9/services/desk")
    assert out == "quit=1\n"
    assert HUB_TOKEN not in err


def test_a_slow_desk_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert credential.TIMEOUT_SECONDS <= 5
    monkeypatch.setattr(credential, "TIMEOUT_SECONDS", 0.2)
    desk.delay = 20
    began = time.monotonic()
    assert ask(desk.url)[0] == "quit=1\n"
    assert time.monotonic() - began < 15


def test_the_hub_token_does_not_follow_a_redirect(desk: Desk) -> None:
    with Desk() as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, args=(0.01,), daemon=True).start()
        desk.status, desk.location = 302, elsewhere.url
        assert ask(desk.url)[0] == "quit=1\n"
        assert elsewhere.asked == []
        elsewhere.shutdown()


def test_a_proxy_never_sees_the_hub_token(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "password=" in ask(desk.url)[0]


def test_real_git_uses_it(desk: Desk, tmp_path: Path) -> None:
    """git's own protocol, end to end: `git credential fill` with the helper configured."""
    helper = tmp_path / "helper"
    helper.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"sys.path.insert(0, {str(ROOT / 'files/course-image/src')!r})\n"
        "from atelier_notebook.credential import main\nsys.exit(main())\n"
    )
    helper.chmod(0o755)
    done = subprocess.run(
        ["git", "-c", f"credential.helper={helper}", "credential", "fill"],
        input=f"url={PROJECT}\n\n",
        env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", **environment(desk.url)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "password=glpat-lent-for-today" in done.stdout.splitlines()


def test_a_short_pause_that_the_desk_wants_is_waited_for(desk: Desk) -> None:
    desk.pauses = [0]
    out, err = ask(desk.url)
    assert "password=" in out
    assert "trying again in 0 s" in err, "git has a word to show: nobody takes it for stuck"
    assert len(desk.asked) == 2


@pytest.mark.parametrize("pauses", [[0], [0, 3], [30]])
def test_a_gitlab_that_is_away_is_another_matter_than_one_asked_too_often(
    desk: Desk, pauses: list[int]
) -> None:
    desk.pause_status, desk.pauses = 503, list(pauses)
    out, err = ask(desk.url)
    if pauses == [0]:
        assert "password=" in out
        return
    assert out == "quit=1\n"
    assert f"GitLab does not answer at the moment; try again in {pauses[-1]} s" in err
    assert "GitLab ne répond pas" in err
    assert "Too many" not in err


@pytest.mark.parametrize("pauses", [[30], [0, 30]])
def test_a_longer_one_is_told_with_its_seconds(desk: Desk, pauses: list[int]) -> None:
    desk.pauses = list(pauses)
    out, err = ask(desk.url)
    assert out == "quit=1\n"
    assert "try again in 30 s" in err
    assert "réessayez dans 30 s" in err
    assert len(desk.asked) == len(pauses)


def test_an_odd_pause_is_told_as_no_access(desk: Desk) -> None:
    desk.pauses = ["soon"]  # type: ignore[list-item]
    assert "no access" in ask(desk.url)[1]


@pytest.mark.parametrize(
    ("status", "pauses", "code"),
    [(429, [30], "too_often"), (503, [30], "offline"), (403, [], "denied")],
)
def test_the_toolbar_says_why_the_helper_gave_up(
    desk: Desk, status: int, pauses: list[int], code: str
) -> None:
    desk.status = desk.pause_status = status
    desk.pauses = list(pauses)
    out, err = ask(desk.url)
    assert out == "quit=1\n"
    git = f"{err}fatal: credential helper 'atelier' told us to quit\n"
    assert network.problem(Result(128, b"", git)).code == code


def test_the_toolbar_waits_longer_for_a_word_than_the_helper_for_the_desk() -> None:
    for limits in (network.ASK, network.FETCH, network.PUSH):
        assert limits.first_word > credential.TIMEOUT_SECONDS + 1
