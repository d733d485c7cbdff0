"""Grades: what is sent, what an answer means, when it is tried again, what a spreadsheet gets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from atelier.desk.db.grades import MAX_TRIES, Grade, GradeQueue, pause
from atelier.desk.pages.exercises import percent
from atelier.desk.pages.teacher import grade_state, harmless
from atelier.lti import outcomes11
from atelier.lti.scores13 import ScorePlace
from kit.desk_database import desk_database
from lms import outcomes

ADDRESS = "https://lms.example/outcomes/pi"
SECRET = "a-secret" * 4


def send(
    book: outcomes.GradeBook, score: float, *, secret: str = SECRET, tamper: bool = False
) -> str:
    """Send a score as the desk does to Open edX's service; its answer."""
    body = outcomes11.replace_result("course:link:ada%20%26", score)
    headers = outcomes11.signed_headers(ADDRESS, body, "campus", secret)
    if tamper:
        body = body.replace(b"0.5000", b"1.0000")
    return outcomes.answer(book, "pi", SECRET, ADDRESS, headers, body)


def test_open_edx_takes_the_score() -> None:
    book = outcomes.GradeBook()
    answer = send(book, 0.5)
    assert outcomes11.refusal(answer.encode()) is None
    assert book.score("ada &", "pi") == 0.5


@pytest.mark.parametrize("wrong", [{"secret": "another-" * 4}, {"tamper": True}])
def test_a_score_that_is_not_signed_right_is_refused(wrong: dict[str, bool]) -> None:
    book = outcomes.GradeBook()
    answer = send(book, 0.5, **wrong)  # type: ignore[arg-type]
    refused = outcomes11.refusal(answer.encode())
    assert refused is not None
    assert "OAuth" not in refused
    assert "OAuth verification error" in outcomes11.description(answer.encode())
    assert not book.changes


@pytest.mark.parametrize(
    "answer", [b"", b"<html>502</html>", b"<imsx_codeMajor>failure</imsx_codeMajor>"]
)
def test_what_is_not_a_success_is_a_refusal(answer: bytes) -> None:
    assert outcomes11.refusal(answer)


@pytest.fixture
def queue(tmp_path: Path) -> GradeQueue:
    return GradeQueue(desk_database(tmp_path))


def only(queue: GradeQueue) -> Grade:
    (grade,) = queue.of_course("rr1").values()
    return grade


def test_each_change_is_owed_once(queue: GradeQueue) -> None:
    queue.owe("ada", "rr1", "pi", 0.5)
    (grade,) = queue.due(10)
    queue.sent(grade)
    queue.owe("ada", "rr1", "pi", 0.5)
    assert queue.due(10) == []
    assert grade_state(only(queue)) == "sent"
    queue.owe("ada", "rr1", "pi", 0.7)
    assert [one.score for one in queue.due(10)] == [0.7]


def test_a_score_that_changes_while_it_is_sent_is_still_owed(queue: GradeQueue) -> None:
    queue.owe("ada", "rr1", "pi", 0.5)
    (sending,) = queue.due(10)
    queue.owe("ada", "rr1", "pi", 0.9)
    queue.sent(sending)
    assert [one.score for one in queue.due(10)] == [0.9]


def test_a_grade_that_is_to_go_elsewhere_while_it_is_sent_is_still_owed(queue: GradeQueue) -> None:
    queue.owe("ada", "rr1", "pi", 0.5)
    (sending,) = queue.due(10)
    queue.wake("ada", "rr1", "pi", address_changed=True)
    queue.sent(sending)
    (again,) = queue.due(10)
    queue.sent(again)
    assert queue.due(10) == []


@pytest.mark.parametrize("meanwhile", ["launch", "teacher", "failure"])
def test_a_grade_is_not_sent_twice_for_what_happens_on_its_way(
    queue: GradeQueue, meanwhile: str
) -> None:
    queue.owe("ada", "rr1", "pi", 0.5)
    if meanwhile != "launch":
        queue.failed(only(queue), "no answer")
        queue.try_again("rr1")
    (sending,) = queue.due(10)
    if meanwhile == "teacher":
        queue.try_again("rr1")
    else:
        queue.wake("ada", "rr1", "pi")
    queue.sent(sending)
    assert queue.due(10) == []
    assert grade_state(only(queue)) == "sent"


def test_a_failure_waits_longer_each_time_and_a_teacher_may_have_it_tried(
    queue: GradeQueue,
) -> None:
    assert [pause(tries) for tries in (1, 2, 3)] == [15, 30, 60]
    assert pause(MAX_TRIES) == 3600
    queue.owe("ada", "rr1", "pi", 0.5)
    (grade,) = queue.due(10)
    queue.failed(grade, "no answer")
    assert queue.due(10) == []
    assert grade_state(only(queue)) == "failed"
    queue.try_again("rr1")
    assert len(queue.due(10)) == 1
    queue.owe("ada", "rr1", "pi", 0.5)
    for _ in range(MAX_TRIES):
        queue.failed(only(queue), "no answer")
    queue.wake("ada", "rr1", "pi")
    assert len(queue.due(10)) == 1


def test_a_grade_nobody_asked_for_waits_for_a_launch(queue: GradeQueue) -> None:
    queue.owe("ada", "rr1", "pi", 0.5)
    queue.wait_for_arrival(only(queue))
    assert queue.due(10) == []
    assert grade_state(only(queue)) == "waiting"
    queue.wake("ada", "rr1", "pi")
    assert len(queue.due(10)) == 1


def test_a_launch_that_comes_while_its_grade_is_found_homeless_is_heard(queue: GradeQueue) -> None:
    queue.owe("ada", "rr1", "pi", 0.5)
    (grade,) = queue.due(10)
    queue.wake("ada", "rr1", "pi", address_changed=True)
    queue.wait_for_arrival(grade)
    assert len(queue.due(10)) == 1


FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")


@pytest.mark.parametrize("text", ["Ada;=1+1", "Ada;;@x", "Ada\n=1", "Ada;\r=1", "Ada\t=1"])
def test_no_cell_holds_another_cell(text: str) -> None:
    assert not set(harmless(text)) & set(";\n\r\t")


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert harmless("Ada") == "Ada"
    assert harmless(0.5) == "0.5"


@pytest.mark.parametrize(("score", "shown"), [(0, "0"), (0.996, "99"), (1.0, "100"), (0.5, "50")])
def test_only_everything_is_a_hundred(score: float, shown: str) -> None:
    assert percent(score, "en") == f"{shown}%"
    assert percent(score, "fr") == f"{shown}\u00a0%"


AGS = {
    "lineitem": "https://lms.example/api/lineitems/7?course=a%20b",
    "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
}
SERVICES = {"registration": "moodle", "client_id": "tool", "sub": "ada &", "ags": AGS}


def test_a_score_of_lti_13_goes_below_its_line_item() -> None:
    place = ScorePlace.of(SERVICES)
    assert place is not None
    assert place.url == "https://lms.example/api/lineitems/7/scores?course=a%20b"
    sent = json.loads(place.message(0.123456, datetime(2026, 3, 1, 12, tzinfo=UTC)))
    assert sent == {
        "userId": "ada &",
        "scoreGiven": 0.1235,
        "scoreMaximum": 1,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-03-01T12:00:00.000Z",
    }


@pytest.mark.parametrize(
    "claim",
    [
        None,
        {},
        {**AGS, "lineitem": "ftp://lms.example/7"},
        {**AGS, "lineitem": None},
        {**AGS, "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"]},
        {"lineitems": "https://lms.example/api/lineitems", "scope": AGS["scope"]},
    ],
)
def test_a_link_without_a_line_item_takes_no_score(claim: object) -> None:
    assert ScorePlace.of({**SERVICES, "ags": claim}) is None
