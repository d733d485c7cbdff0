"""Application settings and the administrator's token: differences written, failures plain."""

from __future__ import annotations

import datetime as dt
import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import (
    calls,
    connection,
    errors,
    spaces,
)
from ansible_collections.mooc.atelier.plugins.modules import gitlab_instance_info, gitlab_settings
from kit.clock import Clock
from kit.gitlab_double import TOKEN, Double, serve
from kit.modules import Ran, run

SETTINGS = {
    "signup_enabled": True,
    "default_projects_limit": 100000,
    "import_sources": ["github", "git"],
    "after_sign_out_path": None,
    "some_password": "hunter2",
    "default_branch_protection_defaults": {"allow_force_push": False, "allowed_to_push": []},
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.drive(monkeypatch, calls)
    return clock


@pytest.fixture
def double() -> Iterator[Double]:
    known = Double(settings=dict(SETTINGS))
    server = serve(known)
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def keep(double: Double, token_file: Path, *, check: bool = False, **settings: Any) -> Ran:
    where = {"api_url": double.url, "token_file": str(token_file)}
    return run("gitlab_settings", check=check, settings=settings, **where)


def look(double: Double, token_file: Path, **options: Any) -> dict[str, Any]:
    ran = run("gitlab_instance_info", api_url=double.url, token_file=str(token_file), **options)
    assert not ran.changed
    return ran.result


def test_only_what_differs_is_written_and_only_once(double: Double, token_file: Path) -> None:
    wanted = {"signup_enabled": False, "default_projects_limit": 100000}
    ran = keep(double, token_file, **wanted)
    assert ran.changed
    assert double.writes == [("PUT", "/api/v4/application/settings", {"signup_enabled": False})]
    assert ran.result["diff"] == {
        "before": {"signup_enabled": True}, "after": {"signup_enabled": False},
    }  # fmt: skip
    assert not keep(double, token_file, **wanted).changed
    assert len(double.writes) == 1


def test_check_mode_says_what_would_change(double: Double, token_file: Path) -> None:
    ran = keep(double, token_file, check=True, signup_enabled=False)
    assert ran.changed
    assert ran.result["settings"] == {"signup_enabled": False}
    assert double.writes == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signup_enabled", "true"),
        ("default_projects_limit", "100000"),
        ("import_sources", ["git", "github"]),
        ("after_sign_out_path", ""),
        ("default_branch_protection_defaults", {"allow_force_push": False}),
    ],
)
def test_another_spelling_of_the_same_is_no_change(
    double: Double, token_file: Path, name: str, value: object
) -> None:
    assert not keep(double, token_file, **{name: value}).changed


@pytest.mark.parametrize(("wanted", "present"), [(0, False), (1, True), ("", []), (None, False)])
def test_what_only_looks_alike_differs(wanted: object, present: object) -> None:
    assert not gitlab_settings.same(wanted, present)


def test_a_name_that_gitlab_does_not_know_is_an_error(double: Double, token_file: Path) -> None:
    failure = keep(double, token_file, signup_enable=False).failure
    assert "no application setting named signup_enable" in failure
    assert double.writes == []


def test_a_setting_that_gitlab_does_not_keep_is_an_error(double: Double, token_file: Path) -> None:
    double.stubborn = {"signup_enabled"}
    assert (
        "did not keep the setting signup_enabled"
        in keep(double, token_file, signup_enabled=False).failure
    )


def test_secret_settings_are_not_shown(double: Double, token_file: Path) -> None:
    ran = keep(double, token_file, some_password="correct horse")
    assert ran.changed
    shown = ran.result["diff"], ran.result["settings"]
    assert "correct horse" not in str(shown)
    assert "hunter2" not in str(shown)


def test_the_token_is_never_said(double: Double, token_file: Path) -> None:
    assert TOKEN not in keep(double, token_file, signup_enabled=False).written
    double.always = (500, {"message": "500 Internal Server Error"})  # type: ignore[assignment]
    assert TOKEN not in keep(double, token_file, signup_enabled=False).written


def test_a_wrong_token_is_said_with_its_file(double: Double, token_file: Path) -> None:
    token_file.write_text("glpat-wrong")
    failure = keep(double, token_file, signup_enabled=False).failure
    assert str(token_file) in failure
    assert "refuses the token" in failure


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "insufficient_scope", "scope": "api"}, "lacks a scope"),
        ({"message": "403 Forbidden"}, "administrator"),
    ],
)
def test_forbidden_says_what_is_missing(
    double: Double, token_file: Path, body: dict[str, str], said: str
) -> None:
    double.always = (403, body)  # type: ignore[assignment]
    assert said in keep(double, token_file, signup_enabled=False).failure


@pytest.mark.parametrize("content", ["", "two words\n", None])
def test_a_token_file_that_holds_no_token_is_named(
    double: Double, token_file: Path, content: str | None
) -> None:
    if content is None:
        token_file.unlink()
    else:
        token_file.write_text(content)
    assert str(token_file) in keep(double, token_file, signup_enabled=False).failure


def test_an_address_of_something_else_is_said(double: Double, token_file: Path) -> None:
    double.always = (404, "<html>nginx</html>")
    assert "the address may be wrong" in keep(double, token_file, signup_enabled=False).failure


@pytest.mark.parametrize(
    "address",
    ["", " ", "localhost", "ftp://gitlab.example", "https://", "https://a:b@gitlab.example",
     "https://gitlab.example?private_token=x", "https://[gitlab", "https://gitlab.example:port"],
)  # fmt: skip
def test_the_token_is_not_sent_to_what_is_no_address(address: str, token_file: Path) -> None:
    """python-gitlab would take gitlab.com for an empty address."""
    sent = "requests.sessions.Session.send"
    with mock.patch(sent, side_effect=AssertionError("a request was sent")):
        ran = run("gitlab_settings", api_url=address, token_file=str(token_file), settings={})
    assert "it must be GitLab's address" in ran.failure
    assert "a:b" not in ran.failure


def test_a_timeout_of_nothing_is_refused(double: Double, token_file: Path) -> None:
    where = {"api_url": double.url, "token_file": str(token_file)}
    ran = run("gitlab_settings", settings={}, timeout=0, **where)
    assert "timeout is 0.0" in ran.failure


@pytest.fixture
def portal(double: Double) -> Iterator[tuple[str, list[str | None]]]:
    """Somebody who sends every visitor on to `double`, and the tokens that came there."""
    seen: list[str | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            seen.append(self.headers["PRIVATE-TOKEN"])
            self.send_response(302)
            self.send_header("Location", f"{double.url}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def test_the_token_does_not_follow_a_redirect_to_another_host(
    double: Double, token_file: Path, portal: tuple[str, list[str | None]]
) -> None:
    url, seen = portal
    ran = run(
        "gitlab_settings", api_url=url, token_file=str(token_file),
        settings={"signup_enabled": False},
    )  # fmt: skip
    assert f"sends its visitors on to {double.url}" in ran.failure
    assert seen == [TOKEN]
    assert double.asked == []


def test_nor_does_the_token_of_the_desk(
    double: Double, portal: tuple[str, list[str | None]]
) -> None:
    url, seen = portal
    asking = calls.Calls(lambda: spaces.connect(url, TOKEN))
    with pytest.raises(errors.SpaceError, match=f"sends its visitors on to {double.url}"):
        spaces.find_user(asking, "u" + "a" * 16)
    assert seen == [TOKEN]
    assert double.asked == []


def test_nobody_at_the_address_is_said(token_file: Path) -> None:
    nobody = Double(url="http://127.0.0.1:9")
    assert "cannot be reached" in keep(nobody, token_file, signup_enabled=False).failure


def test_an_unknown_authority_is_said(token_file: Path, tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    known = Double(settings=dict(SETTINGS))
    server = serve(known)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    known.url = f"https://localhost:{server.server_port}"
    try:
        failure = keep(known, token_file, signup_enabled=False).failure
        assert "is not trusted here" in failure
        assert "atelier_ca_certificates" in failure
        where = {"api_url": known.url, "token_file": str(token_file), "ca_file": str(certificate)}
        assert run("gitlab_settings", settings={"signup_enabled": False}, **where).changed
    finally:
        server.shutdown()
        server.server_close()


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "GITLAB_IMPORT_ERROR", "ImportError")
    assert "python-gitlab >= 3.12 is needed" in str(connection.library_problem())


def test_an_old_library_is_said_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.gitlab, "__version__", "2.10.1")
    problem = str(connection.library_problem())
    assert "2.10.1" in problem
    assert str(Path(connection.gitlab.__file__).parent) in problem


def test_a_good_token_is_good(double: Double, token_file: Path) -> None:
    found = look(double, token_file, scopes=["api", "write_repository"], minimum_days=60)
    assert found["token_good"], found["reason"]
    assert (found["version"], found["username"]) == ("19.3.3", "root")


def test_a_token_that_is_not_good_is_an_answer_not_a_failure(
    double: Double, token_file: Path
) -> None:
    soon = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=12)
    double.expires_at = soon.isoformat()
    assert "expires in 12 days" in look(double, token_file, minimum_days=60)["reason"]
    assert look(double, token_file, minimum_days=12)["token_good"]
    double.expires_at = None
    assert look(double, token_file, minimum_days=60)["token_good"]
    double.scopes = ["api"]
    wanted = ["api", "write_repository"]
    assert "lacks the scope write_repository" in look(double, token_file, scopes=wanted)["reason"]
    double.admin = False
    assert "not an administrator" in look(double, token_file)["reason"]
    token_file.write_text("glpat-wrong")
    assert "refused" in look(double, token_file)["reason"]
    token_file.unlink()
    assert str(token_file) in look(double, token_file)["reason"]


def test_an_address_that_cannot_be_one_says_nothing_of_the_token(token_file: Path) -> None:
    ran = run("gitlab_instance_info", api_url="localhost", token_file=str(token_file))
    assert "it must be GitLab's address" in ran.failure


def test_a_token_is_dead_on_the_day_it_expires() -> None:
    today = dt.date(2026, 11, 21)
    dead, alive = ({"scopes": ["api"], "expires_at": f"2026-11-{day}"} for day in (21, 22))
    assert gitlab_instance_info.judge("root", True, dead, ["api"], 0, today)
    assert not gitlab_instance_info.judge("root", True, alive, ["api"], 0, today)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("19.3.3", (19, 3, 3)),
        ("19.3.3-ce.0", (19, 3, 3)),
        ("18.11", (18, 11, 0)),
        ("20.0.0-pre", (20, 0, 0)),
    ],
)
def test_versions_are_read(text: str, numbers: tuple[int, int, int]) -> None:
    assert connection.parse_version(text) == numbers
