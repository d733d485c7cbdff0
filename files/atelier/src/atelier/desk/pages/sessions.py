"""Who is in front of a page: sessions kept in memory, known to browsers by a random name.

A desk that restarts forgets them all; browsers sign in again through the hub without noticing.
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
"""Beyond that the one longest unused is forgotten: its owner signs in again."""


@dataclass
class Session:
    """One browser in which somebody is signed in.

    Attributes:
        username: the learner.
        name: shown in the page's head.
        token: the hub's, by which the hub is asked whether the sign-in still holds.
        hub_session: the hub's own session of this browser; another one is another person, maybe.
        language: of the pages.
        csrf: what a form of ours holds and nobody else's page knows.
        once: texts to show on the next page and to forget.
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
    """All sessions, by the digest of the name their browser has."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Session] = OrderedDict()

    def open(self, session: Session) -> str:
        """Remember a session.

        Returns:
            The name to give to the browser.
        """
        name = secrets.token_urlsafe(32)
        self._known[_digest(name)] = session
        while len(self._known) > MAX_SESSIONS:
            self._known.popitem(last=False)
        return name

    def find(self, name: str) -> Session | None:
        """The session of that name, unless it is over."""
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
        """Forget a session."""
        self._known.pop(_digest(name), None)


def set_cookie(
    response: Response, name: str, value: str, *, path: str, seconds: int, https: bool
) -> None:
    """Give a browser a cookie that no script reads and that works inside a course page's frame.

    Args:
        response: carries it.
        name: of the cookie.
        value: letters, digits, ``-`` and ``_``.
        path: below which it is sent.
        seconds: it lives; 0 removes it.
        https: whether the site is served so; over plain http (a test's) there is no other way
            than a cookie that stays out of frames.
    """
    # Starlette writes Partitioned with Python 3.14 and later only.
    parts = [f"{name}={value}", f"Path={path}", f"Max-Age={seconds}", "HttpOnly"]
    parts += ["Secure", "SameSite=None", "Partitioned"] if https else ["SameSite=Lax"]
    response.headers.append("set-cookie", "; ".join(parts))
