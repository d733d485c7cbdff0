"""`git-credential-atelier`: answers git with a short-lived token that the desk issues.

Implements the protocol of git-credential(1) and gitcredentials(7). Stores and logs nothing, and
answers only for the course's own GitLab, over HTTPS.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5
SPACE_WAIT_SECONDS = 20
_UNAVAILABLE = (
    "GitLab ne donne pas accès à votre espace pour le moment ; vos fichiers sont gardés ici.\n"
    "GitLab gives no access to your space at the moment; your files are kept here.\n"
)
_TOO_OFTEN = (
    "Trop de demandes à GitLab ; réessayez dans {seconds} s. Vos fichiers sont gardés ici.\n"
    "Too many requests to GitLab; try again in {seconds} s. Your files are kept here.\n"
)
_AWAY = (
    "GitLab ne répond pas pour le moment ; réessayez dans {seconds} s. Vos fichiers sont gardés"
    " ici.\nGitLab does not answer at the moment; try again in {seconds} s. Your files are kept"
    " here.\n"
)
_WAITING = "GitLab : nouvel essai dans {seconds} s…\nGitLab: trying again in {seconds} s…\n"
_SOON_SECONDS = 5
"""Longest pause to wait for; a longer one is reported to the learner."""


class NotNowError(Exception):
    """No credential for so many seconds: too many requests (429), or no GitLab (503)."""

    def __init__(self, status: int, seconds: int) -> None:
        super().__init__(status, seconds)
        self.seconds = seconds
        self.sentence = _TOO_OFTEN if status == HTTPStatus.TOO_MANY_REQUESTS else _AWAY


def parse(lines: Iterable[str]) -> dict[str, str]:
    """Parse git's `key=value` lines up to the first empty line."""
    found: dict[str, str] = {}
    for line in lines:
        text = line.rstrip("\n")
        if not text:
            break
        key, separator, value = text.partition("=")
        if separator:
            found[key] = value
    return found


def place(host: str) -> tuple[str, int]:
    """Return the name and port of `host[:port]`; without a port, HTTPS's default.

    Raises ValueError if the port is not a number.
    """
    parts = urlsplit(f"https://{host}")
    return (parts.hostname or "").lower(), parts.port or 443


def is_ours(asked: Mapping[str, str], project_url: str) -> bool:
    """Whether git asks for the GitLab of `project_url`, over HTTPS."""
    project = urlsplit(project_url)
    if asked.get("protocol") != "https" or project.scheme != "https" or not asked.get("host"):
        return False
    try:
        return place(asked["host"]) == place(project.netloc.rpartition("@")[2])
    except ValueError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, so that the hub's token reaches the desk only."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def ask_desk(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return a username and a token from the desk.

    Raises OSError, ValueError, KeyError or HTTPException if the desk issues none, and
    NotNowError if it says how long to wait.
    """
    base = environment["ATELIER_DESK_URL"].rstrip("/")
    # The space was being prepared when this server started; the desk knows whether it still is.
    wait = SPACE_WAIT_SECONDS if environment.get("ATELIER_SPACE") == "preparing" else 0
    if urlsplit(base).scheme not in ("http", "https"):
        raise ValueError("ATELIER_DESK_URL is not a web address")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        f"{base}/api/git-credential?wait={wait}",
        data=json.dumps({"course": environment["ATELIER_COURSE"]}).encode(),
        headers={
            "Authorization": f"token {environment['JUPYTERHUB_API_TOKEN']}",
            "Content-Type": "application/json",
        },
        method="POST",
    )
    # No outgoing proxy, as the desk is on this machine's own bridge.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS + wait) as answer:
            lent = json.loads(answer.read(65536))
    except HTTPError as refusal:
        seconds = refusal.headers.get("Retry-After")
        if refusal.code == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = seconds or "60"
        elif refusal.code != HTTPStatus.SERVICE_UNAVAILABLE or seconds is None:
            raise
        raise NotNowError(refusal.code, int(seconds)) from None
    username, password = lent["username"], lent["password"]
    for value in (username, password):
        if not isinstance(value, str) or not value or set(value) & set("\r\n\0"):
            raise ValueError("the desk's answer is not a credential")
    return username, password


def ask_patiently(environment: Mapping[str, str], err: IO[str]) -> tuple[str, str]:
    """Ask the desk, and once more after a short pause if it asks for one.

    The pause is reported, as the toolbar stops a git without output after some time.
    """
    try:
        return ask_desk(environment)
    except NotNowError as error:
        if error.seconds > _SOON_SECONDS:
            raise
        err.write(_WAITING.format(seconds=error.seconds))
        err.flush()
        time.sleep(error.seconds)
    return ask_desk(environment)


def answer(
    operation: str,
    asked: Mapping[str, str],
    environment: Mapping[str, str],
    out: IO[str],
    err: IO[str],
) -> int:
    """Answer one request of git on `out`; return the exit code."""
    if operation != "get" or not is_ours(asked, environment.get("ATELIER_PROJECT_URL", "")):
        return 0
    try:
        username, password = ask_patiently(environment, err)
    except NotNowError as error:
        err.write(error.sentence.format(seconds=error.seconds))
        out.write("quit=1\n")
        return 0
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        err.write(_UNAVAILABLE)
        out.write("quit=1\n")  # else git would ask the learner for a password
        return 0
    out.write(f"username={username}\npassword={password}\n")
    return 0


def main() -> int:
    """Run as git's credential helper."""
    operation = sys.argv[1] if len(sys.argv) > 1 else ""
    return answer(operation, parse(sys.stdin), os.environ, sys.stdout, sys.stderr)
