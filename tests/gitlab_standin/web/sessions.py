"""Browser sessions: a cookie as GitLab sets it, the rest in the database."""

import datetime as dt
import hmac
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlalchemy.orm import Session
from starlette.responses import Response

from gitlab_standin import security
from gitlab_standin.models import User, WebSession, now
from gitlab_standin.site import Site

COOKIE = "_gitlab_session"


class Visit:
    """One request's view of its session. Changes are written by :func:`save`."""

    def __init__(self, identifier: str | None, user: User | None, data: dict[str, Any]) -> None:
        self.identifier = identifier
        self.user = user
        self.data = data
        self.changed = False
        self.renew = False

    def put(self, name: str, value: Any) -> None:
        """Keep a value; None forgets it."""
        if self.data.get(name) != value:
            self.changed = True
            if value is None:
                self.data.pop(name, None)
            else:
                self.data[name] = value

    def take(self, name: str) -> Any:
        """Read a value and forget it."""
        value = self.data.get(name)
        self.put(name, None)
        return value

    @property
    def csrf_token(self) -> str:
        """The token that forms must send back."""
        if "csrf" not in self.data:
            self.put("csrf", security.random_id())
        token: str = self.data["csrf"]
        return token

    def csrf_valid(self, given: str) -> bool:
        """Whether a form comes from this session's own page."""
        known = self.data.get("csrf")
        return bool(known) and hmac.compare_digest(str(known), given)

    def flash(self, kind: str, text: str) -> None:
        """Say something on the next page: ``alert`` or ``notice``."""
        self.put("flash", {"kind": kind, "text": text})

    def sign_in(self, user: User) -> None:
        """From now on the session is this person's, under a new identifier."""
        self.user = user
        self.renew = self.changed = True

    def sign_out(self) -> None:
        """Forget the person and everything else."""
        self.user = None
        self.data = {}
        self.renew = self.changed = True


def load(session: Session, cookie: str | None) -> Visit:
    """The session of a cookie.

    An empty one when it is unknown, expired, or its user may not sign in.
    """
    if not cookie:
        return Visit(None, None, {})
    row = session.get(WebSession, security.token_digest(cookie))
    if row is None or row.expires_at <= now():
        return Visit(None, None, {})
    user = session.get(User, row.user_id) if row.user_id is not None else None
    if user is not None and user.state != "active":
        user = None
    return Visit(cookie, user, dict(row.data))


def save(site: Site, visit: Visit, response: Response) -> None:
    """Write what changed and set the cookie."""
    lifetime = dt.timedelta(minutes=site.config.session_expire_delay)
    fresh = visit.identifier is None or visit.renew
    if not visit.changed:
        return
    identifier = security.random_id() if fresh or visit.identifier is None else visit.identifier
    with site.database.write() as session:
        if fresh and visit.identifier is not None:
            digest = security.token_digest(visit.identifier)
            session.execute(delete(WebSession).where(WebSession.digest == digest))
        session.merge(
            WebSession(
                digest=security.token_digest(identifier),
                user_id=visit.user.id if visit.user else None,
                data=visit.data,
                expires_at=now() + lifetime,
            )
        )
    attributes = [f"{COOKIE}={identifier}", f"Path={site.config.relative_root or '/'}", "HttpOnly"]
    if site.config.https:
        attributes += ["Secure", "SameSite=None"]
    response.headers.append("Set-Cookie", "; ".join(attributes))


def local_path(target: str | None) -> str | None:
    """A path on this site, None for anything that leads elsewhere."""
    if not target:
        return None
    parts = urlsplit(target)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if parts.scheme or parts.netloc or not path.startswith("/") or path.startswith(("//", "/\\")):
        return None
    return path
