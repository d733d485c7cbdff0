"""Checks that a notebook's toolbar asks for: who may, what they read, what stays at the desk."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from atelier.desk.api import EXCEPTION_HANDLERS
from atelier.desk.credentials import HubUnavailableError, TooOftenError
from atelier.desk.db.answers import AnswerRepository, Arrival, Attempt
from atelier.desk.db.grades import GradeQueue
from atelier.desk.errors import RefusedError
from atelier.desk.notebook_checks import MOST_PARTS, NotebookChecks, result
from atelier.desk.server_requests import ServerRequests
from atelier.exercises.engine import compare
from atelier.exercises.exercises import CourseExercises, Exercise
from atelier.gitlab.errors import GitLabRateLimitedError, GitLabUnavailableError, SpaceError
from kit.desk_database import desk_database
from starlette.applications import Starlette
from starlette.routing import Mount

EXPECTED = b"# Pi\n\nPi is 3.1416, which everybody knows.\n\nA secret word.\n"
ANSWER = b"# Pi\n\nPi is 3.15, which everybody knows.\n"
GIVEN = b"# Pi\n"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TOKEN = "of-adas-server"
SEAT = "172.31.0.7"


def exercise(**values: Any) -> Exercise:
    titles = {"title": {"fr": "Le nombre pi", "en": "The number pi"}}
    hint = {"hint": {"fr": "Regardez les décimales.", "en": "Look at the decimals."}}
    return Exercise(**{"id": "pi", "file": "exercises/pi.md", **titles, **hint, **values})


def attempt(of: Exercise, comparison: Mapping[str, Any] | None = None) -> Attempt:
    found = comparison or compare(EXPECTED, ANSWER, of.rule(), GIVEN)
    fixed = {"commit": "c0ffee", "committed": "2026-03-01T10:00:00Z", "digest": "d"}
    whose = {"username": "ada", "course": "rr1", "exercise": "pi"}
    return Attempt(
        **whose, **fixed, checked=time.time(), score=found["score"], comparison=dict(found)
    )


class Hub:
    """Knows one server, Ada's for the course rr1, and where it runs."""

    def __init__(self) -> None:
        self.address: str | None = SEAT
        self.away = False

    async def owner(self, token: str, course: str) -> str | None:
        if self.away:
            raise HubUnavailableError
        return "ada" if (token, course) == (TOKEN, "rr1") else None

    async def server_address(self, token: str, course: str) -> str | None:
        assert (token, course) == (TOKEN, "rr1")
        return self.address


class Desk:
    """A course with one exercise at a desk, which Ada's server asks."""

    def __init__(self, folder: Path) -> None:
        engine = desk_database(folder)
        self.book, self.queue = AnswerRepository(engine), GradeQueue(engine)
        self.hub = Hub()
        self.exercise = exercise()
        self.checked: list[tuple[str, str, str]] = []
        self.trouble: Exception | None = None
        self.closed = False
        self.busy = 0
        servers = ServerRequests(cast(Any, self.hub), cast(Any, self), self._check_rate)
        checks = NotebookChecks(servers, cast(Any, self), self.queue, "/moocs/services/desk")
        routes = [Mount("/api", routes=checks.routes())]
        app = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
        self.transport = httpx.ASGITransport(app, client=(SEAT, 40_000))

    def _check_rate(self, address: str | None) -> None:
        assert address == SEAT
        if self.busy:
            raise TooOftenError(self.busy)

    async def admit(self, username: str, course: str) -> None:
        assert (username, course) == ("ada", "rr1")
        if self.closed:
            raise RefusedError(403, "entry_closed")

    async def declared(self, slug: str) -> tuple[Any, CourseExercises, None]:
        listed = CourseExercises(version=1, exercises=(self.exercise,))
        return SimpleNamespace(slug=slug), listed, None

    async def check(self, *whose: str) -> Attempt:
        self.checked.append(cast(tuple[str, str, str], whose))
        if self.trouble is not None:
            raise self.trouble
        made = attempt(self.exercise)
        self.book.record(made, lambda at, best: self.queue.owe("ada", "rr1", "pi", best, at))
        return made

    def ask(self, token: str = TOKEN, **values: Any) -> httpx.Response:
        """Ask as the toolbar does; ``headers`` are more of the request's own."""
        headers = {"Authorization": f"token {token}"} if token else {}
        headers |= values.pop("headers", {})
        asked = {"course": "rr1", "path": "exercises/pi.md", "language": "en", **values}

        async def post() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport) as client:
                url = "http://desk.example/api/checks"
                return await client.post(url, json=asked, headers=headers)

        return asyncio.run(post())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_check_answers_in_sentences_of_the_learners_language(desk: Desk) -> None:
    answer = desk.ask()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found = answer.json()
    assert desk.checked == [("ada", "rr1", "pi")]
    assert found["title"] == "The number pi"
    assert found["page"] == "/moocs/services/desk/courses/rr1/exercises/pi"
    assert (found["verdict"], found["words"]) == ("not_yet", "Not yet.")
    assert 0 < int(found["score"].removesuffix("\u202f%").rstrip(" %\u00a0")) < 80
    assert found["hint"] == "Look at the decimals."
    assert (found["commit"], found["tests"]) == ("c0ffee", [])
    changed, missing = found["parts"]
    assert (changed["line"], changed["state"], changed["words"]) == (3, "changed", "differs")
    assert (missing["line"], missing["words"]) == (None, "missing")
    assert (found["attempts_left"], found["attempts"]) == (None, "")
    french = desk.ask(language="fr-FR").json()
    assert french["title"] == "Le nombre pi"
    assert french["words"] != "Not yet."
    assert desk.ask(language=7).json()["title"] == "The number pi", "nonsense is English"


def test_it_tells_what_is_left_and_where_the_grade_is(desk: Desk) -> None:
    desk.exercise = exercise(attempts=3)
    found = desk.ask().json()
    assert (found["attempts_left"], found["attempts"]) == (2, "2 of 3 checks left")
    assert found["grade"]["state"] == "waiting", "no launch has said where it goes"
    launch = Arrival("ada", "rr1", "pi", "campus", "https://lms.example/out", "s", None, 1.0)
    desk.book.record_launches([(launch, "Ada", False)])
    assert desk.ask().json()["grade"]["state"] == "owed"
    desk.queue.sent(desk.queue.of_course("rr1")["ada", "pi"])
    sent = desk.ask().json()["grade"]
    assert sent["state"] == "sent"
    assert desk.ask().json()["score"] in sent["words"]


@pytest.mark.parametrize(("show", "hint"), [("hints", True), ("verdict", False), ("full", True)])
def test_no_answer_holds_what_is_expected(desk: Desk, show: str, hint: bool) -> None:
    """The panel shows where it differs; even a course that shows all shows it on the page."""
    desk.exercise = exercise(show=show)
    answer = desk.ask()
    assert "3.1416" not in answer.text
    assert "secret word" not in answer.text
    assert bool(answer.json()["hint"]) is hint
    assert bool(answer.json()["parts"]) is hint


def test_nothing_of_a_hidden_test_but_numbers_leaves_the_desk() -> None:
    def test(name: str, **values: Any) -> dict[str, Any]:
        said = {"fr": f"Dire {name}", "en": f"Say {name}"}
        fixed = {"kind": "test", "points": 2.0, "problem": "assertion", "yours": ""}
        return {"name": name, "reached": 0.0, "passed": False, "say": said, **fixed, **values}

    comparison: dict[str, Any] = {
        **compare(EXPECTED, ANSWER, exercise().rule(), GIVEN),
        "tests": [
            test("mean", hidden=False),
            test("lucky", hidden=False, reached=2.0, passed=True, problem=""),
            test("canary", hidden=True),
            test("other", hidden=False, say={"de": "Nur Deutsch"}),
        ],
        "details": ["AssertionError: canary"] * 4,
    }
    shown = result(attempt(exercise(), comparison), exercise(), "fr", NOW)
    assert "canary" not in json.dumps(shown)
    told = [(one["name"], one["state"], one["say"]) for one in shown["tests"]]
    assert told == [
        ("mean", "failed", "Dire mean"),
        ("lucky", "passed", ""),
        ("other", "failed", "Nur Deutsch"),
    ]
    assert "2" in shown["tests"][0]["points"]
    assert "1" in shown["hidden"]
    assert shown["run"] is None


def test_where_tests_decide_what_differs_is_a_place_to_look_at() -> None:
    whole = compare(EXPECTED, ANSWER, exercise().rule(), GIVEN)
    unweighted = [{**part, "weight": 0.0} for part in whole["parts"]]
    comparison = {**whole, "parts": unweighted, "tests": [], "details": [], "score": 0.5}
    shown = result(attempt(exercise(), comparison), exercise(), "en", NOW)
    assert [(one["state"], one["line"]) for one in shown["parts"]] == [("changed", 3)]
    assert "does not count" in shown["about_parts"]
    comparison["score"] = 1.0
    shown = result(attempt(exercise(), comparison), exercise(), "en", NOW)
    assert (shown["parts"], shown["about_parts"]) == ([], "")
    assert shown["words"] == "All that was tried passed."


@pytest.mark.parametrize(("file", "cell", "line"), [("a.ipynb", 4, None), ("a.py", None, 4)])
def test_it_says_where_the_answer_stopped(file: str, cell: int | None, line: int | None) -> None:
    stopped = {"problem": "run_error", "cell": 4, "error": "NameError: name 'x'", "name": ""}
    whole = compare(EXPECTED, ANSWER, exercise().rule(), GIVEN)
    comparison = {**whole, "tests": [], "details": [], "run": stopped}
    shown = result(attempt(exercise(), comparison), exercise(file=file), "en", NOW)
    assert (shown["run"]["cell"], shown["run"]["line"]) == (cell, line)
    assert shown["run"]["error"] == "NameError: name 'x'"
    assert "stops here" in shown["run"]["words"]


def test_an_answer_is_bounded() -> None:
    many = b"\n\n".join(b"line %d" % number for number in range(400))
    wrong = b"\n\n".join(b"other %d" % number for number in range(400))
    comparison = compare(many, wrong, exercise().rule(), None)
    shown = result(attempt(exercise(hint=None), comparison), exercise(hint=None), "en", NOW)
    assert len(shown["parts"]) == MOST_PARTS
    assert shown["parts_left_out"] >= 400 - MOST_PARTS
    assert len(json.dumps(shown)) < 64 * 1024


def test_only_a_learners_own_server_is_answered(desk: Desk) -> None:
    """As for git's credentials: a token that was carried elsewhere gets nothing."""
    assert desk.ask(token="").status_code == 401
    assert desk.ask(token="nonsense").status_code == 403
    assert desk.ask(course="rr2").status_code == 403
    forwarded = desk.ask(headers={"X-Forwarded-For": "10.0.0.1"})
    assert forwarded.status_code == 403
    desk.hub.address = "172.31.0.9"
    assert "elsewhere" in desk.ask().json()["reason"]
    desk.hub.address = None
    stopped = desk.ask()
    assert stopped.status_code == 403
    assert "stopped" in stopped.json()["reason"]
    assert desk.checked == []
    assert desk.book.standings("rr1") == []


def test_who_has_no_access_any_more_reads_why(desk: Desk) -> None:
    desk.closed = True
    answer = desk.ask()
    assert (answer.status_code, answer.json()["reason"]) == (403, "entry_closed")
    assert answer.json()["words"]
    assert desk.checked == []


def test_a_server_that_asks_too_often_is_told_when_to_come_back(desk: Desk) -> None:
    desk.busy = 7
    answer = desk.ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("path", ["", 3, None, "x" * 5000])
def test_a_request_names_a_file(desk: Desk, path: object) -> None:
    assert desk.ask(path=path).status_code == 400
    assert desk.ask(course="").status_code == 400
    assert desk.ask(note="x" * 20_000).status_code == 413


def test_a_file_that_is_no_exercise_is_said(desk: Desk) -> None:
    answer = desk.ask(path="exercises/../exercises/pi.md", language="fr")
    assert answer.status_code == 404
    told = answer.json()
    assert (told["reason"], set(told)) == ("exercise_no_file", {"reason", "words"})
    assert desk.checked == []


@pytest.mark.parametrize(
    ("trouble", "status", "reason"),
    [
        (RefusedError(409, "exercise_upcoming"), 409, "exercise_upcoming"),
        (RefusedError(409, "exercise_closed"), 409, "exercise_closed"),
        (RefusedError(409, "exercise_no_attempt"), 409, "exercise_no_attempt"),
        (RefusedError(409, "exercise_no_space"), 409, "exercise_no_space"),
        (RefusedError(429, "exercise_pause"), 429, "exercise_pause"),
        (RefusedError(503, "exercise_busy"), 503, "exercise_busy"),
        (GitLabUnavailableError("away"), 503, "page_gitlab_down"),
        (GitLabRateLimitedError("much", 12), 503, "page_gitlab_busy"),
        (SpaceError("blocked"), 409, "page_gitlab_refuses"),
    ],
)
def test_a_check_that_cannot_be_made_is_said_with_the_way_to_the_page(
    desk: Desk, trouble: Exception, status: int, reason: str
) -> None:
    desk.trouble = trouble
    answer = desk.ask()
    told = answer.json()
    assert (answer.status_code, told["reason"]) == (status, reason)
    assert told["words"].endswith(".")
    assert told["page"].endswith("/courses/rr1/exercises/pi")
    assert told["title"] == "The number pi"
    assert answer.headers.get("retry-after") == ("12" if reason == "page_gitlab_busy" else None)


def test_without_the_hub_nobody_is_known(desk: Desk) -> None:
    desk.hub.away = True
    answer = desk.ask()
    assert (answer.status_code, answer.json()["reason"]) == (503, "hub_down")
