"""Sessions of the desk's pages, kept in memory; browsers hold their random names in a cookie.

A restart of the desk drops all sessions; browsers then sign in again through the hub automatically.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.responses import Response

from atelier.i18n.translate import Language

SESSION_SECONDS = 8 * 3600
MAX_SESSIONS = 20_000
"""Limit above which the least recently used session is dropped; its owner signs in again."""


@dataclass
class Session:
    """The session of one browser.

    Attributes:
        username: the learner.
        name: display name for the page's header.
        token: the hub's OAuth token, used to ask the hub whether the sign-in is still valid.
        hub_session: the browser's session id of the hub; a different one may be another person's.
        language: language of the pages.
        csrf: token against CSRF in the desk's forms.
        once: texts to show on the next page only.
        ends: when the session expires, seconds of the monotonic clock.
    """

    username: str
    name: str
    token: str = field(repr=False)
    hub_session: str = field(repr=False)
    language: Language
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    once: dict[str, str] = field(default_factory=dict, repr=False)
    ends: float = field(default_factory=lambda: time.monotonic() + SESSION_SECONDS)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


class Sessions:
    """All sessions, by the digest of the name that the browser holds."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Session] = OrderedDict()

    def open(self, session: Session) -> str:
        """Store a session.

        Returns:
            The session's name for the browser's cookie.
        """
        name = secrets.token_urlsafe(32)
        self._known[_digest(name)] = session
        while len(self._known) > MAX_SESSIONS:
            self._known.popitem(last=False)
        return name

    def find(self, name: str) -> Session | None:
        """Return the session with that name, or None if there is none or it has expired."""
        key = _digest(name)
        session = self._known.get(key)
        if session is None:
            return None
        if session.ends < time.monotonic():
            del self._known[key]
            return None
        self._known.move_to_end(key)
        return session

    def close(self, name: str) -> None:
        """Drop a session."""
        self._known.pop(_digest(name), None)


def set_cookie(
    response: Response, name: str, value: str, *, path: str, seconds: int, https: bool
) -> None:
    """Set a cookie that scripts cannot read and that browsers send inside a course page's frame.

    Args:
        response: the response that sets the cookie.
        name: name of the cookie.
        value: letters, digits, ``-`` and ``_``.
        path: path below which browsers send the cookie.
        seconds: lifetime; 0 removes the cookie.
        https: whether the site is served over https. Over plain http (in tests) browsers accept
            no cookie for frames.
    """
    # Starlette supports Partitioned only with Python 3.14 and later.
    parts = [f"{name}={value}", f"Path={path}", f"Max-Age={seconds}", "HttpOnly"]
    parts += ["Secure", "SameSite=None", "Partitioned"] if https else ["SameSite=Lax"]
    response.headers.append("set-cookie", "; ".join(parts))
