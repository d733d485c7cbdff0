"""Checks answers: fetches the saved version, compares or runs it, and records the result."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from atelier.config.live import Courses
from atelier.config.models import Course
from atelier.desk.checking.files import FileFetcher, Place
from atelier.desk.checking.judge import Judge
from atelier.desk.checking.running import Runner
from atelier.desk.db.answers import AnswerRepository, Attempt
from atelier.desk.db.grades import GradeQueue
from atelier.desk.db.spaces import SpaceRepository
from atelier.desk.errors import RefusedError
from atelier.exercises.declared import ExercisesError
from atelier.exercises.exercises import CourseExercises
from atelier.exercises.runner import Checker
from atelier.gitlab.errors import GitLabUnavailableError, SpaceError
from atelier.gitlab.files import RepositoryFiles, SavedVersion
from atelier.limits.fair_queue import Pauses

log = logging.getLogger(__name__)

RECHECKS_AT_ONCE = 2
STOPPED_TRIES = 5
"""Retries of a recheck whose comparison was stopped; limited as the file may be the cause."""
AGAIN = " again"
"""Name of all rechecks in the fair queue; the space makes it an invalid username."""
WAIT = frozenset({"exercise_busy", "exercise_runner_away"})
"""Reasons for which rechecks wait."""


class CheckService:
    """Looks up exercises, checks answers, and queues grades.

    Args:
        courses: the current courses.
        store: the learners' spaces.
        book: stores attempts.
        repository_files: reads files of GitLab's projects.
        queue: the queue of grades.
        checker: compares files within limits on time and memory.
        runner: runs answers beside tests; None: there is none.
    """

    def __init__(
        self,
        courses: Courses,
        store: SpaceRepository,
        book: AnswerRepository,
        repository_files: RepositoryFiles,
        queue: GradeQueue,
        checker: Checker,
        runner: Runner | None = None,
    ) -> None:
        self._courses = courses
        self._store = store
        self.book = book
        self._repository_files = repository_files
        self._queue = queue
        self._fetcher = FileFetcher(repository_files)
        self._judge = Judge(self._fetcher, checker, runner)
        self._pauses = Pauses()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._stopped: Counter[tuple[str, str, str]] = Counter()

    async def declared(self, slug: str) -> tuple[Course, CourseExercises, SavedVersion]:
        """Return a course, its exercises, and the version of the declaration.

        Raises:
            RefusedError: there is no such course, it has no exercises, or its declaration is
                invalid.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        return await self._repository_files.patiently(lambda: self._declared(slug))

    async def _declared(self, slug: str) -> tuple[Course, CourseExercises, SavedVersion]:
        course = self._courses.get(slug)
        if course is None:
            raise RefusedError(404, "exercise_course_unknown")
        try:
            found = await asyncio.to_thread(self._repository_files.declared, course)
        except ExercisesError as error:
            log.warning("course %s: %s", slug, "; ".join(error.say("en")))
            raise RefusedError(409, "exercise_declaration_wrong") from None
        if found.exercises is None:
            raise RefusedError(404, "exercise_none")
        return course, found.exercises, found.version

    async def place(self, username: str, slug: str, exercise_id: str) -> Place:
        """Return a learner's exercise with their space.

        Raises:
            RefusedError: there is no such course or exercise.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        return await self._repository_files.patiently(
            lambda: self._place(username, slug, exercise_id)
        )

    async def _place(self, username: str, slug: str, exercise_id: str) -> Place:
        course, declared, version = await self._declared(slug)
        exercise = declared.get(exercise_id)
        if exercise is None:
            raise RefusedError(404, "exercise_unknown")
        record = await asyncio.to_thread(self._store.find, username, slug)
        if record is None or record.ready:
            return Place(course, exercise, declared, version, record)
        return Place(course, exercise, declared, version, None, preparing=True)

    async def check(self, username: str, slug: str, exercise_id: str) -> Attempt:
        """Check a learner's latest saved version.

        Raises:
            RefusedError: there is no such exercise, it is not open, no attempt is left, the
                learner has no space, or must pause because their last comparison was stopped.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        return await self._repository_files.patiently(
            lambda: self._check(username, slug, exercise_id)
        )

    async def _check(self, username: str, slug: str, exercise_id: str) -> Attempt:
        async with self._locks[username]:  # one at a time for each learner
            place = await self._place(username, slug, exercise_id)
            if place.record is None:
                raise RefusedError(409, "exercise_no_space")
            state = place.exercise.state(datetime.now(UTC))
            if state != "open":
                raise RefusedError(409, f"exercise_{state}")
            if self._pauses.left(username):
                raise RefusedError(429, "exercise_pause")
            project = place.record.project
            version = await asyncio.to_thread(self._repository_files.head, project)
            if version is None:
                raise RefusedError(409, "exercise_no_space")
            former = await asyncio.to_thread(self.book.latest, username, slug, exercise_id)
            if former is not None and former.comparison is None:
                former = None
            try:
                attempt = await self._judge.judge(place, username, project, version, former=former)
            except RefusedError as refused:
                if refused.reason == "exercise_stopped":
                    self._pauses.stopped(username)
                raise
            if _took_too_long(attempt):
                self._pauses.stopped(username)
            else:
                self._pauses.finished(username)
            standing = await asyncio.to_thread(
                self.book.standings, slug, username=username, exercise=exercise_id
            )
            limit = place.exercise.attempts
            used_up = standing and limit is not None and standing[0].attempts >= limit
            if used_up and standing[0].last.digest != attempt.digest:
                raise RefusedError(409, "exercise_no_attempt")
            await asyncio.to_thread(self._record, place.course, attempt)
            log.info(
                "check user=%s course=%s exercise=%s commit=%s score=%.4f",
                *(username, slug, exercise_id, version.commit[:12], attempt.score),
            )
            return attempt

    def _record(self, course: Course, attempt: Attempt) -> None:
        """Record an attempt and its grade in one transaction. Blocks."""

        def owe(connection: Connection, best: float) -> None:
            score = best if course.grade == "best" else attempt.score
            whose = (attempt.username, attempt.course, attempt.exercise)
            self._queue.owe(*whose, score, connection)

        self.book.record(attempt, owe)

    async def _grade(self, course: Course, username: str, exercise_id: str) -> None:
        standings = await asyncio.to_thread(
            self.book.standings, course.slug, username=username, exercise=exercise_id
        )
        for standing in standings:
            score = standing.best if course.grade == "best" else standing.last.score
            await asyncio.to_thread(self._queue.owe, username, course.slug, exercise_id, score)

    async def make_file(self, username: str, slug: str, exercise_id: str) -> None:
        """Put the template's file of an exercise into a learner's space, if it is missing there.

        Raises:
            RefusedError: there is no such exercise, or the learner has no space.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        await self._repository_files.patiently(lambda: self._make_file(username, slug, exercise_id))

    async def _make_file(self, username: str, slug: str, exercise_id: str) -> None:
        async with self._locks[username]:
            place = await self._place(username, slug, exercise_id)
            if place.record is None:
                raise RefusedError(409, "exercise_no_space")
            await asyncio.to_thread(self._fetcher.make, place, place.record)
        log.info("file made user=%s course=%s exercise=%s", username, slug, exercise_id)

    async def recheck_all(self, slug: str, exercise_id: str) -> int:
        """Schedule a recheck of all learners' answers, which runs in the background.

        Returns:
            Number of learners.

        Raises:
            RefusedError: there is no such exercise.
        """
        self._repository_files.invalidate_cache()
        _course, declared, _version = await self.declared(slug)
        if declared.get(exercise_id) is None:
            raise RefusedError(404, "exercise_unknown")
        return await asyncio.to_thread(self.book.ask_rechecks, slug, exercise_id)

    async def retry(self) -> None:
        """Run the pending rechecks in batches until GitLab fails."""
        if not self._repository_files.may_be_read():
            return
        owed = await asyncio.to_thread(self.book.rechecks)
        for start in range(0, len(owed), RECHECKS_AT_ONCE):
            batch = owed[start : start + RECHECKS_AT_ONCE]
            if not all(await asyncio.gather(*(self._recheck(*one) for one in batch))):
                return

    async def _judge_again(self, place: Place, project: str, former: Attempt) -> None:
        """Judge an attempt again; its score stays if its commit or the file in it is gone."""
        version = SavedVersion(former.commit, former.committed)
        whose = (former.username, former.course, former.exercise)
        try:
            attempt = await self._judge.judge(
                place, former.username, project, version, former=former, who=AGAIN
            )
        except RefusedError as refused:
            if refused.reason != "exercise_file_missing":
                raise
            log.warning(
                "checking again user=%s course=%s exercise=%s: the file of commit %s is gone,"
                " its score stays",
                *(*whose, former.commit[:12]),
            )
            return
        if attempt.comparison is not None:  # None: nothing has changed
            again = replace(attempt, id=former.id, checked=former.checked)
            await asyncio.to_thread(self.book.regrade, again)

    async def _recheck(self, username: str, slug: str, exercise_id: str) -> bool:
        """Compare a learner's attempts again, each at its commit; return whether to continue."""
        whose = (username, slug, exercise_id)
        async with self._locks[username]:  # one at a time for each learner
            attempts = await asyncio.to_thread(self.book.attempts, username, slug, exercise_id)
            try:
                place = await self._place(username, slug, exercise_id)
                if attempts and place.record is not None:
                    for former in attempts:
                        await self._judge_again(place, place.record.project, former)
                    await self._grade(place.course, username, exercise_id)
            except GitLabUnavailableError as error:
                log.warning("checking again waits: %s", error)
                return False
            except (RefusedError, SpaceError) as error:
                reason = error.reason if isinstance(error, RefusedError) else ""
                if reason in WAIT:
                    return False
                if reason == "exercise_stopped" and self._stopped[whose] < STOPPED_TRIES:
                    self._stopped[whose] += 1
                    return True  # stays pending; the other rechecks continue
                log.warning(
                    "checking again user=%s course=%s exercise=%s: %s",
                    *(username, slug, exercise_id, error),
                )
            self._stopped.pop(whose, None)
            await asyncio.to_thread(self.book.rechecked, *whose)
            return True


def _took_too_long(attempt: Attempt) -> bool:
    problem = (attempt.comparison or {}).get("problem") or {}
    return problem.get("key") == "check_problem_time"
