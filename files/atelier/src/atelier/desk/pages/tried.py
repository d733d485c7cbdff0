"""Prepares the results of tests and values for a page, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atelier.exercises.model import Comparison, RunShown, TestShown
from atelier.i18n.translate import DEFAULT, Language, say


@dataclass(frozen=True)
class TestView:
    """One test or value: its state is passed, partly or failed."""

    __test__ = False  # for pytest

    title: str
    state: str
    points: str
    sentence: str
    yours: str
    detail: str
    hidden: bool


@dataclass(frozen=True)
class RunView:
    """Why the answer's code did not run to its end."""

    place: str
    sentence: str
    error: str


@dataclass(frozen=True)
class Tried:
    """What was tried; ``hidden`` is a sentence about hidden tests, empty if there are none."""

    tests: list[TestView]
    run: RunView | None
    hidden: str


def number(value: float, lang: Language) -> str:
    """Write a number as the language does."""
    return f"{value:.4g}".replace(".", say("decimal_sign", lang))


def tried(comparison: Comparison, lang: Language, *, is_notebook: bool) -> Tried | None:
    """Return what a page shows of tests; None: likeness decides, or the file cannot be read.

    Args:
        comparison: the comparison, reduced to what the reader may see.
        lang: the reader's language.
        is_notebook: whether places in the file are cells; else they are lines.
    """
    if "tests" not in comparison:
        return None
    details = comparison.get("details") or [""] * len(comparison["tests"])
    run = comparison.get("run")
    pairs = zip(comparison["tests"], details, strict=True)
    return Tried(
        tests=[_test(test, detail, lang) for test, detail in pairs],
        run=_run(run, lang, is_notebook=is_notebook) if run else None,
        hidden=_hidden(comparison.get("hidden"), lang),
    )


def _test(test: TestShown, detail: str, lang: Language) -> TestView:
    title = test["name"]
    if test["kind"] != "test":
        title = say(f"tests_kind_{test['kind']}", lang, name=test["name"])
    told = test["say"]
    sentence = ""
    if not test["passed"]:
        teachers = told.get(lang) or told.get(DEFAULT) or next(iter(told.values()), "")
        stopped = test["problem"] == "stopped"
        sentence = teachers if teachers and not stopped else ""
        sentence = sentence or say(f"test_problem_{test['problem']}", lang)
    return TestView(
        title=title,
        state="passed" if test["passed"] else "partly" if test["reached"] else "failed",
        points=_points(test, lang),
        sentence=sentence,
        yours=test["yours"],
        detail=detail,
        hidden=test["hidden"],
    )


def _points(sums: Mapping[str, Any], lang: Language) -> str:
    reached, points = number(sums["reached"], lang), number(sums["points"], lang)
    return say("tests_points_reached", lang, reached=reached, points=points)


def _run(run: RunShown, lang: Language, *, is_notebook: bool) -> RunView:
    place = ""
    if run["cell"] is not None:
        place = say("run_at_cell" if is_notebook else "run_at_line", lang, number=run["cell"])
    return RunView(place, say(run["problem"], lang, name=run["name"]), run["error"])


def _hidden(hidden: Mapping[str, Any] | None, lang: Language) -> str:
    if not hidden or not hidden["count"]:
        return ""
    return say(
        "tests_hidden_sum",
        lang,
        passed=hidden["passed"],
        count=hidden["count"],
        reached=number(hidden["reached"], lang),
        points=number(hidden["points"], lang),
    )
