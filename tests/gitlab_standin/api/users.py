"""Accounts."""

import re
from typing import Any

from sqlalchemy import bindparam, func, literal, or_, select, union_all
from sqlalchemy.orm import selectinload

from gitlab_standin import security
from gitlab_standin.accounts import (
    RESERVED,
    USERNAME,
    delete_user,
    new_user,
    password_problem,
    save_new,
)
from gitlab_standin.api import entities, pagination
from gitlab_standin.api.core import Call, fail, forbidden, invalid, not_found, route
from gitlab_standin.models import Identity, Namespace, Project, User, now

_PROFILE = dict.fromkeys((*entities.PROFILE_FIELDS, "public_email", "commit_email", "note"), "str")
_FLAGS = (
    "active",
    "humans",
    "external",
    "blocked",
    "without_projects",
    "without_project_bots",
    "admins",
    "exclude_active",
    "exclude_external",
    "exclude_humans",
    "exclude_internal",
)
_BODY = {
    **_PROFILE,
    "email": "str",
    "name": "str",
    "username": "str",
    "password": "str",
    "extern_uid": "str",
    "provider": "str",
    "projects_limit": "int",
    "theme_id": "int",
    "color_scheme_id": "int",
    "admin": "bool",
    "can_create_group": "bool",
    "external": "bool",
    "private_profile": "bool",
    "avatar": "any",
}


def _taken() -> Any:
    """What of an account's names belongs to somebody else: one question, composed once."""
    people, spaces, links = (model.__table__ for model in (User, Namespace, Identity))
    own: Any = bindparam("own")
    name: Any = bindparam("name")
    return union_all(
        select(literal("email")).where(
            people.c.email_key == bindparam("email"), people.c.id != own
        ),
        select(literal("username")).where(people.c.username_key == name, people.c.id != own),
        select(literal("group")).where(spaces.c.full_path_key == name, spaces.c.kind == "group"),
        select(literal("identity")).where(
            links.c.provider == bindparam("provider"),
            links.c.extern_uid_key == bindparam("uid"),
            links.c.user_id != own,
        ),
    )


_TAKEN = _taken()
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _both_or_neither(call: Call) -> None:
    for one, other in (("extern_uid", "provider"), ("provider", "extern_uid")):
        if call[one] and not call[other]:
            invalid(f"{other} is missing")


def _look(call: Call, user: User | None = None) -> frozenset[str]:
    """What is taken already: ``email``, ``username``, ``group`` (by that name), ``identity``."""
    asked = {
        "email": (call["email"] or "").lower(),
        "name": (call["username"] or "").lower(),
        "provider": call["provider"],
        "uid": (call["extern_uid"] or "").lower(),
        "own": user.id if user is not None else 0,
    }
    return frozenset(call.session.connection().execute(_TAKEN, asked).scalars())


def _conflicts(taken: frozenset[str]) -> None:
    """409 where the address or the name belongs to somebody else; the address is named first."""
    for what, label in (("email", "Email"), ("username", "Username")):
        if what in taken:
            fail(409, f"{label} has already been taken")


def _problems(call: Call, taken: frozenset[str], user: User | None = None) -> dict[str, list[str]]:
    """What the model refuses, by field."""
    found: dict[str, list[str]] = {}
    if "email" in call and not _EMAIL.fullmatch(call["email"] or ""):
        found["email"] = ["is invalid"] if call["email"] else ["can't be blank"]
    if "name" in call and not (call["name"] or "").strip():
        found["name"] = ["can't be blank"]
    name = call["username"]
    if "username" in call and (user is None or user.username != name):
        if not name:
            found["username"] = ["can't be blank"]
        elif (
            len(name) > 255
            or not USERNAME.fullmatch(name)
            or name.lower().endswith((".git", ".atom"))
        ):
            found["username"] = [
                "can contain only letters, digits, '_', '-' and '.'. It must not start with '-', "
                "end in '.', '.git', or '.atom'."
            ]
        elif name.lower() in RESERVED:
            found["username"] = [f"{name} is a reserved name"]
        elif "group" in taken:
            found["base"] = ["A user, alias, or group already exists with that username."]
    if call["password"]:
        problem = password_problem(call["password"], call["username"] or "", call["email"] or "")
        if problem:
            found["password"] = [problem]
    return found


def _check_identity(taken: frozenset[str]) -> None:
    """400 when the identity belongs to somebody else."""
    if "identity" in taken:
        fail(400, {"identities.extern_uid": ["has already been taken"]})


def _set_identity(call: Call, user: User) -> None:
    """Find or make the provider's identity, then set its uid."""
    provider, uid = call["provider"], call["extern_uid"]
    if not provider:
        return
    for identity in user.identities:
        if identity.provider == provider:
            identity.extern_uid, identity.extern_uid_key = uid, uid.lower()
            return
    user.identities.append(Identity(provider=provider, extern_uid=uid))


def _set_attributes(call: Call, user: User) -> None:
    plain = ("name", "can_create_group", "external", "private_profile", "projects_limit")
    for name in plain:
        if call[name] is not None:
            setattr(user, name, call[name])
    if call["admin"] is not None:
        user.is_admin = call["admin"]
    kept = {k: call[k] for k in (*_PROFILE, "theme_id", "color_scheme_id") if k in call}
    if kept:
        user.profile = {**user.profile, **kept}


@route(
    "POST",
    "/users",
    {
        **_BODY,
        "email": "str!",
        "name": "str!",
        "username": "str!",
        "reset_password": "bool",
        "force_random_password": "bool",
        "skip_confirmation": "bool",
    },
)
def create_user(call: Call) -> Any:
    """POST /users."""
    admin = call.require_admin()
    if not (call["password"] or call["reset_password"] or call["force_random_password"]):
        invalid(
            "password, reset_password, force_random_password are missing, at least one "
            "parameter must be provided"
        )
    _both_or_neither(call)
    random = call["reset_password"] or call["force_random_password"]
    if random:
        call.params["password"] = None
    taken = _look(call)
    problems = _problems(call, taken)
    _conflicts(taken)
    if problems:
        fail(400, problems)
    settings = call.site.settings(call.session)
    _check_identity(taken)
    user = new_user(
        username=call["username"],
        name=call["name"],
        email=call["email"],
        created_by_id=admin.id,
        can_create_group=settings["can_create_group"],
        projects_limit=settings["default_projects_limit"],
        external=settings["user_default_external"],
        private_profile=settings["user_defaults_to_private_profile"],
        confirmed_at=now() if call["skip_confirmation"] else None,
        password_hash=security.hash_password(call["password"]) if call["password"] else None,
    )
    _set_attributes(call, user)
    _set_identity(call, user)
    save_new(call.session, user)
    return entities.user_with_admin(call.site, call.session, user)


@route("PUT", "/users/:id", {**_BODY, "skip_reconfirmation": "bool"})
def update_user(call: Call) -> Any:
    """PUT /users/:id."""
    admin = call.require_admin()
    user = call.some_user()
    _both_or_neither(call)
    taken = _look(call, user)
    _conflicts(taken)
    problems = _problems(call, taken, user)
    if problems:
        fail(400, problems)
    _check_identity(taken)
    if call["email"] and call["email"] != user.email:
        if call["skip_reconfirmation"]:
            user.email, user.email_key = call["email"], call["email"].lower()
        else:
            user.unconfirmed_email = call["email"]
    if call["username"] and call["username"] != user.username:
        user.username, user.username_key = call["username"], call["username"].lower()
        _move_namespace(call, user)
    if call["password"]:
        user.password_hash = security.hash_password(call["password"])
        # Another administrator's password must be changed at the next sign-in.
        user.password_expires_at = now() if admin.id != user.id else None
    _set_attributes(call, user)
    if call["name"]:
        user.namespace.name = call["name"]
    _set_identity(call, user)
    user.updated_at = now()
    call.session.flush()
    return entities.user_with_admin(call.site, call.session, user)


def _move_namespace(call: Call, user: User) -> None:
    namespace = user.namespace
    namespace.path = namespace.full_path = user.username
    namespace.full_path_key = user.username.lower()
    for project in call.session.scalars(
        select(Project).where(Project.namespace_id == namespace.id)
    ):
        project.full_path_key = f"{user.username}/{project.path}".lower()


@route(
    "GET",
    "/users",
    {
        **dict.fromkeys(("username", "extern_uid", "provider", "public_email", "search"), "str"),
        **dict.fromkeys(_FLAGS, "bool"),
        "created_after": "datetime",
        "created_before": "datetime",
        "order_by": ("id", "name", "username", "created_at", "updated_at"),
        "sort": ("asc", "desc"),
    },
    anonymous=True,
    scopes=("read_user",),
)  # fmt: skip
def list_users(call: Call) -> Any:
    """GET /users."""
    if call.user is None and not call["username"]:
        forbidden("Not authorized to access /api/v4/users")
    if (call["extern_uid"] or call["provider"]) and not call.admin:
        forbidden()
    _both_or_neither(call)
    query = select(User)
    if call["username"]:
        query = query.where(User.username_key == call["username"].lower())
    if call["extern_uid"]:
        query = query.where(
            User.id.in_(
                select(Identity.user_id).where(
                    Identity.provider == call["provider"],
                    Identity.extern_uid_key == call["extern_uid"].lower(),
                )
            )
        )
    if call["search"]:
        text = call["search"].lower()
        found = [User.username_key.contains(text, autoescape=True),
                 func.lower(User.name).contains(text, autoescape=True)]  # fmt: skip
        found.append(User.email_key == text)
        query = query.where(or_(*found))
    for name, condition in (
        ("active", User.state == "active"),
        ("blocked", User.state == "blocked"),
        ("external", User.external.is_(True)),
        ("exclude_active", User.state != "active"),
        ("exclude_external", User.external.is_(False)),
        ("without_projects", User.namespace_id.not_in(select(Project.namespace_id))),
    ):
        if call[name]:
            query = query.where(condition)
    column, descending = User.id, True
    if call.admin:
        if call["admins"]:
            query = query.where(User.is_admin.is_(True))
        if call["created_after"]:
            query = query.where(User.created_at > call["created_after"])
        if call["created_before"]:
            query = query.where(User.created_at < call["created_before"])
        column = getattr(User, call["order_by"] or "id")
        descending = (call["sort"] or "desc") == "desc"
    query = query.order_by(column.desc() if descending else column)

    def render(users: list[User]) -> list[Any]:
        if call.admin:
            _load_identities(call, users)
            return entities.users_with_admin(call.site, call.session, users)
        return [entities.user_basic(call.site, user) for user in users]

    return pagination.of_query(call, query, render, key=User.id, keyset_name="cursor", kind="User")


def _load_identities(call: Call, users: list[User]) -> None:
    """One query for the whole page."""
    ids = [user.id for user in users]
    call.session.scalars(
        select(User).where(User.id.in_(ids)).options(selectinload(User.identities))
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip


@route("GET", "/users/:id", scopes=("read_user",), anonymous=True)
def get_user(call: Call) -> Any:
    """GET /users/:id."""
    if call.user is None:
        forbidden("Not authorized!")
    user = call.some_user()
    if call.admin:
        return entities.user_with_admin(call.site, call.session, user)
    return entities.user_profile(call.site, user)


@route("DELETE", "/users/:id", {"hard_delete": "bool"})
def remove_user(call: Call) -> Any:
    """DELETE /users/:id."""
    call.require_admin()
    user = call.some_user()
    if not delete_user(call.site, call.session, user, hard=bool(call["hard_delete"])):
        fail(409, "User cannot be removed")
    return None


@route("GET", "/user", scopes=("read_user",))
def current_user(call: Call) -> Any:
    """GET /user."""
    if call.me.is_admin:
        return entities.user_with_admin(call.site, call.session, call.me)
    return entities.user_public(call.site, call.me)


@route("DELETE", "/users/:id/identities/:provider")
def remove_identity(call: Call) -> Any:
    """DELETE /users/:id/identities/:provider."""
    call.require_admin()
    user = call.some_user()
    for identity in user.identities:
        if identity.provider == call.route["provider"]:
            user.identities.remove(identity)
            return None
    not_found("Identity")
