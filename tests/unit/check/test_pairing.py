"""Where the expected text stands in the learner's file, it is found, whatever cell it is in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Rule

RIGHT = "mean = sum(values) / len(values)\nprint(mean)"
DRAFT = "# first try\nmean = 71.2"
TODO = "mean = "
VALUES = "values = [71.2, 64.8, 59.5, 55.0]"
PROMPT = "La moyenne est :"
SAID = "La moyenne est : 62.6"


def notebook(*cells: tuple[str, str]) -> bytes:
    """A notebook of (id, source); an id that begins with ``text`` is that of a Markdown cell."""
    made: list[dict[str, Any]] = []
    for ident, source in cells:
        kind = "markdown" if ident.startswith("text") else "code"
        made.append({"cell_type": kind, "id": ident, "source": source, "outputs": []})
    return json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5}).encode()


TOP = [("text-0", "# A mean\n\nComplete the cell."), ("values", VALUES)]
GIVEN = notebook(*TOP, ("mean", TODO), ("text-3", PROMPT))
EXPECTED = notebook(*TOP, ("mean", RIGHT), ("text-3", SAID))


def checked(*cells: tuple[str, str]) -> Comparison:
    return compare(EXPECTED, notebook(*cells), Rule("ipynb"), GIVEN)


FULL = {
    "in its cell": [*TOP, ("mean", RIGHT), ("text-3", SAID)],
    "above its cell": [*TOP, ("new", RIGHT), ("mean", "mean"), ("text-3", SAID)],
    "above the untouched cell": [*TOP, ("new", RIGHT), ("mean", TODO), ("text-3", SAID)],
    "below the draft": [*TOP, ("mean", DRAFT), ("new", RIGHT), ("text-3", SAID)],
    "at the end, below the draft": [*TOP, ("mean", DRAFT), ("text-3", SAID), ("new", RIGHT)],
    "at the top, above the draft": [("new", RIGHT), *TOP, ("mean", DRAFT), ("text-3", SAID)],
    "above the values, above the draft": [
        TOP[0], ("new", RIGHT), TOP[1], ("mean", DRAFT), ("text-3", SAID),
    ],
    "doubled": [*TOP, ("mean", RIGHT), ("new", RIGHT), ("text-3", SAID)],
    "with a copied id": [*TOP, ("mean", RIGHT), ("mean", "mean"), ("text-3", SAID)],
    "below with a copied id": [*TOP, ("mean", DRAFT), ("mean", RIGHT), ("text-3", SAID)],
    "all with one id": [("a", VALUES), ("a", RIGHT), ("text-0", TOP[0][1]), ("text-0", SAID)],
    "with ids exchanged": [*TOP, ("values-2", RIGHT), ("text-mean", SAID)],
    "in two, the id on the first": [
        *TOP, ("mean", RIGHT.split("\n")[0]), ("new", "print(mean)"), ("text-3", SAID),
    ],
    "in two, the id on the second": [
        *TOP, ("new", RIGHT.split("\n")[0]), ("mean", "print(mean)"), ("text-3", SAID),
    ],
    "in one cell with the values": [TOP[0], ("values", f"{VALUES}\n\n{RIGHT}"), ("text-3", SAID)],
    "without ids": [("", TOP[0][1]), ("", VALUES), ("", RIGHT), ("text-3", SAID)],
}  # fmt: skip


@pytest.mark.parametrize("cells", FULL.values(), ids=FULL.keys())
def test_the_expected_text_scores_all_wherever_it_stands(cells: list[tuple[str, str]]) -> None:
    found = checked(*cells)
    assert (found["score"], found["problem"]) == (1, None)


def test_a_doubled_id_identifies_nothing_in_the_expected_file_either() -> None:
    expected = notebook(("a", "x = compute(1)"), ("a", "y = other(2)"), ("b", "print(x, y)"))
    answer = notebook(("n", "y = other(2)"), ("a", "plot(x)"), ("b", "print(x, y)"))
    states = [part["state"] for part in compare(expected, answer, Rule("ipynb"))["parts"]]
    assert states == ["removed", "equal", "added", "equal"]


def test_an_id_still_finds_a_cell_of_which_all_was_changed() -> None:
    found = checked(*TOP, ("new", "import numpy"), ("mean", "numpy.average(xs)"), ("text-3", SAID))
    pair = next(part for part in found["parts"] if part["expected"] and part["score"] < 1)
    assert pair["expected"] is not None
    assert pair["answer"] is not None
    assert (pair["expected"]["cell"], pair["answer"]["cell"]) == (3, 4)


def test_two_cells_that_changed_places_are_out_of_place() -> None:
    expected = notebook(("a", "import numpy as np"), ("b", "print(np.mean([1, 2]))"))
    answer = notebook(("b", "print(np.mean([1, 2]))"), ("a", "import numpy as np"))
    assert compare(expected, answer, Rule("ipynb"))["score"] == 0.75
    assert compare(expected, answer, Rule("ipynb", order="free"))["score"] == 1


def test_a_remark_more_is_no_draft_that_explains_another_order() -> None:
    here, there = ("a", "import numpy as np"), ("b", "print(np.mean([1, 2]))")
    more = [("n", "# a remark"), ("m", "plot(x)")]
    expected, answer = notebook(here, there), notebook(there, here, *more)
    assert compare(expected, answer, Rule("ipynb"))["score"] == 0.75


def test_each_draft_explains_one_block() -> None:
    texts = ["The mean is 62.6 degrees", "The mean is 71.2 kelvin", "The mean is 55 metres"]
    turned, draft = reversed(texts), "The mean is 0"
    answer = "\n\n".join([*turned, draft]).encode()
    assert compare("\n\n".join(texts).encode(), answer, Rule("text"))["score"] < 1


def test_where_what_is_extra_counts_cells_must_be_those_expected() -> None:
    half, other = RIGHT.split("\n")
    expected = notebook(("mean", RIGHT))
    answer = notebook(("mean", half), ("new", other))
    assert compare(expected, answer, Rule("ipynb"))["score"] == 1
    assert compare(expected, answer, Rule("ipynb", extra="counted"))["score"] < 1


LAB = "## One\n\n```{{r {first}}}\n{a}\n```\n{more}\n## Two\n\n```{{r b}}\nsd(x)\n```\n"


@pytest.mark.parametrize(
    "more",
    ["\n```{r a}\nsummary(x)\n```\n", "\n```{r a}\nmean(x)\n```\n", "\n```{r}\nhead(x)\n```\n"],
    ids=["a copied label", "doubled", "another chunk"],
)
def test_a_chunk_with_a_copied_label_costs_nothing(more: str) -> None:
    expected = LAB.format(first="a", a="mean(x)", more="").encode()
    given = LAB.format(first="a", a="# your code", more="").encode()
    answer = LAB.format(first="a", a="mean(x)", more=more).encode()
    assert compare(expected, answer, Rule("rmd"), given)["score"] == 1
    if "mean" in more:  # below a draft
        below = LAB.format(first="a", a="# a draft", more=more).encode()
        assert compare(expected, below, Rule("rmd"), given)["score"] == 1


@pytest.mark.parametrize("kind", ["md", "org", "text", "rmd"])
def test_a_paragraph_in_two_or_two_in_one_cost_nothing(kind: str) -> None:
    whole = b"The series is stationary.\nIts variance does not change.\n\nThe end.\n"
    parted = b"The series is stationary.\n\nIts variance does not change.\n\nThe end.\n"
    rule = Rule.from_json({"format": kind})
    assert compare(whole, parted, rule)["score"] == 1
    assert compare(parted, whole, rule)["score"] == 1
