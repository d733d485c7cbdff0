"""Notebooks that two sides changed: merged where they do not contradict each other."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from atelier_toolbar import notebooks
from hypothesis import given
from hypothesis import strategies as st

Notebook = dict[str, Any]


def code(name: str, source: str, **more: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": name, "metadata": {}, "source": source}
    return {**cell, "outputs": [], "execution_count": None, **more}


def text(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def whole(*cells: dict[str, Any], **metadata: Any) -> Notebook:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def merged(base: Notebook, ours: Notebook, theirs: Notebook) -> Notebook | None:
    result = notebooks.merge(*(json.dumps(one).encode() for one in (base, ours, theirs)))
    if result is None:
        return None
    found: Notebook = json.loads(result)
    for cell in found["cells"]:
        cell["source"] = "".join(cell["source"])
    return found


def sources(notebook: Notebook | None) -> list[str]:
    assert notebook is not None, "a copy beside, where nobody contradicted anybody"
    return [cell["source"] for cell in notebook["cells"]]


BASE = whole(text("a", "Write."), code("x", "# write here\nx = None"), text("z", "The end."))


def with_cell(number: int, **changed: Any) -> Notebook:
    notebook = copy.deepcopy(BASE)
    notebook["cells"][number] |= changed
    return notebook


def with_new(place: int, *cells: dict[str, Any]) -> Notebook:
    notebook = copy.deepcopy(BASE)
    notebook["cells"][place:place] = cells
    return notebook


def test_both_append_a_cell_ours_first() -> None:
    ours, theirs = with_new(3, code("m", "mine = 1")), with_new(3, text("t", "One more."))
    assert sources(merged(BASE, ours, theirs))[2:] == ["The end.", "mine = 1", "One more."]
    assert sources(merged(BASE, theirs, ours))[2:] == ["The end.", "One more.", "mine = 1"]


def test_a_hint_above_an_answered_cell() -> None:
    ours = with_cell(1, source="# write here\nx = 42")
    hint = with_new(1, text("h", "A hint."))
    assert sources(merged(BASE, ours, hint))[1:3] == ["A hint.", "# write here\nx = 42"]


@pytest.mark.parametrize(
    ("mine", "new"),
    [
        ({"kernelspec": {"name": "a", "language": "p"}}, {"kernelspec": {"name": "b"}}),
        ({"language_info": {"version": "3.13"}}, {"language_info": {"version": "3.12"}}),
        ({"widgets": {"state": {"1": 1}}}, {"widgets": {"state": {"2": 2}}}),
    ],
)
def test_what_the_kernel_writes_makes_no_copy(mine: Any, new: Any) -> None:
    ours, theirs = with_cell(1, source="x = 1"), with_cell(2, source="The very end.")
    ours["metadata"], theirs["metadata"] = mine, new
    result = merged(BASE, ours, theirs)
    assert sources(result) == ["Write.", "x = 1", "The very end."]
    assert result is not None
    assert result["metadata"] == mine


@pytest.mark.parametrize("key", ["scrolled", "collapsed", "jupyter", "execution", "ExecuteTime"])
def test_how_a_cell_is_shown_makes_no_copy(key: str) -> None:
    ours = with_cell(1, metadata={key: {"mine": 1}})
    theirs = with_cell(1, metadata={key: {"theirs": 1}}, source="x = 0")
    result = merged(BASE, ours, theirs)
    assert sources(result)[1] == "x = 0"
    assert result is not None
    assert result["cells"][1]["metadata"] == {key: {"mine": 1}}


def test_runs_on_both_sides_make_no_copy() -> None:
    def ran(count: int, said: str) -> Notebook:
        output = {"output_type": "stream", "name": "stdout", "text": said}
        return with_cell(1, execution_count=count, outputs=[output])

    result = merged(BASE, ran(1, "mine"), ran(7, "theirs"))
    assert result is not None
    assert result["cells"][1]["execution_count"] == 1
    assert result["cells"][1]["outputs"][0]["text"] == ["mine"]
    result = merged(BASE, BASE, ran(7, "theirs"))
    assert result is not None
    assert result["cells"][1]["execution_count"] == 7


def test_a_cell_that_both_wrote_has_no_outputs_of_either() -> None:
    base = whole(code("x", "# the mean\nx = 1\ny = 2"))
    ours = whole(code("x", "# the mean\nx = 1\ny = 42", execution_count=1))
    theirs = whole(code("x", "# the mean, please\nx = 1\ny = 2", execution_count=9))
    result = merged(base, ours, theirs)
    assert sources(result) == ["# the mean, please\nx = 1\ny = 42"]
    assert result is not None
    assert result["cells"][0]["execution_count"] is None


def older(notebook: Notebook) -> Notebook:
    """The notebook as a Jupyter that knows no ids writes it."""
    bare = copy.deepcopy(notebook)
    for cell in bare["cells"]:
        del cell["id"]
    return {**bare, "nbformat_minor": 4}


def test_without_ids_what_jupyter_writes_makes_no_copy() -> None:
    ours = older(with_cell(1, metadata={"jupyter": {"outputs_hidden": True}}))
    theirs = older(with_cell(1, metadata={"jupyter": {"outputs_hidden": False}}))
    ours["metadata"], theirs["metadata"] = {"language_info": {"v": 1}}, {"language_info": {"v": 2}}
    theirs["cells"][2]["source"] = "The very end."
    result = merged(older(BASE), ours, theirs)
    assert sources(result)[2] == "The very end."
    assert result is not None
    assert result["metadata"] == {"language_info": {"v": 1}}
    assert result["cells"][1]["metadata"] == {"jupyter": {"outputs_hidden": True}}


def test_a_newer_jupyter_on_one_side_makes_no_copy() -> None:
    ours, theirs = with_cell(1, source="x = 1"), older(with_cell(2, source="The very end."))
    result = merged(older(BASE), ours, theirs)
    assert sources(result) == ["Write.", "x = 1", "The very end."]
    assert result is not None
    assert result["nbformat_minor"] == 5
    assert len({cell["id"] for cell in result["cells"]}) == 3


def test_a_removed_cell_that_was_changed_elsewhere_stays() -> None:
    removed = whole(*(BASE["cells"][place] for place in (0, 2)))
    changed = with_cell(1, source="x = 42")
    for ours, theirs in ((removed, changed), (changed, removed)):
        assert sources(merged(BASE, ours, theirs)) == ["Write.", "x = 42", "The end."]
    assert sources(merged(BASE, removed, BASE)) == ["Write.", "The end."]


def test_a_cell_is_moved_while_another_is_changed() -> None:
    moved = whole(*(BASE["cells"][place] for place in (0, 2, 1)))
    changed = with_cell(1, source="x = 42")
    for ours, theirs in ((moved, changed), (changed, moved)):
        assert sources(merged(BASE, ours, theirs)) == ["Write.", "The end.", "x = 42"]


def test_contradictions_are_not_merged() -> None:
    for ours, theirs in [
        (with_cell(1, source="x = 1"), with_cell(1, source="x = 2")),
        (with_cell(1, metadata={"tags": ["mine"]}), with_cell(1, metadata={"tags": ["theirs"]})),
        (with_new(1, text("h", "one")), with_new(1, text("h", "two"))),
        (with_cell(1, **text("x", "prose")), with_cell(1, source="x = 2")),
    ]:
        assert merged(BASE, ours, theirs) is None
        assert merged(BASE, theirs, ours) is None


NAMES = st.sampled_from("abcdefgh")


@st.composite
def versions(draw: st.DrawFn) -> tuple[Notebook, Notebook, Notebook]:
    """A notebook, and what two sides made of it: cells changed, removed, added, moved."""

    def cells(prefix: str) -> st.SearchStrategy[list[tuple[str, str]]]:
        one = st.tuples(NAMES, st.sampled_from(["", f"{prefix} 1", f"{prefix} 2"]))
        return st.lists(one, max_size=6, unique_by=lambda cell: cell[0])

    def made(found: list[tuple[str, str]]) -> Notebook:
        return whole(*(code(name, source or f"as it was: {name}") for name, source in found))

    return made(draw(cells("base"))), made(draw(cells("ours"))), made(draw(cells("theirs")))


@given(versions())
def test_one_side_alone_is_taken_as_it_is(three: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, _ = three
    assert sources(merged(base, ours, base)) == sources(ours)
    assert sources(merged(base, base, ours)) == sources(ours)
    assert sources(merged(base, ours, ours)) == sources(ours)


@given(versions())
def test_nothing_new_of_either_side_is_lost(three: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, theirs = three
    result = merged(base, ours, theirs)
    if result is None:
        return
    known = {(cell["id"], cell["source"]) for cell in base["cells"]}
    there = {(cell["id"], cell["source"]) for cell in result["cells"]}
    assert len(there) == len(result["cells"])
    for side in (ours, theirs):
        assert {(cell["id"], cell["source"]) for cell in side["cells"]} - known <= there
