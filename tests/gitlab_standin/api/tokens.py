"""Personal access tokens and impersonation tokens."""

import datetime as dt
from typing import Any

from sqlalchemy import Select, select

from gitlab_standin import security
from gitlab_standin.api import entities, pagination
from gitlab_standin.api.core import Call, Reply, fail, forbidden, invalid, not_found, route
from gitlab_standin.models import Token, User, now

SCOPES = frozenset(
    [
        "api",
        "read_api",
        "read_user",
        "create_runner",
        "manage_runner",
        "k8s_proxy",
        "self_rotate",
        "mcp",
        "mcp_orbit",
        "granular",
        "read_repository",
        "write_repository",
        "read_virtual_registry",
        "write_virtual_registry",
        "read_observability",
        "write_observability",
        "ai_features",
        "sudo",
        "admin_mode",
        "read_service_ping",
    ]
)
MAX_DAYS = 365
_NEW = {"name": "str!", "description": "str", "expires_at": "date", "scopes": "list"}


class TokenError(Exception):
    """A token that may not be made; the text is GitLab's."""


def make_token(
    user: User,
    *,
    name: str,
    scopes: list[str],
    expires_at: dt.date | None,
    prefix: str,
    description: str | None = None,
    impersonation: bool = False,
    value: str | None = None,
) -> tuple[Token, str]:
    """A token and its value; TokenError when scopes or the date are not allowed."""
    today = now().date()
    if not name.strip():
        raise TokenError("Name can't be blank")
    if not scopes:
        raise TokenError("Scopes can't be blank")
    if not set(scopes) <= SCOPES:
        raise TokenError("Scopes can only contain available scopes")
    if {"sudo", "admin_mode"} & set(scopes) and not user.is_admin:
        raise TokenError("Scopes can only contain available scopes")
    if expires_at is None:
        expires_at = today + dt.timedelta(days=MAX_DAYS)
    if expires_at > today + dt.timedelta(days=MAX_DAYS):
        latest = today + dt.timedelta(days=MAX_DAYS)
        raise TokenError(f"Expiration date must be before {latest.isoformat()}")
    text = value or security.new_token(prefix)
    token = Token(
        user_id=user.id,
        name=name,
        description=description,
        digest=security.token_digest(text),
        scopes=sorted(set(scopes), key=scopes.index),
        expires_at=expires_at,
        impersonation=impersonation,
    )
    return token, text


def _create(call: Call, user: User, *, impersonation: bool, refused: int) -> tuple[Token, str]:
    expires = call["expires_at"]
    if expires is not None and expires <= now().date():
        fail(refused, "Expiration date can't be in the past")
    try:
        token, text = make_token(
            user,
            name=call["name"],
            scopes=[str(s) for s in call["scopes"] or []],
            expires_at=expires,
            prefix=call.site.setting(call.session, "personal_access_token_prefix") or "",
            description=call["description"],
            impersonation=impersonation,
        )
    except TokenError as error:
        fail(refused, str(error))
    call.session.add(token)
    call.session.flush()
    return token, text


def _by_state(query: Select[Any], state: str | None) -> Select[Any]:
    live = Token.revoked.is_(False) & (
        (Token.expires_at.is_(None)) | (Token.expires_at > now().date())
    )
    if state == "active":
        return query.where(live)
    if state == "inactive":
        return query.where(~live)
    return query


@route("GET", "/users/:user_id/impersonation_tokens", {"state": ("all", "active", "inactive")})
def list_impersonation(call: Call) -> Any:
    """GET /users/:user_id/impersonation_tokens."""
    call.require_admin()
    user = call.some_user("user_id")
    query = (
        select(Token)
        .where(Token.user_id == user.id, Token.impersonation.is_(True))
        .order_by(Token.id)
    )
    return pagination.of_query(
        call,
        _by_state(query, call["state"]),
        lambda rows: [entities.impersonation_token(r) for r in rows],
    )


@route("POST", "/users/:user_id/impersonation_tokens", _NEW)
def create_impersonation(call: Call) -> Any:
    """POST /users/:user_id/impersonation_tokens."""
    call.require_admin()
    user = call.some_user("user_id")
    token, text = _create(call, user, impersonation=True, refused=422)
    return {**entities.impersonation_token(token), "token": text}


def _impersonation(call: Call) -> Token:
    call.require_admin()
    user = call.some_user("user_id")
    wanted = call.route["token_id"]
    token = call.session.get(Token, int(wanted)) if wanted.isdigit() else None
    if token is None or token.user_id != user.id or not token.impersonation:
        not_found("Impersonation Token")
    return token


@route("GET", "/users/:user_id/impersonation_tokens/:token_id")
def get_impersonation(call: Call) -> Any:
    """GET /users/:user_id/impersonation_tokens/:token_id."""
    return entities.impersonation_token(_impersonation(call))


@route("DELETE", "/users/:user_id/impersonation_tokens/:token_id")
def revoke_impersonation(call: Call) -> Any:
    """DELETE /users/:user_id/impersonation_tokens/:token_id."""
    _impersonation(call).revoked = True


@route("POST", "/users/:user_id/personal_access_tokens", {**_NEW, "scopes": "list!"})
def create_for_user(call: Call) -> Any:
    """POST /users/:user_id/personal_access_tokens."""
    call.require_admin()
    token, text = _create(call, call.some_user("user_id"), impersonation=False, refused=422)
    return {**entities.token(token), "token": text}


@route("POST", "/user/personal_access_tokens", {**_NEW, "scopes": "list!"})
def create_own(call: Call) -> Any:
    """POST /user/personal_access_tokens: only two harmless scopes."""
    if not set(call["scopes"]) <= {"k8s_proxy", "self_rotate"}:
        invalid("scopes does not have a valid value")
    expires = call["expires_at"] or now().date() + dt.timedelta(days=1)
    call.params["expires_at"] = expires
    token, text = _create(call, call.me, impersonation=False, refused=422)
    return {**entities.token(token), "token": text}


@route(
    "GET",
    "/personal_access_tokens",
    {"user_id": "int", "revoked": "bool", "state": ("active", "inactive"), "search": "str"},
)
def list_tokens(call: Call) -> Any:
    """GET /personal_access_tokens: one's own, or everybody's for an administrator."""
    query = select(Token).where(Token.impersonation.is_(False)).order_by(Token.id)
    if not call.admin:
        if call["user_id"] not in {None, call.me.id}:
            fail(401, "401 Unauthorized")
        query = query.where(Token.user_id == call.me.id)
    elif call["user_id"] is not None:
        query = query.where(Token.user_id == call["user_id"])
    if call["revoked"] is not None:
        query = query.where(Token.revoked.is_(call["revoked"]))
    if call["search"]:
        query = query.where(Token.name.icontains(call["search"], autoescape=True))
    return pagination.of_query(
        call, _by_state(query, call["state"]), lambda rows: [entities.token(r) for r in rows]
    )


def _self(call: Call) -> Token:
    if call.token is None:
        not_found("Personal Access Token")
    token = call.session.get(Token, call.token.id)
    if token is None:
        not_found("Personal Access Token")
    return token


def _own_or_admin(call: Call) -> Token:
    wanted = call.route["id"]
    token = call.session.get(Token, int(wanted)) if wanted.isdigit() else None
    if token is None or (not call.admin and token.user_id != call.me.id):
        if call.admin:
            not_found()
        fail(401, "401 Unauthorized")
    return token


@route("GET", "/personal_access_tokens/self", scopes=("any",))
def get_self(call: Call) -> Any:
    """GET /personal_access_tokens/self."""
    return entities.token(_self(call))


@route("DELETE", "/personal_access_tokens/self", scopes=("any",))
def revoke_self(call: Call) -> Any:
    """DELETE /personal_access_tokens/self."""
    _self(call).revoked = True


@route("GET", "/personal_access_tokens/:id", scopes=("read_user",))
def get_token(call: Call) -> Any:
    """GET /personal_access_tokens/:id."""
    return entities.token(_own_or_admin(call))


@route("DELETE", "/personal_access_tokens/:id")
def revoke_token(call: Call) -> Any:
    """DELETE /personal_access_tokens/:id."""
    _own_or_admin(call).revoked = True


def _rotate(call: Call, old: Token) -> Reply:
    if old.revoked:
        # Somebody may have stolen it: nothing of its family stays alive.
        family: int | None = old.id
        while family is not None:
            successor = call.session.scalar(select(Token).where(Token.previous_id == family))
            if successor is not None:
                successor.revoked = True
            family = successor.id if successor else None
        return Reply(400, {"message": "400 Bad request - Token already revoked"})
    expires = call["expires_at"] or now().date() + dt.timedelta(days=7)
    prefix = call.site.setting(call.session, "personal_access_token_prefix") or ""
    try:
        new, text = make_token(
            old.user,
            name=old.name,
            scopes=old.scopes,
            expires_at=expires,
            prefix=prefix,
            description=old.description,
            impersonation=old.impersonation,
        )
    except TokenError as error:
        fail(400, f"400 Bad request - {error}")
    old.revoked = True
    new.previous_id = old.id
    call.session.add(new)
    call.session.flush()
    return Reply(200, {**entities.token(new), "token": text})


@route(
    "POST", "/personal_access_tokens/self/rotate", {"expires_at": "date"}, scopes=("self_rotate",)
)
def rotate_self(call: Call) -> Any:
    """POST /personal_access_tokens/self/rotate."""
    return _rotate(call, _self(call))


@route("POST", "/personal_access_tokens/:id/rotate", {"expires_at": "date"})
def rotate_token(call: Call) -> Any:
    """POST /personal_access_tokens/:id/rotate."""
    if (
        call.token is not None
        and call.token.id == _own_or_admin(call).id
        and "api" not in call.token.scopes
    ):
        forbidden()
    return _rotate(call, _own_or_admin(call))
