"""Parts in the learner's own words are decided as persons decided them in ``tests/answers``."""

from __future__ import annotations

from typing import Any

import pytest
from atelier.exercises.engine import read
from atelier.exercises.exercises import Exercise
from atelier.exercises.model import Limits, ProseShown, Rule
from atelier.exercises.prose import judge
from kit import judged_answers
from kit.judged_answers import JudgedExercise

COMPUTED = {("rmd-cooling", "covariance-and-inline-code", "constant")}
"""Numbers that R Markdown computes when the document is made: a person decides."""


def prose_of(exercise: JudgedExercise) -> list[dict[str, Any]]:
    return [part for part in exercise.data["parts"] if part["kind"] == "prose"]


WITH_PROSE = [name for name in judged_answers.exercises() if prose_of(judged_answers.read(name))]


def declared(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the table as a course declares it."""
    expects = part["expects"]
    made: dict[str, Any] = {"part": part.get("cell") or part["section"], "points": part["points"]}
    if expects == "person":
        return made | {"person": True}
    if "texts" in expects:
        return made | {"accepted": expects["texts"]}
    if "keyword" in expects:
        groups = [one if isinstance(one, list) else [one] for one in expects["keyword"]]
        return made | {"expects": {"keywords": groups}}
    return made | {"expects": expects}


def rule_of(exercise: JudgedExercise) -> Rule:
    data = {"id": "x", "title": {"fr": "x", "en": "x"}, "file": exercise.file}
    prose = [declared(part) for part in prose_of(exercise)]
    return Exercise.model_validate({**data, "prose": prose}).rule()


def earned(part: dict[str, Any], shown: ProseShown) -> bool:
    least = part["expects"].get("likeness", 1)
    return shown["reached"] >= least * shown["points"]


@pytest.mark.parametrize("name", WITH_PROSE)
def test_prose_is_judged_as_by_a_person(name: str) -> None:
    exercise = judged_answers.read(name)
    parts = prose_of(exercise)
    rule = rule_of(exercise)
    given = read(exercise.template, rule, Limits())
    wrong, waiting = [], set()
    for answer in exercise.answers:
        file = answer.files[exercise.file]
        if file is None:
            continue
        found = judge(read(file, rule, Limits()), given, rule.prose)
        for part, shown in zip(parts, found, strict=True):
            if part["expects"] == "person":
                assert (shown["reached"], shown["pending"]) == (0, True)
                continue
            wanted = exercise.earns(answer, part["name"])
            if shown["pending"] and wanted:
                waiting.add((name, answer.name, part["name"]))
            elif wanted is not None and wanted != earned(part, shown):
                wrong.append((answer.name, part["name"], shown))
    assert not wrong
    assert waiting == {one for one in COMPUTED if one[0] == name}


@pytest.mark.parametrize("name", WITH_PROSE)
def test_the_template_earns_nothing(name: str) -> None:
    exercise = judged_answers.read(name)
    rule = rule_of(exercise)
    given = read(exercise.template, rule, Limits())
    assert sum(one["reached"] for one in judge(given, given, rule.prose)) == 0
