"""The queue of grades: scores to send to platforms, scores sent, and the reasons of failures."""

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
"""About a day and a half; afterwards a teacher can start more tries."""


def pause(tries: int) -> float:
    """Return the delay after the given number of failures, seconds."""
    return min(RETRY_FIRST_SECONDS * 2.0 ** (tries - 1), RETRY_LONGEST_SECONDS)


@dataclass(frozen=True)
class Grade:
    """One learner's grade in one exercise.

    Attributes:
        score: score that the platform should have, 0..1.
        sent: score that the platform has; None: none yet.
        sent_at: when it was sent, seconds since 1970.
        tries: failures since the score changed.
        due: time of the next try, seconds since 1970.
        reason: reason of the last failure.
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
        """Whether the platform has the score."""
        return self.sent is not None and self.sent == self.score

    @property
    def failed(self) -> bool:
        """Whether the desk has given up sending the score."""
        return not self.delivered and self.tries >= MAX_TRIES


def _no_later(moment: float) -> ColumnElement[float]:
    """Return the earlier of the stored due time and ``moment``.

    A grade that is due already may be being sent; :meth:`GradeQueue.sent` ignores the result if the
    due time has become later.
    """
    return case((_grades.c.due < moment, _grades.c.due), else_=moment)


def _of(username: str, course: str, exercise: str) -> ColumnElement[bool]:
    """Return the condition for the grade of one learner in one exercise."""
    return (
        (_grades.c.username == username)
        & (_grades.c.course == course)
        & (_grades.c.exercise == exercise)
    )


class GradeQueue:
    """The table of grades. Methods block: call them in threads.

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
        """Queue a score; do nothing if it equals the stored one.

        Args:
            username: the learner.
            course: slug.
            exercise: the exercise's id.
            score: 0..1.
            connection: connection whose transaction is used; None: a new transaction.
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
        """Return up to ``most`` grades that are due, the longest waiting first."""
        owed = (_grades.c.sent.is_(None)) | (_grades.c.sent != _grades.c.score)
        ripe = (_grades.c.due <= time.time()) & (_grades.c.tries < MAX_TRIES)
        statement = select(_grades).where(owed & ripe).order_by(_grades.c.due).limit(most)
        with self._engine.connect() as connection:
            return [Grade(**row._mapping) for row in connection.execute(statement)]

    def of_course(self, course: str) -> dict[tuple[str, str], Grade]:
        """Return all grades of a course by (username, exercise)."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_grades).where(_grades.c.course == course))
            return {(row.username, row.exercise): Grade(**row._mapping) for row in rows}

    def find(self, username: str, course: str, exercise: str) -> Grade | None:
        """Return a learner's grade in an exercise, if it has one."""
        chosen = _of(username, course, exercise)
        with self._engine.connect() as connection:
            row = connection.execute(select(_grades).where(chosen)).one_or_none()
        return Grade(**row._mapping) if row is not None else None

    def sent(self, grade: Grade) -> None:
        """Record that the platform accepted the score; a score changed since then remains due.

        Do nothing if a launch has changed the destination since the grade was read (see
        :meth:`wake`): the new destination has no score yet.
        """
        here = (_grades.c.due <= grade.due) | (_grades.c.score != grade.score)
        now = time.time()
        self._set(grade, here, sent=grade.score, sent_at=now, tries=0, due=now, reason="")

    def failed(self, grade: Grade, reason: str) -> None:
        """Record a failure and schedule the next try."""
        tries = grade.tries + 1
        self._set(grade, tries=tries, due=time.time() + pause(tries), reason=reason[:500])

    def postpone(self, grade: Grade, reason: str) -> None:
        """Postpone a grade without a try: its platform has just not answered for another one."""
        later = time.time() + pause(max(grade.tries, 1))
        self._set(grade, due=later, reason=reason[:500])

    def _set(
        self, grade: Grade, where: ColumnElement[bool] | None = None, **values: float | str
    ) -> None:
        chosen = _of(grade.username, grade.course, grade.exercise)
        if where is not None:
            chosen &= where
        with self._engine.begin() as connection:
            connection.execute(update(_grades).where(chosen).values(**values))

    def wait_for_arrival(self, grade: Grade) -> None:
        """Suspend a grade without a destination until a launch provides one (see :meth:`wake`)."""
        # A later due time means that such a launch has come since the grade was read.
        self._set(grade, _grades.c.due <= grade.due, due=float("inf"))

    def wake(
        self, username: str, course: str, exercise: str, *, address_changed: bool = False
    ) -> None:
        """Make a grade due after a launch that provided its destination.

        Args:
            username: the learner.
            course: slug.
            exercise: the exercise's id.
            address_changed: the platform gave a new address, which has no score yet.
        """
        chosen = _of(username, course, exercise)
        now = time.time()
        values = (
            {"due": now, "sent": None, "sent_at": None}
            if address_changed
            else {"due": _no_later(now)}
        )
        with self._engine.begin() as connection:
            connection.execute(update(_grades).where(chosen).values(tries=0, **values))

    def try_again(self, course: str) -> None:
        """Make a course's failed grades due now."""
        owed = (_grades.c.sent.is_(None)) | (_grades.c.sent != _grades.c.score)
        chosen = (_grades.c.course == course) & owed & (_grades.c.reason != "")
        with self._engine.begin() as connection:
            now = _no_later(time.time())
            connection.execute(update(_grades).where(chosen).values(due=now, tries=0))
