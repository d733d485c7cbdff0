"""Checking an answer, with projects in memory: what is read, what is recorded, what is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from atelier.desk.checking.judge import IN_HAND, SMALL_IN_HAND
from atelier.desk.checks import STOPPED_TRIES
from atelier.desk.errors import RefusedError
from atelier.exercises.model import Rule, failed, message
from atelier.exercises.runner import UnfinishedError
from atelier.limits.fair_queue import SMALL_BYTES
from kit.school import School


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


@pytest.mark.parametrize("left", ["nothing", "the project"])
def test_grading_again_leaves_what_a_learner_took_away_as_it_was(school: School, left: str) -> None:
    async def take_away_and_grade() -> None:
        school.save("ada", b"Pi is 3.14\n")
        await school.service.check("ada", "rr1", "pi")
        if left == "nothing":
            del school.projects.files["ada/rr1"]
        else:
            school.projects.files["ada/rr1"] = {}
        await school.service.recheck_all("rr1", "pi")
        await school.service.retry()

    asyncio.run(take_away_and_grade())
    assert school.best("ada") == (1, 1)
    assert school.book.rechecks() == []
    assert [grade.score for grade in school.queue.due(10)] == [1]


def test_a_missing_file_is_no_attempt_and_no_grade_and_can_be_made(school: School) -> None:
    school.projects.files["ada/rr1"] = {"other.md": b"Pi is 3.14\n"}
    with pytest.raises(RefusedError) as caught:
        asyncio.run(school.service.check("ada", "rr1", "once"))
    assert (caught.value.status, caught.value.reason) == (409, "exercise_file_missing")
    assert school.book.standings("rr1") == []
    assert school.queue.of_course("rr1") == {}
    asyncio.run(school.service.make_file("ada", "rr1", "once"))
    assert school.projects.files["ada/rr1"]["pi.md"] == b"Write here.\n"
    author = {"author_name": "Ada", "author_email": "ada@example.org"}
    assert school.projects.made == [("main", "pi.md", "pi.md: the course's file", author)]
    assert asyncio.run(school.service.check("ada", "rr1", "once")).score == 0


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
