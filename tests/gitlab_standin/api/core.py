"""What an API handler is given, and what it may answer."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import unquote

from sqlalchemy.orm import Session

from gitlab_standin import access
from gitlab_standin import site as site_module
from gitlab_standin.models import Namespace, Project, Token, User
from gitlab_standin.site import Site


class ApiError(Exception):
    """An answer other than success: status and body."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def fail(status: int, message: Any) -> NoReturn:
    """Answer ``{"message": ...}``."""
    raise ApiError(status, {"message": message})


def not_found(what: str | None = None) -> NoReturn:
    """404, naming the kind of thing."""
    fail(404, f"404 {what} Not Found" if what else "404 Not Found")


def forbidden(reason: str | None = None) -> NoReturn:
    """403, with a reason where GitLab gives one."""
    fail(403, f"403 Forbidden - {reason}" if reason else "403 Forbidden")


def invalid(text: str) -> NoReturn:
    """400 of the parameter check."""
    raise ApiError(400, {"error": text})


@dataclass
class Reply:
    """A body that is not JSON, or a status that is not the usual one."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


@dataclass
class Call:
    """One request to the API."""

    site: Site
    session: Session
    method: str
    path: str
    route: Mapping[str, str]
    params: dict[str, Any]
    user: User | None
    token: Token | None
    headers: dict[str, str] = field(default_factory=dict)
    settings_changed: bool = False
    """Whether the handler changed application settings."""

    def __getitem__(self, name: str) -> Any:
        return self.params.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self.params

    @property
    def me(self) -> User:
        """The caller; 401 for anonymous ones."""
        if self.user is None:
            fail(401, "401 Unauthorized")
        return self.user

    @property
    def admin(self) -> bool:
        """Whether the caller administers the instance."""
        return self.user is not None and self.user.is_admin

    def require_admin(self) -> User:
        """The caller, an administrator; else 403."""
        if not self.me.is_admin:
            forbidden()
        return self.me

    def project(self, level: int = 0, name: str = "id") -> Project:
        """The project of the address: 404 when the caller cannot see it, 403 without the role."""
        project = site_module.find_project(self.session, self.route[name])
        if project is None or not access.visible(self.session, self.user, project):
            not_found("Project")
        if level and not access.administers(self.session, self.me, project, level):
            forbidden()
        return project

    def code_project(self) -> Project:
        """The project of the address, whose files the caller may read."""
        project = self.project()
        if not access.can_read_code(self.session, self.user, project):
            forbidden() if self.user else fail(401, "401 Unauthorized")
        return project

    def group(self, level: int = 0) -> Namespace:
        """The group of the address."""
        group = site_module.find_group(self.session, self.route["id"])
        if group is None or not access.group_visible(self.session, self.user, group):
            not_found("Group")
        if (
            level
            and not self.me.is_admin
            and access.group_level(self.session, self.me, group) < level
        ):
            forbidden()
        return group

    def some_user(self, name: str = "id") -> User:
        """The user whose id stands in the address."""
        if not self.route[name].isdigit():
            invalid(f"{name} is invalid")
        user = self.session.get(User, int(self.route[name]))
        if user is None:
            not_found("User")
        return user


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Route:
    """One operation. ``segments`` are as in the address.

    ``:x`` takes one part, ``*x`` one or more.
    """

    method: str
    segments: tuple[str, ...]
    handler: Handler
    parameters: Mapping[str, Any]
    anonymous: bool
    scopes: tuple[str, ...]

    def match(self, parts: list[str]) -> dict[str, str] | None:
        """The decoded variables when the address fits."""
        found: dict[str, str] = {}
        star = next((i for i, s in enumerate(self.segments) if s.startswith("*")), None)
        if star is not None:
            extra = len(parts) - len(self.segments)
            if extra < 0:
                return None
            parts = [
                *parts[:star],
                "/".join(parts[star : star + extra + 1]),
                *parts[star + extra + 1 :],
            ]
        if len(parts) != len(self.segments):
            return None
        for segment, part in zip(self.segments, parts, strict=True):
            if segment[0] in ":*":
                found[segment[1:]] = unquote(part)
            elif segment != part:
                return None
        return found


ROUTES: list[Route] = []


def route(
    method: str,
    path: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    anonymous: bool = False,
    scopes: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare an operation.

    ``parameters`` maps names to a kind: ``str int bool date datetime list obj any`` or a tuple of
    allowed values; ``!`` after a kind makes it required. ``scopes`` are the token scopes that
    suffice besides ``api`` (and ``read_api`` for reading).
    """

    def register(handler: Handler) -> Handler:
        segments = tuple(part for part in path.split("/") if part)
        ROUTES.append(Route(method, segments, handler, parameters or {}, anonymous, scopes))
        return handler

    return register


def _convert(name: str, kind: Any, value: Any) -> Any:
    if value is None or (value == "" and kind not in {"str", "any"}):
        return None
    if isinstance(kind, tuple):
        allowed = [item for item in kind if item != "!"]
        for item in allowed:
            if str(item) == str(value):
                return item
        invalid(f"{name} does not have a valid value")
    base = kind.rstrip("!")
    try:
        if base == "int":
            if isinstance(value, bool):
                raise ValueError
            return int(value)
        if base == "bool":
            return {
                "true": True,
                "1": True,
                "t": True,
                "on": True,
                "false": False,
                "0": False,
                "f": False,
                "off": False,
            }[str(value).lower()]
        if base == "date":
            return dt.date.fromisoformat(str(value)[:10])
        if base == "datetime":
            moment = dt.datetime.fromisoformat(str(value))
            return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        if base == "list":
            return (
                [p.strip() for p in value.split(",") if p.strip()]
                if isinstance(value, str)
                else list(value)
            )
        if base == "obj" and not isinstance(value, dict):
            raise ValueError
        if base == "str":
            if isinstance(value, (dict, list)):
                raise ValueError
            return str(value)
    except (ValueError, KeyError, TypeError):
        invalid(f"{name} is invalid")
    return value


def check_parameters(declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The declared parameters, converted; 400 naming the first that is missing or wrong."""
    missing = [
        f"{name} is missing"
        for name, kind in declared.items()
        if ("!" in kind) and name not in given
    ]
    if missing:
        invalid(", ".join(missing))
    return {
        name: _convert(name, kind, given[name]) for name, kind in declared.items() if name in given
    }
