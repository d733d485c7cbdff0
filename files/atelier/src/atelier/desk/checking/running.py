"""Has an answer run beside the teacher's tests, and keeps what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from atelier import sandbox
from atelier.desk.checking.files import AnswerFiles, Place
from atelier.desk.errors import RefusedError
from atelier.exercises.computed import Ran, points_of
from atelier.exercises.model import RunShown
from atelier.exercises.testfiles.model import BadTestsError, Suite
from atelier.exercises.testfiles.reader import read_tests
from atelier.exercises.value_checks import ValueCheck, ending
from atelier.sandbox.model import Found, Job, RunnerError, RunResult, Test, Value

log = logging.getLogger(__name__)

KEPT_BYTES = 16 * 1024**2
RUNS_IN_HAND = 64
"""Limit on small answers whose run is under way or waits for the runner."""
EXPECTED = " expected"
"""Name of the expected answers' runs in the fair queue; the space makes it an invalid username."""


class Runner(Protocol):
    """What the desk asks of the unit that runs answers."""

    async def run(self, job: Job) -> RunResult:
        """Run a job.

        Raises:
            RunnerError: there is no result, and the learner's file is not the cause.
            OSError: the runner cannot be reached.
        """


class AnswerRunner:
    """Runs answers.

    Args:
        runner: the unit's client; None: this site has none.
    """

    def __init__(self, runner: Runner | None) -> None:
        self._runner = runner
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._kept_bytes = 0
        self._expected = asyncio.Lock()
        self.in_hand = asyncio.Semaphore(RUNS_IN_HAND)

    @staticmethod
    def suite(place: Place, files: AnswerFiles) -> Suite:
        """Return an exercise's tests.

        Raises:
            RefusedError: they are missing, wrong or without points; the course team must mend them.
        """
        exercise = place.exercise
        suite = Suite("r" if ending(exercise.file) in (".r", ".rmd") else "python", ())
        if exercise.tests and files.tests is None:
            raise _useless(place, f"there are no tests {exercise.tests}")
        if exercise.tests and files.tests is not None:
            try:
                suite = read_tests(files.tests, exercise.tests)
            except BadTestsError as error:
                raise _useless(place, "; ".join(error.say("en"))) from None
        if not points_of(exercise, suite.tests):
            raise _useless(place, "its tests and values have no points")
        return suite

    @staticmethod
    def identity(place: Place) -> str:
        """Return what determines an answer's results besides its files: image and programs."""
        return f"{place.course.image} {_programs()}" if place.exercise.can_run else ""

    async def ran(
        self, place: Place, files: AnswerFiles, suite: Suite, identity: str, who: str
    ) -> Ran:
        """Run an answer, unless the same was run lately.

        Args:
            place: the exercise.
            files: its files.
            suite: its tests.
            identity: see :meth:`identity`.
            who: name in the fair queue.

        Raises:
            RefusedError: there is no result: the runner cannot be reached or refuses, or the
                expected answer does not run.
        """
        exercise = place.exercise
        wanted = await self._wanted(place, files, identity)
        if not exercise.can_run:
            return Ran({}, [_text(files.made.get(one.name)) for one in exercise.values], wanted)
        result = await self._run(place, _job(place, files, suite, who), identity)
        run: RunShown | None = None
        if result.problem:
            run = {
                "problem": result.problem,
                "cell": result.cell,
                "error": result.error,
                "name": result.name,
            }
        return Ran({one.name: one for one in result.tests}, result.values, wanted, run)

    async def _wanted(self, place: Place, files: AnswerFiles, identity: str) -> list[Any]:
        """Return the values that an answer should have, in the order of the declaration."""
        missing = [
            one
            for one in place.exercise.values
            if not one.is_given and not (one.kind == "file" and one.name in files.wanted)
        ]
        found = await self._of_expected(place, files, missing, identity)
        wanted: list[Any] = []
        for one in place.exercise.values:
            if one.is_given:
                wanted.append(one.equals)
            elif one.kind == "file" and one.name in files.wanted:
                wanted.append(_text(files.wanted[one.name]).value)
            else:
                wanted.append(found[one.kind, one.name])
        return wanted

    async def _of_expected(
        self, place: Place, files: AnswerFiles, checks: Sequence[ValueCheck], identity: str
    ) -> dict[tuple[str, str], Any]:
        """Return values of the expected answer, which runs once for all learners."""
        if not checks:
            return {}
        if files.expected is None or not place.exercise.can_run:
            raise _useless(place, f"there is no {place.exercise.expected_file}")
        file = place.exercise.file
        job = Job(
            course=place.course.slug,
            who=EXPECTED,
            file=file,
            files={**files.beside, file: files.expected},
            language="python",
            values=tuple(Value(one.kind, one.name) for one in checks),
        )
        async with self._expected:
            result = await self._run(place, job, identity)
        if result.problem:
            where = f" at {result.cell}" if result.cell is not None else ""
            raise _useless(place, f"it does not run ({result.problem}{where}: {result.error})")
        lacking = [
            one.name or one.kind
            for one, found in zip(checks, result.values, strict=False)
            if not found.present
        ]
        if lacking or len(result.values) != len(checks):
            raise _useless(place, f"it does not give {', '.join(lacking)}")
        return {
            (one.kind, one.name): found.value
            for one, found in zip(checks, result.values, strict=True)
        }

    async def _run(self, place: Place, job: Job, identity: str) -> RunResult:
        key = await asyncio.to_thread(_key, job, identity)
        if key in self._kept:
            self._kept.move_to_end(key)
            return RunResult.from_json(json.loads(self._kept[key]))
        if self._runner is None:
            raise RefusedError(503, "exercise_runner_away")
        try:
            result = await self._runner.run(job)
        except (RunnerError, OSError, EOFError) as error:
            raise _refused(place, error) from None
        self._keep(key, json.dumps(result.to_json()))
        return result

    def _keep(self, key: str, text: str) -> None:
        self._kept_bytes += len(text) - len(self._kept.pop(key, ""))
        self._kept[key] = text
        while self._kept_bytes > KEPT_BYTES:
            _key, old = self._kept.popitem(last=False)
            self._kept_bytes -= len(old)


@cache
def _programs() -> str:
    """Return a digest of the programs that run answers and tests."""
    total = hashlib.sha256()
    folder = Path(str(sandbox.__file__)).parent
    for path in sorted(one for one in folder.rglob("*") if one.suffix in (".py", ".R")):
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def _job(place: Place, files: AnswerFiles, suite: Suite, who: str) -> Job:
    file = place.exercise.file
    return Job(
        course=place.course.slug,
        who=who,
        file=file,
        files={**files.own, **files.beside, file: files.answer or b""},
        language=suite.language,
        tests=tuple(Test(one.name, one.code) for one in suite.tests),
        values=tuple(Value(one.kind, one.name) for one in place.exercise.values),
    )


def _text(content: bytes | None) -> Found:
    if content is None:
        return Found(False, problem="undefined")
    return Found(True, content.decode("utf-8-sig", "replace"))


def _key(job: Job, identity: str) -> str:
    """Return a digest of everything that determines a run's result; who asks does not."""
    total = hashlib.sha256()
    facts = [job.course, job.file, job.language, identity, repr(job.tests), repr(job.values)]
    total.update(json.dumps([*facts, repr(job.limits)]).encode())
    for path, content in sorted(job.files.items()):
        total.update(f"\n{len(content)} {path}\n".encode("utf-8", "surrogatepass"))
        total.update(content)
    return total.hexdigest()


def _refused(place: Place, error: Exception) -> RefusedError:
    """Log why there is no result, and return the error for the page."""
    log.warning(
        "course %s exercise %s: the runner: %s", place.course.slug, place.exercise.id, error
    )
    code = error.code if isinstance(error, RunnerError) else ""
    if code == "busy":
        return RefusedError(503, "exercise_busy")
    if code in ("refused", "course"):
        return RefusedError(409, "exercise_runner_refuses")
    return RefusedError(503, "exercise_runner_away")


def _useless(place: Place, why: str) -> RefusedError:
    """Log why an exercise cannot be judged, and return the error for the page."""
    log.warning("course %s exercise %s: %s", place.course.slug, place.exercise.id, why)
    return RefusedError(409, "exercise_expected_wrong")
