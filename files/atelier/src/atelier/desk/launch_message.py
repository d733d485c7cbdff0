"""Reads the launches that the hub reports to the desk."""

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
        arrival: the learner, the exercise, and the address for the grade.
        name: display name.
        email: e-mail address.
        staff: whether the person teaches the course.
        prepare: whether the desk starts to prepare the space.
    """

    arrival: Arrival
    name: str
    email: str
    staff: bool
    prepare: bool

    @property
    def space(self) -> Request:
        """The request for the learner's space."""
        return Request(self.arrival.username, self.arrival.course, self.name, self.email)


def require_texts(data: Mapping[str, Any], *names: str) -> None:
    """Check that the named fields are strings of 1 to 255 printable characters.

    Raises:
        RefusedError: a field is missing or invalid.
    """
    for name in names:
        value = data.get(name)
        if not isinstance(value, str) or not value or len(value) > 255 or not value.isprintable():
            raise RefusedError(400, f"{name}: a string of 1 to 255 printable characters is needed")


def _is_unicode(text: str) -> bool:
    """Return whether a text has no lone surrogates: JSON may hold them, a database may not."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def read_launch(data: Any) -> LaunchMessage:
    """Read one launch.

    Raises:
        RefusedError: the message is invalid; the reason names the field.
    """
    if not isinstance(data, dict):
        raise RefusedError(400, "a launch: not an object")
    require_texts(data, "username", "name", "email", "course", "consumer")
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
