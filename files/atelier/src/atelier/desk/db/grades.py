"""The queue of grades: what is owed to a platform, what was sent, what failed and why."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, case, select, update
from sqlalchemy.dialects.sqlite import insert

from atelier.desk.db import tables

_grades = tables.grades
RETRY_FIRST_SECONDS = 15.0
RETRY_LONGEST_SECONDS = 3600.0
MAX_TRIES = 40
"""About a day and a half; a teacher may have it tried again."""


def pause(tries: int) -> float:
    """Seconds to wait after that many failures."""
    return min(RETRY_FIRST_SECONDS * 2.0 ** (tries - 1), RETRY_LONGEST_SECONDS)


@dataclass(frozen=True)
class Grade:
    """One learner's grade in one exercise.

    Attributes:
        score: 0..1, what the platform should have.
        sent: what it has; None: nothing yet.
        sent_at: since when, seconds since 1970.
        tries: failures since the score changed.
        due: when to try next, seconds since 1970.
        reason: of the last failure.
    """

    username: str
    course: str
    exercise: str
    score: float
    sent: float | None
    sent_at: float | None
    tries: int
    due: float
    reason: str

    @property
    def delivered(self) -> bool:
        """Whether the platform has it."""
        return self.sent is not None and self.sent == self.score

    @property
    def failed(self) -> bool:
        """Whether it is no longer tried."""
        return not self.delivered and self.tries >= MAX_TRIES


def _no_later(moment: float) -> ColumnElement[float]:
    """What is due before stays so: it may be on its way."""
    return case((_grades.c.due < moment, _grades.c.due), else_=moment)


class GradeQueue:
    """A table that outlives the desk. Methods block: call them in threads.

    Args:
        engine: the desk's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def owe(
        self,
        username: str,
        course: str,
        exercise: str,
        score: float,
        connection: Connection | None = None,
    ) -> None:
        """A score the platform should have; the same as before changes nothing.

        Args:
            username: whose.
            course: of which course.
            exercise: of which exercise.
            score: 0..1.
            connection: a transaction it becomes part of; None: one of its own.
        """
        fresh = {"score": score, "tries": 0, "due": time.time(), "reason": ""}
        statement = insert(_grades).values(
            username=username, course=course, exercise=exercise, **fresh
        )
        statement = statement.on_conflict_do_update(
            index_elements=["username", "course", "exercise"],
            set_=fresh,
            where=_grades.c.score != score,
        )
        with nullcontext(connection) if connection else self._engine.begin() as open_one:
            open_one.execute(statement)

    def due(self, most: int) -> list[Grade]:
        """What should be sent now, the longest waiting first."""
        owed = (_grades.c.sent.is_(None)) | (_grades.c.sent != _grades.c.score)
        ripe = (_grades.c.due <= time.time()) & (_grades.c.tries < MAX_TRIES)
        statement = select(_grades).where(owed & ripe).order_by(_grades.c.due).limit(most)
        with self._engine.connect() as connection:
            return [Grade(**row._mapping) for row in connection.execute(statement)]

    def of_course(self, course: str) -> dict[tuple[str, str], Grade]:
        """All grades of a course, by (username, exercise)."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_grades).where(_grades.c.course == course))
            return {(row.username, row.exercise): Grade(**row._mapping) for row in rows}

    def sent(self, grade: Grade) -> None:
        """The platform has taken it. What changed meanwhile is still owed.

        So is what a launch told to go elsewhere meanwhile (see :meth:`wake`): that place has
        nothing yet.
        """
        here = (_grades.c.due <= grade.due) | (_grades.c.score != grade.score)
        now = time.time()
        self._set(grade, here, sent=grade.score, sent_at=now, tries=0, due=now, reason="")

    def failed(self, grade: Grade, reason: str) -> None:
        """It has not; it is tried again later."""
        tries = grade.tries + 1
        self._set(grade, tries=tries, due=time.time() + pause(tries), reason=reason[:500])

    def put_off(self, grade: Grade, reason: str) -> None:
        """It was not tried: its platform has just not answered about another."""
        later = time.time() + pause(max(grade.tries, 1))
        self._set(grade, due=later, reason=reason[:500])

    def _set(
        self, grade: Grade, where: ColumnElement[bool] | None = None, **values: float | str
    ) -> None:
        chosen = (
            (_grades.c.username == grade.username)
            & (_grades.c.course == grade.course)
            & (_grades.c.exercise == grade.exercise)
        )
        if where is not None:
            chosen &= where
        with self._engine.begin() as connection:
            connection.execute(update(_grades).where(chosen).values(**values))

    def wait_for_arrival(self, grade: Grade) -> None:
        """The platform never said where this grade goes: a launch that says so makes it due."""
        self._set(grade, _grades.c.due <= grade.due, due=float("inf"))  # none came meanwhile

    def wake(self, username: str, course: str, exercise: str, *, anew: bool = False) -> None:
        """A launch said where a grade goes: what waited for that is due.

        Args:
            username: whose.
            course: of which course.
            exercise: of which exercise.
            anew: whether that is another place than before, which has nothing yet.
        """
        chosen = (
            (_grades.c.username == username)
            & (_grades.c.course == course)
            & (_grades.c.exercise == exercise)
        )
        now = time.time()
        values = {"due": now, "sent": None, "sent_at": None} if anew else {"due": _no_later(now)}
        with self._engine.begin() as connection:
            connection.execute(update(_grades).where(chosen).values(tries=0, **values))

    def try_again(self, course: str) -> None:
        """What failed in a course is due at once."""
        owed = (_grades.c.sent.is_(None)) | (_grades.c.sent != _grades.c.score)
        chosen = (_grades.c.course == course) & owed & (_grades.c.reason != "")
        with self._engine.begin() as connection:
            now = _no_later(time.time())
            connection.execute(update(_grades).where(chosen).values(due=now, tries=0))
