"""What the desk must remember over a restart: spaces asked for, and credentials to revoke.

No secret is here: names, addresses and numbers only.
"""

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
    """A space somebody asked for."""

    username: str
    course: str
    name: str
    email: str


@dataclass(frozen=True)
class Record:
    """What is known of a space."""

    request: Request
    ready: bool
    project: str
    url: str
    branch: str
    reason: str
    """Why the last attempt failed; empty when it did not."""
    checked: float
    """When GitLab last said it is there, seconds since 1970."""


class SpaceRepository:
    """Tables of spaces and of credentials that servers were lent. Methods block.

    Args:
        engine: the desk's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, request: Request) -> None:
        """Record that a space is wanted; one that is ready stays so."""
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
        """What is known of a space."""
        chosen = (_spaces.c.username == username) & (_spaces.c.course == course)
        found = self._select(select(_spaces).where(chosen))
        return found[0] if found else None

    def spaces_of(self, username: str) -> list[Record]:
        """A learner's spaces, by course."""
        chosen = select(_spaces).where(_spaces.c.username == username)
        return self._select(chosen.order_by(_spaces.c.course))

    def pending(self) -> list[Record]:
        """Spaces wanted and not ready, in no order."""
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
        """A space is there."""
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
        """An attempt failed; a space that was ready stays so."""
        self._set(request, {"reason": reason[:1000]})

    def _set(self, request: Request, values: dict[str, object]) -> None:
        chosen = (_spaces.c.username == request.username) & (_spaces.c.course == request.course)
        with self._engine.begin() as connection:
            connection.execute(update(_spaces).where(chosen).values(**values))

    def lend(self, username: str, course: str) -> None:
        """A server is given credentials."""
        statement = insert(_lent).values(username=username, course=course)
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_nothing())

    def owe_all_lent(self) -> None:
        """All credentials that servers were given must be revoked."""
        with self._engine.begin() as connection:
            for row in connection.execute(select(_lent)).all():
                statement = insert(_revocations).values(username=row.username, course=row.course)
                connection.execute(statement.on_conflict_do_nothing())

    def replaced(self, username: str, course: str) -> None:
        """New credentials took the place of those that were to be revoked."""
        chosen = (_revocations.c.username == username) & (_revocations.c.course == course)
        with self._engine.begin() as connection:
            connection.execute(delete(_revocations).where(chosen))

    def owe_revocation(self, username: str, course: str) -> None:
        """Credentials of a server must be revoked, now or when GitLab is back."""
        statement = insert(_revocations).values(username=username, course=course)
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_nothing())

    def revoked(self, username: str, course: str) -> None:
        """They are."""
        self.replaced(username, course)
        chosen = (_lent.c.username == username) & (_lent.c.course == course)
        with self._engine.begin() as connection:
            connection.execute(delete(_lent).where(chosen))

    def owed_revocations(self) -> list[tuple[str, str]]:
        """(username, course) whose credentials are still to be revoked."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_revocations)).all()
        return [(row.username, row.course) for row in rows]
