"""Asks the desk to check the answer in a file, with the token of this server.

The hub starts a learner's server with the desk's address for servers and a token that the desk
takes from this server alone. Where they are missing there is no panel: the desk's page has the
check.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from atelier_toolbar import exercises
from atelier_toolbar.problems import Problem
from atelier_toolbar.repository import find

TIMEOUT_SECONDS = 300
"""The desk ends every check, or says that it is too busy, before that."""
MAX_BYTES = 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The server's token is for the desk alone: never follow it elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class Asking:
    """Where the desk takes questions, for which course, and the token to ask with."""

    base: str
    course: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Asking | None:
        """What the hub told the server; None where it told of no desk to ask."""
        base = environment.get("ATELIER_DESK_URL", "").rstrip("/")
        course = environment.get("ATELIER_COURSE", "")
        token = environment.get("JUPYTERHUB_API_TOKEN", "")
        known = urlsplit(base)
        if known.scheme not in ("http", "https") or not known.netloc or not course or not token:
            return None
        return cls(base, course, token)


def check(
    root: Path, asked: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the desk's answer to `POST check`.

    Raises:
        Problem: `no_exercise`, `check_page`, `check_refused`, `check_away`, `bad_name`,
            `not_a_clone`.
    """
    repository, own = find(root, asked["path"])
    page = exercises.check_address(repository, own, environment)
    if page is None:
        raise Problem("no_exercise")
    asking = Asking.of(environment)
    if asking is None:
        raise Problem("check_page", page=page)
    found = _ask(asking, {"path": own, "language": asked.get("lang", "")}, page)
    return {**found, "page": page}


def _ask(asking: Asking, values: Mapping[str, str], page: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - Asking.of has looked at the scheme
        f"{asking.base}/api/checks",
        data=json.dumps({"course": asking.course, **values}).encode(),
        headers={
            "Authorization": f"token {asking.token}",
            "Content-Type": "application/json",
        },
        method="POST",
    )
    # The desk is on this machine's own bridge: an outgoing proxy has no part in this.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return _object(answer.read(MAX_BYTES + 1))
    except HTTPError as refusal:
        raise _refused(refusal, page) from None
    except (OSError, ValueError, HTTPException) as error:
        raise Problem("check_away", page=page, detail=type(error).__name__) from None


def _object(body: bytes) -> dict[str, Any]:
    """Return the JSON object. Raises ValueError for anything else."""
    found = json.loads(body) if len(body) <= MAX_BYTES else None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


def _refused(refusal: HTTPError, page: str) -> Problem:
    """Return the desk's reason, in its words for people when it has some."""
    with refusal:
        try:
            told = _object(refusal.read(MAX_BYTES + 1))
        except (OSError, ValueError, HTTPException):
            told = {}
    words, reason = told.get("words"), told.get("reason")
    if isinstance(words, str) and words:
        return Problem("check_refused", page=page, words=words, reason=str(reason))
    if refusal.code == HTTPStatus.NOT_FOUND and reason is None:
        return Problem("check_page", page=page)  # a desk that knows no such question yet
    return Problem("check_away", page=page, detail=f"HTTP {refusal.code}")
