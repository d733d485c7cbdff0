"""Scores an answer by what its code computed: tests that passed, values that are right."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atelier.exercises.exercises import Exercise
from atelier.exercises.model import Comparison, ProseShown, RunShown, TestShown, message
from atelier.exercises.same_values import (
    Closeness,
    file_problem,
    line_problem,
    text_problem,
    value_problem,
)
from atelier.exercises.score import share_of_points
from atelier.exercises.testfiles.model import TeacherTest
from atelier.exercises.value_checks import ValueCheck
from atelier.sandbox.model import Found, Outcome

LONGEST_SHOWN = 100
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class Ran:
    """What running an answer gave.

    Attributes:
        tests: outcomes by the tests' names; a test without one failed.
        values: in the order of the exercise's values.
        wanted: the values that they should be, in the same order.
        run: the problem that stopped the run, if any: then nothing is reached.
    """

    tests: Mapping[str, Outcome]
    values: Sequence[Found]
    wanted: Sequence[Any]
    run: RunShown | None = None


def points_of(exercise: Exercise, tests: Sequence[TeacherTest]) -> float:
    """Return the points that can be reached by tests, values and prose."""
    points = [one.points for one in tests] + [one.points for one in exercise.values]
    return math.fsum(points + [one.points for one in exercise.prose])


def with_computed(
    comparison: Comparison, exercise: Exercise, tests: Sequence[TeacherTest], ran: Ran
) -> Comparison:
    """Return a comparison with the results of tests and values, which make its score.

    Likeness stays in it as the difference to show, and no longer counts.
    """
    shown: list[TestShown] = []
    details: list[str] = []
    for test in tests:
        outcome = None if ran.run else ran.tests.get(test.name)
        shown.append(_test(test, outcome, stopped=ran.run is not None))
        details.append(outcome.detail if outcome is not None else "")
    for number, check in enumerate(exercise.values):
        found = ran.values[number] if not ran.run and number < len(ran.values) else None
        problem = _value_problem(check, found, ran.wanted[number]) if found else "missing"
        shown.append(_value(check, found, "stopped" if ran.run else problem))
        details.append(_cut(f"expected: {ran.wanted[number]!r}") if problem and found else "")
    result: Comparison = {**comparison, "tests": shown, "details": details, "run": ran.run}
    return _scored(result)


def _scored(comparison: Comparison) -> Comparison:
    """Return a comparison whose score is the share of the points of tests and prose."""
    tried: list[TestShown | ProseShown] = [
        *comparison.get("tests", []),
        *comparison.get("prose", []),
    ]
    reached = math.fsum(one["reached"] for one in tried)
    total = math.fsum(one["points"] for one in tried)
    return {
        **comparison,
        "score": share_of_points(tried),
        "rule": [message("check_rule_points", reached=_short(reached), total=_short(total))],
        "parts": [{**part, "weight": 0.0} for part in comparison["parts"]],
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _short(number: float) -> str:
    return f"{number:.4g}"


def _test(test: TeacherTest, outcome: Outcome | None, *, stopped: bool) -> TestShown:
    score = outcome.score if outcome is not None else 0.0
    score = min(max(score, 0.0), 1.0) if math.isfinite(score) else 0.0
    problem = "" if score >= 1 else (outcome.problem or "partial") if outcome else "missing"
    return {
        "kind": "test",
        "name": test.name,
        "points": test.points,
        "reached": test.points * score,
        "passed": score >= 1,
        "say": dict(test.say),
        "hidden": test.hidden,
        "problem": "stopped" if stopped else problem,
        "yours": "",
    }


def _value(check: ValueCheck, found: Found | None, problem: str) -> TestShown:
    yours = ""
    if problem and found is not None and found.present and check.kind == "variable":
        yours = _cut(repr(found.value))
    return {
        "kind": check.kind,
        "name": check.name,
        "points": check.points,
        "reached": 0.0 if problem else check.points,
        "passed": not problem,
        "say": check.say.model_dump() if check.say else {},
        "hidden": check.hidden,
        "problem": problem,
        "yours": yours,
    }


def _value_problem(check: ValueCheck, found: Found, wanted: Any) -> str:
    if not found.present:
        return found.problem or "undefined"
    near = Closeness(check.tolerance.absolute, check.tolerance.relative)
    compare: Mapping[str, Callable[[], str]] = {
        "variable": lambda: value_problem(found.value, wanted, near, check.key),
        "output": lambda: _output_problem(check, str(found.value), wanted, near),
        "file": lambda: file_problem(str(found.value), wanted, check.name, near, check.key),
    }
    return compare[check.kind]()


def _output_problem(check: ValueCheck, found: str, wanted: Any, near: Closeness) -> str:
    if check.label:
        return line_problem(found, wanted, check.label, near)
    return text_problem(found, wanted, near)
