"""From a request's credentials to its caller."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from gitlab_standin import security
from gitlab_standin.api.core import ApiError, Route, fail
from gitlab_standin.models import Token, User, now
from gitlab_standin.site import Site, find_token, find_user

USE_RECORDED_EVERY = dt.timedelta(minutes=10)

_TOO_LITTLE = "The request requires higher privileges than provided by the access token."
_BLOCKED = {
    "blocked": "Your account has been blocked.",
    "ldap_blocked": "Your account has been blocked.",
    "banned": "Your account has been blocked.",
    "blocked_pending_approval": (
        "Your account is pending approval from your administrator and hence blocked."
    ),
    "deactivated": "Your account has been deactivated by your administrator.",
}


def credential(headers: dict[str, str], params: dict[str, Any]) -> str | None:
    """The token that comes with the request."""
    for text in (
        headers.get("private-token"),
        params.get("private_token"),
        params.get("access_token"),
    ):
        if text:
            return str(text)
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" and value else None


def _invalid_token(description: str) -> ApiError:
    return ApiError(401, {"error": "invalid_token", "error_description": description})


def _insufficient(scopes: tuple[str, ...]) -> ApiError:
    body = {
        "error": "insufficient_scope",
        "error_description": _TOO_LITTLE,
        "scope": " ".join(scopes),
    }
    return ApiError(403, body)


def check_token(site: Site, session: Session, text: str) -> Token:
    """A live token; else the 401 that says why it is not."""
    token = find_token(session, security.token_digest(text))
    if token is None:
        fail(401, "401 Unauthorized")
    if token.revoked:
        raise _invalid_token("Token was revoked. You have to re-authorize from the user.")
    if token.expired:
        raise _invalid_token(
            "Token is expired. You can either do re-authorization or token refresh."
        )
    if token.impersonation and not site.config.impersonation_enabled:
        raise _invalid_token("Token is an impersonation token but impersonation was disabled.")
    return token


def _check_user(user: User) -> None:
    if user.state != "active":
        fail(403, f"403 Forbidden - {_BLOCKED.get(user.state, 'Your account has been blocked.')}")
    if user.password_expires_at is not None and user.password_expires_at <= now():
        fail(
            403,
            "403 Forbidden - Your password expired. "
            "Please access GitLab from a web browser to update your password.",
        )


def authenticate(
    site: Site, session: Session, route: Route, headers: dict[str, str], params: dict[str, Any]
) -> tuple[User | None, Token | None]:
    """The caller, after Sudo; ApiError when the credentials do not suffice."""
    text = credential(headers, params)
    if text is None:
        if not route.anonymous:
            fail(401, "401 Unauthorized")
        return None, None
    token = check_token(site, session, text)
    _check_user(token.user)
    reading = ("read_api",) if route.method == "GET" else ()
    sufficient = ("api", *reading, *route.scopes)
    if "any" not in route.scopes and not set(sufficient) & set(token.scopes):
        raise _insufficient(sufficient)
    return _sudo(session, token, headers, params), token


def _sudo(session: Session, token: Token, headers: dict[str, str], params: dict[str, Any]) -> User:
    wanted = headers.get("sudo") or params.get("sudo")
    if not wanted:
        return token.user
    if not token.user.is_admin:
        fail(403, "403 Forbidden - Must be admin to use sudo")
    if "sudo" not in token.scopes:
        raise _insufficient(("sudo",))
    other = find_user(session, str(wanted))
    if other is None:
        fail(404, f"404 User with ID or username '{wanted}' Not Found")
    _check_user(other)
    return other


def record_use(site: Site, token: Token) -> None:
    """Remember that the token was used, not more often than GitLab does."""
    if token.last_used_at is None or now() - token.last_used_at > USE_RECORDED_EVERY:
        with site.database.write() as session:
            current = session.get(Token, token.id)
            if current is not None:
                current.last_used_at = now()
