"""Prepares the results of tests, values and prose for a page, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atelier.exercises.model import Comparison, ProseShown, RunShown, TestShown
from atelier.i18n.translate import DEFAULT, Language, say


@dataclass(frozen=True)
class TestView:
    """One test, value or part of prose: its state is passed, partly, failed or pending."""

    __test__ = False  # for pytest

    title: str
    state: str
    told: str
    """The state in words."""
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
    if "tests" not in comparison and "prose" not in comparison:
        return None
    tests, prose = comparison.get("tests", []), comparison.get("prose", [])
    details = comparison.get("details") or [""] * len(tests)
    run = comparison.get("run")
    pairs = zip(tests, details, strict=True)
    return Tried(
        tests=[
            *(_test(test, detail, lang) for test, detail in pairs),
            *(_prose(one, lang) for one in prose),
        ],
        run=_run(run, lang, is_notebook=is_notebook) if run else None,
        hidden=_hidden(comparison.get("hidden"), lang),
    )


def _test(test: TestShown, detail: str, lang: Language) -> TestView:
    title = test["name"]
    if test["kind"] != "test":
        title = say(f"tests_kind_{test['kind']}", lang, name=test["name"])
    sentence = ""
    if not test["passed"]:
        sentence = "" if test["problem"] == "stopped" else _teachers(test["say"], lang)
        sentence = sentence or say(f"test_problem_{test['problem']}", lang)
    state = "passed" if test["passed"] else "partly" if test["reached"] else "failed"
    return TestView(
        title=title,
        state=state,
        told=say(f"tests_{state}", lang),
        points=_points(test, lang),
        sentence=sentence,
        yours=test["yours"],
        detail=detail,
        hidden=test["hidden"],
    )


def _prose(part: ProseShown, lang: Language) -> TestView:
    passed = part["reached"] >= part["points"]
    state = "passed" if passed else "partly" if part["reached"] else "failed"
    if part["pending"]:
        state = "pending"
    message = part["message"]
    sentences = [say(message["key"], lang, **message["fields"])] if message else []
    if state != "passed":
        sentences.append(_teachers(part["say"], lang))
    return TestView(
        title=say("tests_kind_prose", lang, name=part["name"]),
        state=state,
        told=say(f"tests_{state}", lang),
        points=_points(part, lang),
        sentence=" ".join(sentence for sentence in sentences if sentence),
        yours="",
        detail="",
        hidden=False,
    )


def _teachers(told: Mapping[str, str], lang: Language) -> str:
    """Return a teacher's sentence in a language, or in another that there is."""
    return told.get(lang) or told.get(DEFAULT) or next(iter(told.values()), "")


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
