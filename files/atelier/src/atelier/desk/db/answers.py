"""Stores launches, attempts and rechecks of exercises; contains no secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, case, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from atelier.desk.db import tables

_arrivals = tables.arrivals
_people = tables.people
_attempts = tables.attempts
_rechecks = tables.rechecks


def _of(username: str, course: str, exercise: str) -> Any:
    """Return the condition for the attempts of one learner at one exercise."""
    return (
        (_attempts.c.username == username)
        & (_attempts.c.course == course)
        & (_attempts.c.exercise == exercise)
    )


@dataclass(frozen=True)
class Arrival:
    """A launch with the platform's address for the grade.

    Attributes:
        exercise: the exercise's id; empty: the launch named none.
        consumer: key of the consumer or registration.
        outcome_url: LTI 1.1's ``lis_outcome_service_url``; empty: the platform takes no grade.
        sourcedid: LTI 1.1's ``lis_result_sourcedid``.
        services: LTI 1.3: the platform's grade service as the hub sent it; None: it has none.
        at: time of the launch, seconds since 1970.
    """

    username: str
    course: str
    exercise: str
    consumer: str
    outcome_url: str
    sourcedid: str
    services: Mapping[str, Any] | None
    at: float


@dataclass(frozen=True)
class Attempt:
    """One check of one answer.

    Attributes:
        commit: the commit that was checked.
        committed: the commit's date from GitLab (ISO 8601).
        checked: time of the check, seconds since 1970.
        digest: digest of everything that determines the result; a check with the same digest as
            the latest attempt is not a new attempt.
        score: 0..1.
        comparison: the full comparison, for the latest attempt only; never sent to a browser
            without :func:`atelier.exercises.reveal.reveal`.
    """

    username: str
    course: str
    exercise: str
    commit: str
    committed: str
    checked: float
    digest: str
    score: float
    comparison: Mapping[str, Any] | None = None
    id: int = 0


@dataclass(frozen=True)
class Standing:
    """A learner's progress in an exercise: number of attempts, best score, latest attempt."""

    username: str
    exercise: str
    attempts: int
    best: float
    last: Attempt


class AnswerRepository:
    """Tables of launches, people, attempts and rechecks. Methods block: call them in threads.

    Args:
        engine: the desk's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record_launches(self, launches: Sequence[tuple[Arrival, str, bool]]) -> list[bool]:
        """Record launches: name and role of the person, and the address for the grade.

        A launch without an address for the grade keeps the stored one.

        Args:
            launches: launch, name of the person, and whether the person teaches the course.

        Returns:
            For each launch, whether the address for the grade is new or has changed.
        """
        with self._engine.begin() as connection:
            return [self._record_launch(connection, *one) for one in launches]

    @staticmethod
    def _record_launch(connection: Connection, arrival: Arrival, name: str, staff: bool) -> bool:
        person = {"name": name, "staff": staff, "consumer": arrival.consumer}
        statement = insert(_people).values(
            username=arrival.username, course=arrival.course, **person
        )
        connection.execute(
            statement.on_conflict_do_update(index_elements=["username", "course"], set_=person)
        )
        if not arrival.exercise or not (arrival.sourcedid or arrival.services):
            return False
        address = {
            "consumer": arrival.consumer,
            "outcome_url": arrival.outcome_url,
            "sourcedid": arrival.sourcedid,
            "services": arrival.services,
            "at": arrival.at,
        }
        before = connection.execute(
            select(_arrivals).where(
                _arrivals.c.username == arrival.username,
                _arrivals.c.course == arrival.course,
                _arrivals.c.exercise == arrival.exercise,
            )
        ).one_or_none()
        if before is not None and before.at > arrival.at:
            return False
        keep = insert(_arrivals).values(
            username=arrival.username,
            course=arrival.course,
            exercise=arrival.exercise,
            **address,
        )
        connection.execute(
            keep.on_conflict_do_update(
                index_elements=["username", "course", "exercise"],
                set_=address,
            )
        )
        same = before is not None and all(
            before._mapping[field] == value for field, value in address.items() if field != "at"
        )
        return not same

    def arrival(self, username: str, course: str, exercise: str) -> Arrival | None:
        """Return the launch with the address for a learner's grade, or None."""
        chosen = (
            (_arrivals.c.username == username)
            & (_arrivals.c.course == course)
            & (_arrivals.c.exercise == exercise)
        )
        with self._engine.connect() as connection:
            row = connection.execute(select(_arrivals).where(chosen)).one_or_none()
        return Arrival(**row._mapping) if row is not None else None

    def is_staff(self, username: str, course: str) -> bool:
        """Return whether the person had a teacher's role in their latest launch of the course."""
        chosen = (_people.c.username == username) & (_people.c.course == course)
        with self._engine.connect() as connection:
            return bool(connection.execute(select(_people.c.staff).where(chosen)).scalar())

    def launch_keys(self, username: str) -> dict[str, str]:
        """Return the keys of the consumers or registrations of a person's latest launches.

        Returns:
            Keys by course; a key is empty if an earlier version did not record it.
        """
        with self._engine.connect() as connection:
            rows = connection.execute(select(_people).where(_people.c.username == username))
            return {row.course: row.consumer for row in rows}

    def names(self, course: str) -> dict[str, str]:
        """Return the names of the people who have launched a course, by username."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_people).where(_people.c.course == course))
            return {row.username: row.name for row in rows}

    def record(
        self, attempt: Attempt, owe: Callable[[Connection, float], None] | None = None
    ) -> None:
        """Record a check, and drop the comparison of the previous attempt.

        A check with the digest of the latest attempt replaces that attempt.

        Args:
            attempt: the attempt.
            owe: called with the connection and the best score so far, in the same transaction, so
                that either both the attempt and the grade are stored, or neither.
        """
        mine = _of(attempt.username, attempt.course, attempt.exercise)
        values = {
            "commit": attempt.commit,
            "committed": attempt.committed,
            "checked": attempt.checked,
            "digest": attempt.digest,
            "score": attempt.score,
            "comparison": json.dumps(attempt.comparison),
        }
        with self._engine.begin() as connection:
            latest = connection.execute(
                select(_attempts.c.id, _attempts.c.digest)
                .where(mine)
                .order_by(_attempts.c.id.desc())
                .limit(1)
            ).one_or_none()
            if latest is not None and latest.digest == attempt.digest:
                connection.execute(
                    update(_attempts).where(_attempts.c.id == latest.id).values(**values)
                )
            else:
                connection.execute(update(_attempts).where(mine).values(comparison=None))
                connection.execute(
                    _attempts.insert().values(
                        username=attempt.username,
                        course=attempt.course,
                        exercise=attempt.exercise,
                        **values,
                    )
                )
            if owe is not None:
                best = connection.execute(select(func.max(_attempts.c.score)).where(mine))
                owe(connection, float(best.scalar_one()))

    def attempts(self, username: str, course: str, exercise: str) -> list[Attempt]:
        """Return all attempts of a learner at an exercise, oldest first, without comparisons."""
        columns = [column for column in _attempts.c if column.name != "comparison"]
        chosen = _of(username, course, exercise)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).where(chosen).order_by(_attempts.c.id))
            return [Attempt(**row._mapping) for row in rows]

    def regrade(self, attempt: Attempt) -> None:
        """Replace an attempt's result after a recheck."""
        kept = case((_attempts.c.comparison.is_(None), None), else_=json.dumps(attempt.comparison))
        with self._engine.begin() as connection:
            connection.execute(
                update(_attempts)
                .where(_attempts.c.id == attempt.id)
                .values(digest=attempt.digest, score=attempt.score, comparison=kept)
            )

    def latest(self, username: str, course: str, exercise: str) -> Attempt | None:
        """Return a learner's latest attempt at an exercise, with its comparison."""
        chosen = _of(username, course, exercise)
        statement = select(_attempts).where(chosen).order_by(_attempts.c.id.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        comparison = json.loads(row.comparison) if row.comparison else None
        return Attempt(**{**row._mapping, "comparison": comparison})

    def standings(
        self, course: str, *, username: str | None = None, exercise: str | None = None
    ) -> list[Standing]:
        """Return the standings in a course, without comparisons.

        Args:
            course: slug.
            username: only this learner's standings.
            exercise: only the standings in this exercise.
        """
        chosen = _attempts.c.course == course
        if username is not None:
            chosen &= _attempts.c.username == username
        if exercise is not None:
            chosen &= _attempts.c.exercise == exercise
        group = select(
            func.max(_attempts.c.id).label("id"),
            func.count().label("count"),
            func.max(_attempts.c.score).label("best"),
        )
        grouped = group.where(chosen).group_by(_attempts.c.username, _attempts.c.exercise)
        per = grouped.subquery()
        columns = [column for column in _attempts.c if column.name != "comparison"]
        statement = (
            select(*columns, per.c.count.label("made"), per.c.best)
            .join(per, per.c.id == _attempts.c.id)
            .order_by(_attempts.c.username, _attempts.c.exercise)
        )
        found = []
        with self._engine.connect() as connection:
            for row in connection.execute(statement):
                values = dict(row._mapping)
                made, best = values.pop("made"), values.pop("best")
                found.append(Standing(row.username, row.exercise, made, best, Attempt(**values)))
        return found

    def ask_rechecks(self, course: str, exercise: str) -> int:
        """Schedule a recheck of all learners' answers to an exercise.

        Returns:
            Number of learners.
        """
        there = self.standings(course, exercise=exercise)
        with self._engine.begin() as connection:
            for one in there:
                statement = insert(_rechecks).values(
                    username=one.username, course=course, exercise=exercise
                )
                connection.execute(statement.on_conflict_do_nothing())
        return len(there)

    def rechecks(self, course: str | None = None) -> list[tuple[str, str, str]]:
        """Return (username, course, exercise) of the pending rechecks."""
        statement = select(_rechecks)
        if course is not None:
            statement = statement.where(_rechecks.c.course == course)
        with self._engine.connect() as connection:
            rows = connection.execute(statement)
            return [(row.username, row.course, row.exercise) for row in rows]

    def rechecked(self, username: str, course: str, exercise: str) -> None:
        """Remove a finished recheck."""
        chosen = (
            (_rechecks.c.username == username)
            & (_rechecks.c.course == course)
            & (_rechecks.c.exercise == exercise)
        )
        with self._engine.begin() as connection:
            connection.execute(delete(_rechecks).where(chosen))
