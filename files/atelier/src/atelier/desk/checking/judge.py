"""Judges one saved answer: compares it with the expected file, or runs it beside the tests."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from dataclasses import dataclass, replace
from typing import Any

from atelier.desk.checking.files import AnswerFiles, FileFetcher, Place
from atelier.desk.checking.running import AnswerRunner, Runner
from atelier.desk.db.answers import Attempt
from atelier.desk.errors import RefusedError
from atelier.exercises.computed import with_computed
from atelier.exercises.model import Comparison, ExpectedError, blank
from atelier.exercises.runner import Checker, UnfinishedError
from atelier.exercises.testfiles.model import Suite
from atelier.gitlab.files import SavedVersion
from atelier.limits.fair_queue import FairQueue

log = logging.getLogger(__name__)

IN_HAND = 8
"""Limit on concurrent fetches, and on large answers that are being judged or wait for that. A
higher limit would make neither GitLab nor the comparisons faster."""
SMALL_IN_HAND = 64
"""Limit on small answers that are being compared or wait for the checker."""
DIFFERENCE_ONLY = frozenset(
    {"check_problem_time", "check_problem_memory", "check_problem_blocks", "check_problem_rows"}
)
"""Problems of the comparison of texts that say nothing about what a file computes."""


@dataclass(frozen=True)
class _Judging:
    """The tests of an answer, and what determines its results besides its files."""

    suite: Suite
    identity: str


class Judge:
    """Judges answers.

    Args:
        fetcher: fetches files from GitLab.
        checker: compares files within limits on time and memory.
        runner: runs answers beside tests; None: there is none.
    """

    def __init__(self, fetcher: FileFetcher, checker: Checker, runner: Runner | None) -> None:
        self._fetcher = fetcher
        self._checker = checker
        self._runs = AnswerRunner(runner)
        self._fetching = asyncio.Semaphore(IN_HAND)
        self._small_in_hand = asyncio.Semaphore(SMALL_IN_HAND)
        self._large_in_hand = FairQueue(IN_HAND)

    async def judge(
        self,
        place: Place,
        username: str,
        project: str,
        version: SavedVersion,
        *,
        former: Attempt | None = None,
        who: str = "",
    ) -> Attempt:
        """Judge one answer, after waiting in the queue.

        Args:
            place: the exercise.
            username: the learner.
            project: the learner's project.
            version: the commit.
            former: an attempt whose result stands if nothing that determines it has changed; used
                where answers are run.
            who: name in the fair queue; by default the username.

        Raises:
            RefusedError: there is no result; the reason is the key of a sentence.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        who = who or username
        async with self._fetching:
            files = await asyncio.to_thread(self._fetcher.fetch, place, project, version)
        if files.answer is None:
            raise RefusedError(409, "exercise_file_missing")
        judging = await self._judging(place, files)
        digest = await asyncio.to_thread(_digest, place, files, judging)
        if judging is not None and former is not None and former.digest == digest:
            return replace(former, commit=version.commit, committed=version.at, checked=time.time())
        if files.small:
            async with self._small_in_hand:
                comparison = await self._compared(place, files, who)
            if judging is not None:
                async with self._runs.in_hand:
                    comparison = await self._computed(place, files, judging, comparison, who)
        else:
            waits = self._large_in_hand.full()
            if waits:
                files = AnswerFiles(None, None, None)  # free the memory during the wait
            async with self._large_in_hand.turn(who):
                if waits:
                    files = await asyncio.to_thread(self._fetcher.fetch, place, project, version)
                comparison = await self._compared(place, files, who)
                if judging is not None:
                    comparison = await self._computed(place, files, judging, comparison, who)
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

    async def _judging(self, place: Place, files: AnswerFiles) -> _Judging | None:
        """Return how to judge what an answer computes; None: its likeness decides."""
        if not place.exercise.is_computed:
            return None
        suite = await asyncio.to_thread(self._runs.suite, place, files)
        return _Judging(suite, self._runs.identity(place))

    async def _computed(
        self,
        place: Place,
        files: AnswerFiles,
        judging: _Judging,
        comparison: Comparison,
        who: str,
    ) -> Comparison:
        """Return a comparison with what the answer computes, which makes its score."""
        problem = comparison["problem"]
        is_difference = problem is not None and problem["key"] in DIFFERENCE_ONLY
        if problem is not None and (place.exercise.prose or not is_difference):
            return comparison
        ran = await self._runs.ran(place, files, judging.suite, judging.identity, who)
        shown: Comparison = {**comparison, "problem": None}
        return await asyncio.to_thread(
            with_computed, shown, place.exercise, judging.suite.tests, ran
        )

    async def _compared(self, place: Place, files: AnswerFiles, who: str) -> Comparison:
        """Compare an answer with the expected file."""
        exercise, rule = place.exercise, place.exercise.rule()
        if files.expected is None and not exercise.needs_expected:
            return blank(rule)
        if files.expected is None:
            raise _no_good(place, "it is not there")
        try:
            comparison = await self._checker.check(
                files.expected, files.answer, rule, files.given, who=who
            )
        except UnfinishedError as unfinished:
            log.warning("course %s exercise %s: %s", place.course.slug, exercise.id, unfinished)
            raise RefusedError(503, unfinished.key) from None
        except ExpectedError as error:
            raise _no_good(place, str(error)) from None
        counted = any(part["weight"] for part in comparison["parts"])
        if comparison["score"] == 1 and not counted and not exercise.is_computed:
            raise _no_good(place, "nothing of it counts")  # any answer would be right
        return comparison


def _no_good(place: Place, why: str) -> RefusedError:
    """Log that an expected answer is unusable, and return the error for the page."""
    log.warning(
        "course %s exercise %s: the expected answer %s in %s: %s",
        *(place.course.slug, place.exercise.id, place.exercise.expected_file),
        *(place.declared.project(place.course.slug), why),
    )
    return RefusedError(409, "exercise_expected_wrong")


def _digest(place: Place, files: AnswerFiles, judging: _Judging | None) -> str:
    """Return a digest of everything that determines a result."""
    exercise = place.exercise
    parts: list[Any] = [files.expected, files.answer, files.given, exercise.rule().to_json()]
    if judging is not None:
        parts += [files.tests, judging.identity]
        parts += [one.model_dump(mode="json") for one in exercise.values]
        for found in (files.beside, files.own, files.wanted, files.made):
            parts.append(sorted(found))
            parts += [content for _path, content in sorted(found.items())]
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        total.update(b"%d:%d:" % (part is None, len(data)))
        total.update(data)
    return total.hexdigest()
