"""A course whose answers are checked, with projects in memory and without a comparing process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from atelier.desk.checking.running import Runner
from atelier.desk.checks import CheckService
from atelier.desk.db.answers import AnswerRepository
from atelier.desk.db.grades import GradeQueue
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Rule, failed, message
from atelier.gitlab.files import RepositoryFiles, SavedVersion
from atelier.limits.fair_queue import SMALL_BYTES
from atelier.sandbox.model import Found, Job, Outcome, RunResult

from kit.desk_database import desk_database

T = TypeVar("T")

DECLARED = b"""
version: 1
exercises:
  - id: pi
    title: {fr: Pi, en: Pi}
    file: pi.md
  - id: once
    title: {fr: Une fois, en: Once}
    file: pi.md
    attempts: 1
  - id: code
    title: {fr: Du code, en: Code}
    file: pi.md
    compare: {kinds: [code]}
"""


class Projects(RepositoryFiles):
    """GitLab's projects: one commit each, counted by how often they are read."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None))
        self.files: dict[str, dict[str, bytes]] = {}
        self.read: Counter[tuple[str, str]] = Counter()
        self.made: list[tuple[str, str, str, dict[str, str]]] = []

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await attempt()

    def may_be_read(self) -> bool:
        return True

    def head(self, project: str, branch: str | None = None) -> SavedVersion | None:
        del branch
        self.read[project, "head"] += 1
        if project not in self.files:
            return None
        return SavedVersion(f"{hash(frozenset(self.files[project].items()))}", "2026-01-01")

    def paths(self, project: str, commit: str) -> tuple[str, ...]:
        del commit
        self.read[project, "paths"] += 1
        return tuple(self.files.get(project, {}))

    def create(
        self,
        project: str,
        branch: str,
        path: str,
        content: bytes,
        *,
        text: str,
        author: Mapping[str, str],
    ) -> None:
        self.made.append((branch, path, text, dict(author)))
        self.files.setdefault(project, {}).setdefault(path, content)

    def file(self, project: str, path: str, ref: str, most: int) -> bytes | None:
        del ref
        self.read[project, path] += 1
        content = self.files.get(project, {}).get(path)
        return content[: most + 1] if content is not None else None


class Bench:
    """Compares in this process; ``trouble`` is raised instead, ``at_once`` is the most it saw."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.under_way: Counter[bytes | None] = Counter()
        self.at_once = self.same_at_once = 0
        self.outcome: Comparison | None = None
        self.turns_of: list[str] = []
        self.going_on: asyncio.Event | None = None

    async def check(
        self, expected: bytes, answer: bytes | None, rule: Rule, given: bytes | None, *, who: str
    ) -> Comparison:
        self.turns_of.append(who)
        self.under_way[answer] += 1
        self.at_once = max(self.at_once, self.under_way.total())
        self.same_at_once = max(self.same_at_once, max(self.under_way.values()))
        if self.going_on is not None and answer and len(answer) > SMALL_BYTES:
            await self.going_on.wait()
            self.under_way[answer] -= 1
            return failed(rule, message("check_problem_large"))  # quickly
        await asyncio.sleep(0.005)
        self.under_way[answer] -= 1
        if self.trouble is not None:
            raise self.trouble
        return self.outcome or compare(expected, answer, rule, given)


class PlainRunner:
    """Runs Python files and tests in this process, as the runner does in sandboxes.

    ``trouble`` is raised instead; ``result`` is given instead.
    """

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.trouble: Exception | None = None
        self.result: RunResult | None = None

    async def run(self, job: Job) -> RunResult:
        job.check()
        self.jobs.append(job)
        if self.trouble is not None:
            raise self.trouble
        if self.result is not None:
            return self.result
        names: dict[str, Any] = {"read": lambda path: job.files[path].decode()}
        try:
            exec(job.files[job.file], names)  # noqa: S102 (the tests' own text)
        except Exception as error:
            silent = tuple(Outcome(one.name, 0.0) for one in job.tests)
            told = f"{type(error).__name__}: {error}"
            return RunResult("run_error", 1, told, tests=silent)
        found = [
            Found(True, names[one.name]) if one.name in names else Found(False, None, "undefined")
            for one in job.values
        ]
        outcomes = tuple(self._outcome(one.name, one.code, names) for one in job.tests)
        return RunResult(tests=outcomes, values=tuple(found))

    @staticmethod
    def _outcome(name: str, code: str, names: dict[str, Any]) -> Outcome:
        try:
            exec(code, dict(names))  # noqa: S102 (the tests' own text)
        except AssertionError as error:
            return Outcome(name, 0.0, "assertion", f"AssertionError: {error} in {code}")
        except Exception as error:
            return Outcome(name, 0.0, "error", f"{type(error).__name__}: {error}")
        return Outcome(name, 1.0)


class School:
    """An office and what it works with; by default answers run in this process."""

    def __init__(self, folder: Path, runner: Runner | None = None) -> None:
        folder.mkdir(exist_ok=True)
        engine = desk_database(folder)
        self.book, self.queue = AnswerRepository(engine), GradeQueue(engine)
        self.projects, self.bench, self.runner = Projects(), Bench(), PlainRunner()
        self.projects.files = {
            "rr1/template": {"atelier.yml": DECLARED, "pi.md": b"Write here.\n"},
            "rr1/expected": {"pi.md": b"Pi is 3.14\n"},
        }
        self.course = SimpleNamespace(
            slug="rr1", template="rr1/template", grade="best", image="atelier/rr1:1"
        )
        spaces = SimpleNamespace(
            find=lambda username, slug: SimpleNamespace(
                ready=True,
                project=f"{username}/{slug}",
                branch="main",
                request=SimpleNamespace(name="Ada", email="ada@example.org"),
            )
        )
        self.service = CheckService(
            cast(Any, {"rr1": self.course}),
            cast(Any, spaces),
            self.book,
            self.projects,
            self.queue,
            cast(Any, self.bench),
            runner or self.runner,
        )

    def save(self, username: str, text: bytes) -> None:
        self.projects.files[f"{username}/rr1"] = {"pi.md": text}

    def best(self, username: str, exercise: str = "pi") -> tuple[int, float]:
        (standing,) = self.book.standings("rr1", username=username, exercise=exercise)
        return standing.attempts, standing.best
