"""Stores spaces and the servers whose credentials must be revoked; contains no secrets."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from atelier.desk.db import tables

_spaces = tables.spaces
_revocations = tables.revocations
_lent = tables.lent


@dataclass(frozen=True)
class Request:
    """A request for a learner's space in a course."""

    username: str
    course: str
    name: str
    email: str


@dataclass(frozen=True)
class Record:
    """A stored space."""

    request: Request
    ready: bool
    project: str
    url: str
    branch: str
    reason: str
    """Why the last attempt failed; empty if it did not fail."""
    checked: float
    """When GitLab last confirmed that the space exists, seconds since 1970."""


class SpaceRepository:
    """Tables of spaces, issued credentials and pending revocations. Methods block.

    Args:
        engine: the desk's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, request: Request) -> None:
        """Record a request for a space; a ready space stays ready."""
        values = {
            "username": request.username,
            "course": request.course,
            "name": request.name,
            "email": request.email,
        }
        statement = insert(_spaces).values(**values, state="asked")
        statement = statement.on_conflict_do_update(
            index_elements=["username", "course"],
            set_={"name": request.name, "email": request.email},
        )
        with self._engine.begin() as connection:
            connection.execute(statement)

    def find(self, username: str, course: str) -> Record | None:
        """Return a learner's space in a course, or None if it was never requested."""
        chosen = (_spaces.c.username == username) & (_spaces.c.course == course)
        found = self._select(select(_spaces).where(chosen))
        return found[0] if found else None

    def spaces_of(self, username: str) -> list[Record]:
        """Return a learner's spaces, sorted by course."""
        chosen = select(_spaces).where(_spaces.c.username == username)
        return self._select(chosen.order_by(_spaces.c.course))

    def pending(self) -> list[Record]:
        """Return the spaces that are not ready yet, in no particular order."""
        return self._select(select(_spaces).where(_spaces.c.state != "ready"))

    def _select(self, statement: object) -> list[Record]:
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()  # type: ignore[call-overload]
        return [
            Record(
                request=Request(row.username, row.course, row.name, row.email),
                ready=row.state == "ready",
                project=row.project,
                url=row.url,
                branch=row.branch,
                reason=row.reason,
                checked=row.checked,
            )
            for row in rows
        ]

    def succeed(self, request: Request, *, project: str, url: str, branch: str) -> None:
        """Record that a space is ready."""
        self._set(
            request,
            {
                "state": "ready",
                "project": project,
                "url": url,
                "branch": branch,
                "reason": "",
                "checked": time.time(),
            },
        )

    def fail(self, request: Request, reason: str) -> None:
        """Record a failed attempt; a ready space stays ready."""
        self._set(request, {"reason": reason[:1000]})

    def _set(self, request: Request, values: dict[str, object]) -> None:
        chosen = (_spaces.c.username == request.username) & (_spaces.c.course == request.course)
        with self._engine.begin() as connection:
            connection.execute(update(_spaces).where(chosen).values(**values))

    def record_issued(self, username: str, course: str) -> None:
        """Record that a server gets credentials."""
        statement = insert(_lent).values(username=username, course=course)
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_nothing())

    def schedule_all_revocations(self) -> None:
        """Schedule the revocation of all issued credentials."""
        with self._engine.begin() as connection:
            for row in connection.execute(select(_lent)).all():
                statement = insert(_revocations).values(username=row.username, course=row.course)
                connection.execute(statement.on_conflict_do_nothing())

    def cancel_revocation(self, username: str, course: str) -> None:
        """Cancel a pending revocation: new credentials have replaced the old ones."""
        chosen = (_revocations.c.username == username) & (_revocations.c.course == course)
        with self._engine.begin() as connection:
            connection.execute(delete(_revocations).where(chosen))

    def schedule_revocation(self, username: str, course: str) -> None:
        """Schedule the revocation of a server's credentials."""
        statement = insert(_revocations).values(username=username, course=course)
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_nothing())

    def record_revoked(self, username: str, course: str) -> None:
        """Record that a server's credentials were revoked."""
        self.cancel_revocation(username, course)
        chosen = (_lent.c.username == username) & (_lent.c.course == course)
        with self._engine.begin() as connection:
            connection.execute(delete(_lent).where(chosen))

    def pending_revocations(self) -> list[tuple[str, str]]:
        """Return (username, course) of the pending revocations."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_revocations)).all()
        return [(row.username, row.course) for row in rows]
