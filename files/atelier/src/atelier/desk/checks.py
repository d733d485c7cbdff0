"""Checks answers: fetches the saved version, compares it, and records the result."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from atelier.config.live import Courses
from atelier.config.models import Course
from atelier.desk.db.answers import AnswerRepository, Attempt
from atelier.desk.db.grades import GradeQueue
from atelier.desk.db.spaces import Record, SpaceRepository
from atelier.desk.errors import RefusedError
from atelier.exercises.declared import ExercisesError
from atelier.exercises.exercises import CourseExercises, Exercise
from atelier.exercises.model import Comparison, ExpectedError, Limits
from atelier.exercises.runner import Checker, UnfinishedError
from atelier.gitlab.errors import GitLabUnavailableError, SpaceError
from atelier.gitlab.files import RepositoryFiles, SavedVersion
from atelier.limits.fair_queue import SMALL_BYTES, FairQueue, Pauses

log = logging.getLogger(__name__)

RECHECKS_AT_ONCE = 2
STOPPED_TRIES = 5
"""Retries of a recheck whose comparison was stopped; limited as the file may be the cause."""
IN_HAND = 8
"""Limit on concurrent fetches, and on large answers that are being compared or wait for the
checker. A higher limit would make neither GitLab nor the comparisons faster."""
SMALL_IN_HAND = 64
"""Limit on small answers that are being compared or wait for the checker."""
AGAIN = " again"
"""Name of all rechecks in the fair queue; the space makes it an invalid username."""
MAX_FILE_BYTES = Limits().max_bytes


@dataclass(frozen=True)
class Place:
    """A learner's exercise: the course, the exercise, and the learner's space."""

    course: Course
    exercise: Exercise
    declared: CourseExercises
    template: SavedVersion
    record: Record | None
    """The learner's space; None: there is none (for a teacher, for example) or it is not ready."""
    preparing: bool = False
    """Whether the space is being prepared."""


@dataclass(frozen=True)
class _Files:
    """The expected answer, the learner's answer, and the template's file; None: missing."""

    expected: bytes | None
    answer: bytes | None
    given: bytes | None

    @property
    def small(self) -> bool:
        """Whether the files are small, so that comparing them needs few resources."""
        files = (self.expected, self.answer, self.given)
        return sum(len(file) for file in files if file) <= SMALL_BYTES


class CheckService:
    """Looks up exercises, checks answers, and queues grades.

    Args:
        courses: the current courses.
        store: the learners' spaces.
        book: stores attempts.
        repository_files: reads files of GitLab's projects.
        queue: the queue of grades.
        checker: compares files within limits on time and memory.
    """

    def __init__(
        self,
        courses: Courses,
        store: SpaceRepository,
        book: AnswerRepository,
        repository_files: RepositoryFiles,
        queue: GradeQueue,
        checker: Checker,
    ) -> None:
        self._courses = courses
        self._store = store
        self.book = book
        self._repository_files = repository_files
        self._queue = queue
        self._checker = checker
        self._fetching = asyncio.Semaphore(IN_HAND)
        self._small_in_hand = asyncio.Semaphore(SMALL_IN_HAND)
        self._large_in_hand = FairQueue(IN_HAND)
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
            version = await asyncio.to_thread(self._repository_files.head, place.record.project)
            if version is None:
                raise RefusedError(409, "exercise_no_space")
            try:
                attempt = await self._compare(place, username, place.record.project, version)
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

    async def _compare(
        self, place: Place, username: str, project: str, version: SavedVersion, who: str = ""
    ) -> Attempt:
        """Compare one answer, after waiting in the queue.

        Args:
            place: the exercise.
            username: the learner.
            project: the learner's project.
            version: the commit.
            who: name in the fair queue; by default the username.
        """
        who = who or username
        async with self._fetching:
            files = await asyncio.to_thread(self._fetch, place, project, version)
        if files.small:
            async with self._small_in_hand:
                comparison, digest = await self._compared(place, files, who)
        else:
            waits = self._large_in_hand.full()
            if waits:
                files = _Files(None, None, None)  # free the memory during the wait
            async with self._large_in_hand.turn(who):
                if waits:
                    files = await asyncio.to_thread(self._fetch, place, project, version)
                comparison, digest = await self._compared(place, files, who)
        return Attempt(
            username=username,
            course=place.course.slug,
            exercise=place.exercise.id,
            commit=version.commit,
            committed=version.at,
            checked=time.time(),
            digest=digest,
            score=comparison["score"],
            comparison=dict(comparison),
        )

    async def _compared(self, place: Place, files: _Files, who: str) -> tuple[Comparison, str]:
        """Return the comparison and a digest of everything that determines its result."""
        exercise, rule = place.exercise, place.exercise.rule()
        if files.expected is None:
            raise self._no_good(place, "it is not there")
        try:
            comparison = await self._checker.check(
                files.expected, files.answer, rule, files.given, who=who
            )
        except UnfinishedError as unfinished:
            log.warning("course %s exercise %s: %s", place.course.slug, exercise.id, unfinished)
            raise RefusedError(503, unfinished.key) from None
        except ExpectedError as error:
            raise self._no_good(place, str(error)) from None
        counted = any(part["weight"] for part in comparison["parts"])
        if comparison["score"] == 1 and not counted:  # any answer would be right
            raise self._no_good(place, "nothing of it counts")
        digest = await asyncio.to_thread(
            _digest, files.expected, files.answer, files.given, rule.to_json()
        )
        return comparison, digest

    def _fetch(self, place: Place, project: str, version: SavedVersion) -> _Files:
        """Fetch the files to compare. Blocks."""
        exercise, template, most = place.exercise, place.course.template, MAX_FILE_BYTES
        wanted = place.declared.project(place.course.slug)
        head = self._repository_files.head_lately(wanted, place.declared.expected_branch)
        expected = None
        if head is not None:
            expected = self._repository_files.of_course(
                wanted, exercise.expected_file, head.commit, most
            )
        return _Files(
            expected,
            self._repository_files.file(project, exercise.file, version.commit, most),
            self._repository_files.of_course(template, exercise.file, place.template.commit, most),
        )

    @staticmethod
    def _no_good(place: Place, why: str) -> RefusedError:
        """Log that an expected answer is unusable, and return the error for the page."""
        log.warning(
            "course %s exercise %s: the expected answer %s in %s: %s",
            *(place.course.slug, place.exercise.id, place.exercise.expected_file),
            *(place.declared.project(place.course.slug), why),
        )
        return RefusedError(409, "exercise_expected_wrong")

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

    def _is_gone(self, project: str, attempt: Attempt) -> bool:
        """Return whether an answer is missing because its commit no longer exists. Blocks."""
        problem = (attempt.comparison or {}).get("problem") or {}
        if problem.get("key") != "check_problem_missing":
            return False
        return not self._repository_files.has(project, attempt.commit)

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

    async def _recheck(self, username: str, slug: str, exercise_id: str) -> bool:
        """Compare a learner's attempts again, each at its commit; return whether to continue."""
        whose = (username, slug, exercise_id)
        async with self._locks[username]:  # one at a time for each learner
            attempts = await asyncio.to_thread(self.book.attempts, username, slug, exercise_id)
            try:
                place = await self._place(username, slug, exercise_id)
                if attempts and place.record is not None:
                    for former in attempts:
                        version = SavedVersion(former.commit, former.committed)
                        project = place.record.project
                        attempt = await self._compare(place, username, project, version, AGAIN)
                        if await asyncio.to_thread(self._is_gone, project, attempt):
                            log.warning(
                                "checking again user=%s course=%s exercise=%s: commit %s is gone,"
                                " its score stays",
                                *(username, slug, exercise_id, former.commit[:12]),
                            )
                            continue
                        again = replace(attempt, id=former.id, checked=former.checked)
                        await asyncio.to_thread(self.book.regrade, again)
                    await self._grade(place.course, username, exercise_id)
            except GitLabUnavailableError as error:
                log.warning("checking again waits: %s", error)
                return False
            except (RefusedError, SpaceError) as error:
                reason = error.reason if isinstance(error, RefusedError) else ""
                if reason == "exercise_busy":
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


def _digest(*parts: Any) -> str:
    """Return a digest of everything that determines a result."""
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        total.update(b"%d:%d:" % (part is None, len(data)))
        total.update(data)
    return total.hexdigest()
