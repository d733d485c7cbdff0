"""Launches as the hub tells the desk of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atelier.desk.db.answers import Arrival
from atelier.desk.db.spaces import Request
from atelier.desk.errors import RefusedError
from atelier.identity import is_username


@dataclass(frozen=True)
class LaunchMessage:
    """A launch.

    Attributes:
        arrival: who launched what, and where the platform takes the grade.
        name: theirs.
        email: theirs.
        staff: whether they teach the course.
        prepare: whether their space is to be begun.
    """

    arrival: Arrival
    name: str
    email: str
    staff: bool
    prepare: bool

    @property
    def space(self) -> Request:
        """The space that belongs to it."""
        return Request(self.arrival.username, self.arrival.course, self.name, self.email)


def need_texts(data: Mapping[str, Any], *names: str) -> None:
    """Refuse what lacks one of these fields, each a string that is not empty.

    Raises:
        RefusedError: it lacks one.
    """
    for name in names:
        value = data.get(name)
        if not isinstance(value, str) or not value or len(value) > 255 or not value.isprintable():
            raise RefusedError(400, f"{name}: a string of 1 to 255 printable characters is needed")


def _is_unicode(text: str) -> bool:
    """Whether a text can be stored: JSON can hold halves of characters, a database cannot."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def read_launch(data: Any) -> LaunchMessage:
    """Read one launch.

    Raises:
        RefusedError: it is none; the reason names the field.
    """
    if not isinstance(data, dict):
        raise RefusedError(400, "a launch: not an object")
    need_texts(data, "username", "name", "email", "course", "consumer")
    if not is_username(data["username"]):
        raise RefusedError(400, "username: not one of ours")
    for name in ("exercise", "outcome_url", "sourcedid"):
        if not isinstance(data.get(name), str) or not _is_unicode(data[name]):
            raise RefusedError(400, f"{name}: a string is needed")
    if not isinstance(data.get("at"), int | float):
        raise RefusedError(400, "at: a number is needed")
    services = data.get("services")
    return LaunchMessage(
        arrival=Arrival(
            username=data["username"],
            course=data["course"],
            exercise=data["exercise"],
            consumer=data["consumer"],
            outcome_url=data["outcome_url"],
            sourcedid=data["sourcedid"],
            services=services if isinstance(services, dict) else None,
            at=float(data["at"]),
        ),
        name=data["name"],
        email=data["email"],
        staff=data.get("staff") is True,
        prepare=data.get("prepare") is True,
    )
