"""The table of answers in ``tests/answers`` keeps the format that its README describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from world import paths

TABLE = paths.ROOT / "tests" / "answers"
EXERCISES = sorted(path.parent for path in TABLE.glob("*/exercise.yml"))
REASONS = {
    "changed-tests",
    "error",
    "forks",
    "missing-cell",
    "missing-file",
    "order",
    "timeout",
    "too-much-output",
}
KINDS = {"plain": "pass", "unusual": "pass", "wrong": "fail", "cheat": "fail"}
PART_KEYS = {"name", "kind", "points"}

every_exercise = pytest.mark.parametrize("folder", EXERCISES, ids=lambda path: path.name)


def read(folder: Path, name: str) -> Any:
    """One of the YAML files of an exercise."""
    return yaml.safe_load((folder / name).read_text(encoding="utf-8"))


def template(folder: Path) -> str:
    """What learners start from."""
    suffix = Path(read(folder, "exercise.yml")["file"]).suffix
    return (folder / f"template{suffix}").read_text(encoding="utf-8")


def given_cells(folder: Path) -> set[str]:
    """The ids of a notebook's cells; none of another file."""
    text = template(folder)
    return {cell["id"] for cell in json.loads(text)["cells"]} if text.startswith("{") else set()


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_there_are_enough_exercises_of_every_kind_of_file() -> None:
    files = [read(folder, "exercise.yml") for folder in EXERCISES]
    assert len(files) >= 8
    assert {(Path(exercise["file"]).suffix, exercise["language"]) for exercise in files} >= {
        (".ipynb", "python"),
        (".ipynb", "r"),
        (".py", "python"),
        (".Rmd", "r"),
        (".org", "python"),
        (".md", "none"),
        (".csv", "none"),
    }


def test_each_reason_is_that_of_some_answer() -> None:
    named = {
        name
        for folder in EXERCISES
        for answer in read(folder, "answers.yml")
        for name in answer.get("fails", [])
    }
    assert named >= REASONS


@every_exercise
def test_an_exercise_says_what_is_asked_and_how_it_is_judged(folder: Path) -> None:
    exercise = read(folder, "exercise.yml")
    assert exercise.keys() - {"given", "needs"} == {
        *("id", "title", "language", "file", "statement", "parts")
    }
    assert exercise["id"] == folder.name
    assert exercise["language"] in {"python", "r", "none"}
    for words in (exercise["title"], exercise["statement"]):
        assert words.keys() == {"fr", "en"}
    assert all(isinstance(text, str) for text in exercise.get("given", {}).values())

    suffix = Path(exercise["file"]).suffix
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("exercise.yml", "answers.yml", f"template{suffix}", f"solution{suffix}"),
    }


@every_exercise
def test_parts_have_what_their_kind_needs(folder: Path) -> None:
    exercise = read(folder, "exercise.yml")
    parts = exercise["parts"]
    names = [part["name"] for part in parts]
    assert len(set(names)) == len(names)
    assert not {*names} & REASONS
    for part in parts:
        assert is_number(part["points"]), part
        assert part["points"] > 0, part
        keys = part.keys() - PART_KEYS
        if part["kind"] == "tests":
            assert keys - {"shown"} == {"code", "says"}, part
            assert part["says"].keys() == {"fr", "en"}, part
            assert exercise["language"] != "none"
            assert part.get("shown", "") in {"", *given_cells(folder)}, part
        elif part["kind"] == "values":
            assert len(keys & {"variable", "output", "file"}) == 1, part
            optional = {"tolerance", "key"} if "file" in keys else {"tolerance"}
            assert keys - optional - {"variable", "output", "file"} == {"value"}, part
            assert is_number(part.get("tolerance", 0)), part
        else:
            assert part["kind"] == "prose", part
            assert keys in ({"cell", "expects"}, {"section", "expects"}), part
            place = part.get("cell") or part["section"]
            assert place in (given_cells(folder) if "cell" in keys else template(folder)), part
            check_expectation(part["expects"])


def check_expectation(expects: Any) -> None:
    """A prose part expects a number, words, one of some texts, or a person."""
    if expects == "person":
        return
    if "number" in expects:
        assert expects.keys() == {"number", "tolerance"}
        assert all(is_number(value) for value in expects.values())
    elif "keyword" in expects:
        assert expects.keys() == {"keyword"}
        for word in expects["keyword"]:
            assert isinstance(word, str) or (word and all(isinstance(one, str) for one in word))
    else:
        assert expects.keys() == {"texts", "likeness"}
        assert expects["texts"]
        assert 0 < expects["likeness"] <= 1


@every_exercise
def test_answers_are_many_and_of_every_kind(folder: Path) -> None:
    answers = read(folder, "answers.yml")
    names = [answer["name"] for answer in answers]
    assert len(set(names)) == len(names)
    assert len(names) >= 8
    assert {answer["kind"] for answer in answers} >= {"unusual", "wrong", "cheat"}


@every_exercise
def test_a_verdict_has_its_reason(folder: Path) -> None:
    parts = {part["name"] for part in read(folder, "exercise.yml")["parts"]}
    for answer in read(folder, "answers.yml"):
        assert answer.keys() >= {"name", "kind", "verdict", "because"}, answer
        allowed = {"name", "kind", "verdict", "because", "fails", "needs", "code", "edits", "files"}
        assert answer.keys() <= allowed, answer
        assert answer["verdict"] == KINDS[answer["kind"]], answer["name"]
        assert answer["because"].endswith("."), answer["name"]
        fails = answer.get("fails", [])
        assert bool(fails) == (answer["verdict"] == "fail"), answer["name"]
        assert {*fails} <= parts | REASONS, answer["name"]


@every_exercise
def test_what_learners_hand_in_can_be_built(folder: Path) -> None:
    exercise, text, cells = read(folder, "exercise.yml"), template(folder), given_cells(folder)
    for answer in read(folder, "answers.yml"):
        (form,) = answer.keys() & {"code", "edits", "files"}
        if form == "files":
            assert exercise["file"] in answer["files"], answer["name"]
            assert all(isinstance(text, str | None) for text in answer["files"].values())
        elif form == "edits":
            for edit in answer["edits"]:
                assert edit.keys() == {"old", "new"}, answer["name"]
                assert text.count(edit["old"]) == 1, (answer["name"], edit["old"])
        elif cells:
            check_cells(answer["code"], cells)
        else:
            assert isinstance(answer["code"], str), answer["name"]


def check_cells(written: list[dict[str, Any]], given: set[str]) -> None:
    """Each cell is given, code or text; no cell of the template is there twice."""
    for cell in written:
        assert len(cell.keys() & {"given", "code", "markdown"}) == 1, cell
        beside = {"outputs", "count"} if "given" in cell else {"id", "outputs", "count", "times"}
        assert cell.keys() <= {"given", "code", "markdown", *beside}, cell
    ids = [cell.get("given", cell.get("id")) for cell in written]
    named = [one for one in ids if one is not None]
    assert {*named} <= given
    assert len(set(named)) == len(named)
