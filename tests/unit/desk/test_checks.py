"""Checking an answer, with projects in memory: what is read, what is recorded, what is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from atelier.desk.checks import IN_HAND, SMALL_IN_HAND, STOPPED_TRIES, CheckService
from atelier.desk.db.answers import AnswerRepository
from atelier.desk.db.grades import GradeQueue
from atelier.desk.errors import RefusedError
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Rule, failed, message
from atelier.exercises.runner import UnfinishedError
from atelier.gitlab.files import RepositoryFiles, SavedVersion
from atelier.limits.fair_queue import SMALL_BYTES
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

    def has(self, project: str, commit: str) -> bool:
        head = self.head(project)
        return head is not None and head.commit == commit

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


class School:
    """An office and what it works with."""

    def __init__(self, folder: Path) -> None:
        engine = desk_database(folder)
        self.book, self.queue = AnswerRepository(engine), GradeQueue(engine)
        self.projects, self.bench = Projects(), Bench()
        self.projects.files = {
            "rr1/template": {"atelier.yml": DECLARED, "pi.md": b"Write here.\n"},
            "rr1/expected": {"pi.md": b"Pi is 3.14\n"},
        }
        self.course = SimpleNamespace(slug="rr1", template="rr1/template", grade="best")
        spaces = SimpleNamespace(
            find=lambda username, slug: SimpleNamespace(ready=True, project=f"{username}/{slug}")
        )
        self.service = CheckService(
            cast(Any, {"rr1": self.course}),
            cast(Any, spaces),
            self.book,
            self.projects,
            self.queue,
            cast(Any, self.bench),
        )

    def save(self, username: str, text: bytes) -> None:
        self.projects.files[f"{username}/rr1"] = {"pi.md": text}

    def best(self, username: str, exercise: str = "pi") -> tuple[int, float]:
        (standing,) = self.book.standings("rr1", username=username, exercise=exercise)
        return standing.attempts, standing.best


@pytest.fixture
def school(tmp_path: Path) -> School:
    return School(tmp_path)


def test_a_check_that_came_to_no_end_is_no_attempt_and_no_grade(school: School) -> None:
    school.save("ada", b"Pi is 3.14\n")
    school.bench.trouble = UnfinishedError("exercise_busy")
    with pytest.raises(RefusedError) as caught:
        asyncio.run(school.service.check("ada", "rr1", "once"))
    assert (caught.value.status, caught.value.reason) == (503, "exercise_busy")
    assert school.book.standings("rr1") == []
    assert school.queue.of_course("rr1") == {}
    school.bench.trouble = None
    asyncio.run(school.service.check("ada", "rr1", "once"))
    assert school.best("ada", "once") == (1, 1)


@pytest.mark.parametrize("trouble", ["exercise_busy", "exercise_stopped"])
def test_grading_again_is_made_up_for_when_it_came_to_no_end(school: School, trouble: str) -> None:
    async def again() -> None:
        school.save("ada", b"Pi is 3.2\n")
        await school.service.check("ada", "rr1", "pi")
        school.projects.files["rr1/expected"] = {"pi.md": b"Pi is 3.2\n"}
        await school.service.recheck_all("rr1", "pi")
        school.bench.trouble = UnfinishedError(trouble)
        await school.service.retry()
        assert school.best("ada")[1] < 1
        school.bench.trouble = None
        await school.service.retry()

    asyncio.run(again())
    assert school.best("ada") == (1, 1)
    assert school.book.rechecks() == []


def test_a_file_that_ends_every_comparison_is_not_compared_for_ever(school: School) -> None:
    async def again() -> None:
        school.save("ada", b"Pi is 3.2\n")
        await school.service.check("ada", "rr1", "pi")
        await school.service.recheck_all("rr1", "pi")
        school.bench.trouble = UnfinishedError("exercise_stopped")
        for _ in range(STOPPED_TRIES):
            await school.service.retry()
            assert school.book.rechecks() != []
        await school.service.retry()

    asyncio.run(again())
    assert school.book.rechecks() == []


def test_many_at_once_read_the_courses_files_once(school: School) -> None:
    names = [f"u{number}" for number in range(30)]
    for name in names:
        school.save(name, f"{name}: Pi is 3.14\n".encode())

    async def all_of_them() -> None:
        await asyncio.gather(*(school.service.check(name, "rr1", "pi") for name in names))

    asyncio.run(all_of_them())
    read = school.projects.read
    assert read["rr1/expected", "pi.md"] == read["rr1/template", "pi.md"] == 1
    assert all(read[f"{name}/rr1", "pi.md"] == 1 for name in names)
    assert read["rr1/expected", "head"] < 10, "not once for each learner"
    assert 1 < school.bench.at_once <= SMALL_IN_HAND


def test_large_answers_are_held_by_few_and_hold_nobody_up(school: School) -> None:
    names = [f"u{number}" for number in range(3 * IN_HAND)]
    for name in names:
        school.save(name, b"Pi is 3.14\n" + name.encode() + b"\n" * SMALL_BYTES)
    school.save("ada", b"Pi is 3.14\n")

    async def story() -> None:
        school.bench.going_on = asyncio.Event()
        large = [asyncio.create_task(school.service.check(name, "rr1", "pi")) for name in names]
        while school.bench.under_way.total() < IN_HAND:
            await asyncio.sleep(0.01)
        assert (await school.service.check("ada", "rr1", "pi")).score == 1
        assert school.bench.under_way.total() == IN_HAND
        school.bench.going_on.set()
        await asyncio.gather(*large)

    asyncio.run(story())
    assert school.bench.at_once <= IN_HAND + 1
    assert sorted(school.bench.turns_of) == sorted([*names, "ada"])


@pytest.mark.parametrize("how", ["time", "stopped"])
def test_who_was_stopped_waits_before_the_next(school: School, how: str) -> None:
    school.save("ada", b"Pi is 3.14\n")
    school.save("bob", b"Pi is 3.14\n")

    async def press(name: str) -> str:
        try:
            await school.service.check(name, "rr1", "pi")
        except RefusedError as refused:
            return f"{refused.status} {refused.reason}"
        return ""

    if how == "time":
        school.bench.outcome = failed(Rule("md"), message("check_problem_time"))
    else:
        school.bench.trouble = UnfinishedError("exercise_stopped")
    assert asyncio.run(press("ada")) == ("" if how == "time" else "503 exercise_stopped")
    school.bench.outcome = school.bench.trouble = None
    assert asyncio.run(press("ada")) == "429 exercise_pause"
    assert asyncio.run(press("bob")) == ""
    assert school.bench.turns_of == ["ada", "bob"]


def test_a_double_click_is_one_attempt(school: School) -> None:
    school.save("ada", b"Pi is 3\n")

    async def twice() -> None:
        await asyncio.gather(*(school.service.check("ada", "rr1", "once") for _ in range(2)))

    asyncio.run(twice())
    assert school.best("ada", "once")[0] == 1
    assert school.bench.same_at_once == 1, "one learner's, one after the other"


def test_a_teachers_push_is_seen_at_once_when_everybody_is_graded_again(school: School) -> None:
    async def push_and_grade() -> None:
        school.save("ada", b"Pi is 3.2\n")
        await school.service.check("ada", "rr1", "pi")
        school.projects.files["rr1/expected"] = {"pi.md": b"Pi is 3.2\n"}
        assert await school.service.recheck_all("rr1", "pi") == 1
        await school.service.retry()

    asyncio.run(push_and_grade())
    assert school.best("ada") == (1, 1)


@pytest.mark.parametrize(("there", "score"), [(False, 1), (True, 0)])
def test_grading_again_leaves_what_a_learner_took_away_as_it_was(
    school: School, there: bool, score: float
) -> None:
    async def take_away_and_grade() -> None:
        school.save("ada", b"Pi is 3.14\n")
        await school.service.check("ada", "rr1", "pi")
        if there:  # the version is, and only its file is not
            school.projects.files["ada/rr1"] = {}
            await school.service.check("ada", "rr1", "pi")
        else:
            del school.projects.files["ada/rr1"]
        await school.service.recheck_all("rr1", "pi")
        await school.service.retry()

    asyncio.run(take_away_and_grade())
    (standing,) = school.book.standings("rr1", username="ada")
    assert standing.last.score == score
    assert school.book.rechecks() == []
    assert [grade.score for grade in school.queue.due(10)] == [1]


def test_without_an_expected_answer_the_course_team_is_to_be_told(school: School) -> None:
    school.save("ada", b"Pi is 3\n")
    for files in ({}, {"pi.md": b""}):
        school.projects.files["rr1/expected"] = files
        school.projects.invalidate_cache()
        with pytest.raises(RefusedError) as caught:
            asyncio.run(school.service.check("ada", "rr1", "pi"))
        assert caught.value.reason == "exercise_expected_wrong"
    del school.projects.files["rr1/expected"]
    school.projects.invalidate_cache()
    with pytest.raises(RefusedError):
        asyncio.run(school.service.check("ada", "rr1", "pi"))
    assert school.book.standings("rr1") == []


def test_where_nothing_counts_nobody_is_given_everything(school: School) -> None:
    school.save("ada", b"Pi is 3\n")
    with pytest.raises(RefusedError) as caught:
        asyncio.run(school.service.check("ada", "rr1", "code"))
    assert caught.value.reason == "exercise_expected_wrong"
    assert school.book.standings("rr1") == []
    school.projects.files["rr1/expected"] = {"pi.md": b"```\nprint(pi)\n```\n"}
    school.projects.invalidate_cache()
    assert asyncio.run(school.service.check("ada", "rr1", "code")).score == 0


def test_a_desk_killed_before_a_grade_is_owed_has_no_attempt_either(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemExit

    school.save("ada", b"Pi is 3.14\n")
    with monkeypatch.context() as patch:
        patch.setattr(school.queue, "owe", killed)
        with pytest.raises(SystemExit):
            asyncio.run(school.service.check("ada", "rr1", "once"))
    assert school.book.standings("rr1") == []
    asyncio.run(school.service.check("ada", "rr1", "once"))
    assert [grade.score for grade in school.queue.due(10)] == [1]


@pytest.mark.parametrize(("course", "owed"), [("best", [1]), ("last", [0])])
def test_the_best_or_the_last_is_owed(school: School, course: str, owed: list[float]) -> None:
    school.course.grade = course
    for text in (b"Pi is 3.14\n", b"Nothing\n"):
        school.save("ada", text)
        asyncio.run(school.service.check("ada", "rr1", "pi"))
    assert [grade.score for grade in school.queue.due(10)] == owed
