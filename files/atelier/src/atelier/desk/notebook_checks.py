"""Checks that a notebook's toolbar asks for: the result as data, in the learner's language.

``POST /api/checks`` with ``{"course", "path", "language"}`` comes from a learner's own server, as
``/api/git-credential`` does. ``path`` is a file of the course's folder that is an exercise. The
answer holds what the exercise's page shows to learners, and no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from atelier.desk.checks import CheckService
from atelier.desk.db.answers import Attempt
from atelier.desk.db.grades import Grade, GradeQueue
from atelier.desk.errors import RefusedError
from atelier.desk.explain import EXPLAINED, explain
from atelier.desk.pages.exercises import checks_left, exercise_path, percent, revealed
from atelier.desk.pages.teacher import grade_state
from atelier.desk.pages.tried import Tried, tried
from atelier.desk.server_requests import ServerRequests, json_fields
from atelier.exercises.exercises import Exercise
from atelier.exercises.value_checks import ending
from atelier.i18n.translate import Language, in_language, knows, language, say

log = logging.getLogger(__name__)

LONGEST_PATH = 4096
MOST_PARTS = 50
MOST_TESTS = 500
MOST_LINES = 20
"""Limit on warnings, and on the notes of a part."""
LONGEST_TEXT = 2000
"""Characters of each text that comes from a file of the learner or the course."""


class NotebookChecks:
    """Handler of the checks that learners' servers ask for.

    Args:
        server_requests: decides which learner's server sends a request.
        service: checks answers.
        grades: the queue of grades.
        prefix: path of the desk on the hub's host.
    """

    def __init__(
        self,
        server_requests: ServerRequests,
        service: CheckService,
        grades: GradeQueue,
        prefix: str,
    ) -> None:
        self._server_requests = server_requests
        self._service = service
        self._grades = grades
        self._prefix = prefix

    def routes(self) -> list[Route]:
        """Return the routes below ``/api``."""
        return [Route("/checks", self.check, methods=["POST"])]

    async def check(self, request: Request) -> Response:
        """Check the saved version of a file, for the learner whose server asks."""
        servers = self._server_requests
        token = servers.begin(request)
        data = await json_fields(request, "course")
        course, path = data["course"], data.get("path")
        if not isinstance(path, str) or not 0 < len(path) <= LONGEST_PATH:
            raise RefusedError(400, "path: a file's path is needed")
        asked = data.get("language")
        lang = language(asked if isinstance(asked, str) else None)
        known: dict[str, str] = {}
        try:
            username = await servers.owner(token, course)
            await servers.check_source_address(request, username, course, token)
            _course, declared, _version = await self._service.declared(course)
            exercise = declared.of_file(path)
            if exercise is None:
                raise RefusedError(404, "exercise_no_file")
            known = {
                "title": in_language(exercise.title, lang),
                "page": exercise_path(self._prefix, course, exercise.id),
            }
            attempt = await self._service.check(username, course, exercise.id)
            shown = await self._shown(attempt, exercise, lang)
        except EXPLAINED as error:
            return self._refused(error, known, lang)
        return JSONResponse({**known, **shown}, headers={"Cache-Control": "no-store"})

    @staticmethod
    def _refused(error: Exception, known: Mapping[str, str], lang: Language) -> Response:
        """Answer with the reason's key and its sentence, which a reason for programs has not."""
        if not isinstance(error, RefusedError):
            log.warning("check for a notebook: %s: %s", type(error).__name__, error)
        told = explain(error)
        answer: dict[str, str] = {**known, "reason": told.key}
        if knows(told.key):
            answer["words"] = say(told.key, lang, **told.fields)
        return JSONResponse(answer, told.status, {**told.headers, "Cache-Control": "no-store"})

    async def _shown(self, attempt: Attempt, exercise: Exercise, lang: Language) -> dict[str, Any]:
        whose = (attempt.username, attempt.course, attempt.exercise)
        standings = await asyncio.to_thread(
            self._service.book.standings,
            attempt.course,
            username=attempt.username,
            exercise=attempt.exercise,
        )
        grade = await asyncio.to_thread(self._grades.find, *whose)
        asked_for = await asyncio.to_thread(self._service.book.arrival, *whose) is not None
        left = checks_left(exercise, standings[0].attempts if standings else 0)
        return {
            **result(attempt, exercise, lang, datetime.now(UTC)),
            "attempts_left": left,
            "attempts": ""
            if left is None
            else say("exercise_left", lang, left=left, limit=exercise.attempts),
            "grade": _grade(grade, lang, asked_for=asked_for),
        }


def result(attempt: Attempt, exercise: Exercise, lang: Language, now: datetime) -> dict[str, Any]:
    """Return a check's result for its learner, in sentences, bounded in size.

    Args:
        attempt: the attempt, with its comparison.
        exercise: the exercise.
        lang: the learner's language.
        now: the current time, with a time zone.
    """
    shown = revealed(attempt, exercise, lang, now, staff=False)
    comparison: Mapping[str, Any] = shown["comparison"]
    is_notebook = ending(exercise.file) == ".ipynb"
    view = tried(shown["comparison"], lang, is_notebook=is_notebook)
    by_tests = "tests_" if view is not None and shown["verdict"] != "not_yet" else ""
    parts = _places(comparison, by_likeness=view is None, score=attempt.score)
    return {
        "score": shown["score"],
        "verdict": shown["verdict"],
        "words": say(f"verdict_{by_tests}{shown['verdict']}", lang),
        "commit": shown["commit"],
        "saved": shown["committed"],
        "checked": shown["checked"],
        "problem": _line(shown["problem"], lang) if shown["problem"] else "",
        "warnings": [_line(one, lang) for one in shown["warnings"][:MOST_LINES]],
        "hint": _cut(shown["hint"]),
        **_tried(view, comparison, is_notebook=is_notebook),
        "about_parts": say("tests_diff", lang) if parts and view is not None else "",
        "parts": [_part(part, lang) for part in parts[:MOST_PARTS]],
        "parts_left_out": max(len(parts) - MOST_PARTS, 0),
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _line(message: Mapping[str, Any], lang: Language) -> str:
    return _cut(say(message["key"], lang, **message["fields"]))


def _tried(
    view: Tried | None, comparison: Mapping[str, Any], *, is_notebook: bool
) -> dict[str, Any]:
    """Return the tests and where the answer stopped, as the exercise's page shows them."""
    if view is None:
        return {"tests": [], "hidden": "", "run": None}
    return {
        "tests": [
            {
                "name": _cut(test.title),
                "state": test.state,
                "words": test.told,
                "points": test.points,
                "say": _cut(test.sentence),
                "yours": _cut(test.yours),
                "cell": None,
            }
            for test in view.tests[:MOST_TESTS]
        ],
        "hidden": view.hidden,
        "run": view.run
        and {
            "words": f"{view.run.place} {view.run.sentence}".strip(),
            "error": _cut(view.run.error),
            "cell": comparison["run"]["cell"] if is_notebook else None,
            "line": None if is_notebook else comparison["run"]["cell"],
        },
    }


def _places(
    comparison: Mapping[str, Any], *, by_likeness: bool, score: float
) -> list[Mapping[str, Any]]:
    """Return the parts to look at: those that cost points, or else may have.

    Where tests decide, no part costs points by its text, but one of those that differ is where the
    answer is not right yet.
    """
    differ = [part for part in comparison["parts"] if part["state"] != "equal"]
    if by_likeness:
        return [part for part in differ if part["weight"]]
    return [part for part in differ if part["state"] == "changed"] if score < 1 else []


def _part(part: Mapping[str, Any], lang: Language) -> dict[str, Any]:
    answer = part["answer"] or {}
    place = part["answer"] or part["expected"] or {}
    kind, number = say(f"part_{part['kind']}", lang), place.get("number")
    return {
        "kind": part["kind"],
        "state": part["state"],
        "cell": answer.get("cell"),
        "line": answer.get("line"),
        "name": f"{kind} {number}" if number else kind,
        "words": say(f"state_{part['state']}", lang),
        "notes": [_line(note, lang) for note in part["notes"][:MOST_LINES]],
    }


def _grade(grade: Grade | None, lang: Language, *, asked_for: bool) -> dict[str, str]:
    """Return what is known of the grade in the course platform, with a sentence.

    Args:
        grade: the grade, if there is one.
        lang: the learner's language.
        asked_for: whether a launch has said where the grade goes.
    """
    state = grade_state(grade)
    if state in ("owed", "failed") and not asked_for:
        state = "waiting"  # the sender has not looked yet
    score = percent(grade.score, lang) if grade is not None else ""
    return {"state": state, "words": say(f"grade_is_{state}", lang, score=score)}
