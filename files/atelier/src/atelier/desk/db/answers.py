"""What the desk remembers of exercises: who arrived from which course page, and what was checked.

No secret is here.
"""

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
    """The attempts of one learner at one exercise."""
    return (
        (_attempts.c.username == username)
        & (_attempts.c.course == course)
        & (_attempts.c.exercise == exercise)
    )


@dataclass(frozen=True)
class Arrival:
    """A launch as far as grades are concerned: where the platform takes this one.

    Attributes:
        exercise: empty when the launch named none.
        outcome_url: LTI 1.1's ``lis_outcome_service_url``; empty: the platform takes no grade.
        sourcedid: LTI 1.1's ``lis_result_sourcedid``.
        services: LTI 1.3: what the hub kept of the platform's grade service; None: it has none.
        at: when, seconds since 1970.
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
        commit: the saved version that was checked.
        committed: when it was saved, as GitLab says (ISO 8601).
        checked: seconds since 1970.
        digest: of all that the result depends on; the same again is no new attempt.
        score: 0..1.
        comparison: in full, for the latest attempt; never sent to a browser as it is.
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
    """Where a learner stands in an exercise: attempts made, best and last score, latest check."""

    username: str
    exercise: str
    attempts: int
    best: float
    last: Attempt


class AnswerRepository:
    """Tables of arrivals and attempts. Methods block: call them in threads.

    Args:
        engine: the desk's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def arrive(self, launches: Sequence[tuple[Arrival, str, bool]]) -> list[bool]:
        """Record launches: the person and their role, and where their grade goes.

        A launch that takes no grade does not take away the address of one that does.

        Args:
            launches: each with the person's name, and whether they teach the course.

        Returns:
            For each, whether the grade goes elsewhere than before.
        """
        with self._engine.begin() as connection:
            return [self._arrive(connection, *one) for one in launches]

    @staticmethod
    def _arrive(connection: Connection, arrival: Arrival, name: str, staff: bool) -> bool:
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
        """Where the grade of a learner's exercise goes, if anywhere."""
        chosen = (
            (_arrivals.c.username == username)
            & (_arrivals.c.course == course)
            & (_arrivals.c.exercise == exercise)
        )
        with self._engine.connect() as connection:
            row = connection.execute(select(_arrivals).where(chosen)).one_or_none()
        return Arrival(**row._mapping) if row is not None else None

    def is_staff(self, username: str, course: str) -> bool:
        """Whether the latest launch of a course said that this person teaches it."""
        chosen = (_people.c.username == username) & (_people.c.course == course)
        with self._engine.connect() as connection:
            return bool(connection.execute(select(_people.c.staff).where(chosen)).scalar())

    def came_by(self, username: str) -> dict[str, str]:
        """Keys of the consumers and registrations of somebody's latest launches, by course.

        A key is empty where an earlier version did not note it.
        """
        with self._engine.connect() as connection:
            rows = connection.execute(select(_people).where(_people.c.username == username))
            return {row.course: row.consumer for row in rows}

    def names(self, course: str) -> dict[str, str]:
        """Names of those who arrived in a course, by username."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_people).where(_people.c.course == course))
            return {row.username: row.name for row in rows}

    def record(
        self, attempt: Attempt, owe: Callable[[Connection, float], None] | None = None
    ) -> None:
        """Record a check; the comparison of the one before is let go.

        The same digest as the latest is the same attempt, looked at again.

        Args:
            attempt: what was found.
            owe: told the best score by then, in the transaction that records: a desk that is
                killed has both, the attempt and the grade to send, or neither.
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
        """All attempts of a learner at an exercise, the first first; without comparisons."""
        columns = [column for column in _attempts.c if column.name != "comparison"]
        chosen = _of(username, course, exercise)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).where(chosen).order_by(_attempts.c.id))
            return [Attempt(**row._mapping) for row in rows]

    def regrade(self, attempt: Attempt) -> None:
        """Replace an attempt's result: the same answer, another expected one."""
        kept = case((_attempts.c.comparison.is_(None), None), else_=json.dumps(attempt.comparison))
        with self._engine.begin() as connection:
            connection.execute(
                update(_attempts)
                .where(_attempts.c.id == attempt.id)
                .values(digest=attempt.digest, score=attempt.score, comparison=kept)
            )

    def latest(self, username: str, course: str, exercise: str) -> Attempt | None:
        """The latest check of a learner's exercise, with its comparison."""
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
        """Where everybody stands, or one learner, or in one exercise; without comparisons."""
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
        """Have everybody's latest answer to an exercise compared again.

        Returns:
            How many there are.
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
        """(username, course, exercise) still to be compared again."""
        statement = select(_rechecks)
        if course is not None:
            statement = statement.where(_rechecks.c.course == course)
        with self._engine.connect() as connection:
            rows = connection.execute(statement)
            return [(row.username, row.course, row.exercise) for row in rows]

    def rechecked(self, username: str, course: str, exercise: str) -> None:
        """One of them is done."""
        chosen = (
            (_rechecks.c.username == username)
            & (_rechecks.c.course == course)
            & (_rechecks.c.exercise == exercise)
        )
        with self._engine.begin() as connection:
            connection.execute(delete(_rechecks).where(chosen))
