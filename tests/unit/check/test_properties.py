"""What holds for any two files."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import pytest
from atelier.exercises.align import Likeness, Profile, by_levels
from atelier.exercises.blocks import Block
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Format, Part, Rule
from atelier.exercises.sequences import Near, match
from hypothesis import example, given, settings
from hypothesis import strategies as st

FORMATS = get_args(Format)
EACH_FORMAT = pytest.mark.parametrize("kind", FORMATS)

words = st.sampled_from(
    ["un", "deux", "mean(x)", "3.14", "3,1", "Été", "l’eau", "é", "(", "=", "<-", "0", "x_1"]
)
lines = st.builds(
    lambda start, found: start + " ".join(found),
    st.sampled_from(["", "", "", "# ", "- ", "* ", "    ", "> ", "| ", "#+begin_src R", "```"]),
    st.lists(words, max_size=6),
)
texts = st.lists(lines, min_size=1, max_size=14).map("\n".join)
anything = st.one_of(texts, st.text(max_size=200))


def written(kind: str, text: str) -> bytes:
    if kind != "ipynb":
        return text.encode("utf-8", "replace")
    sources = text.split("\n\n")
    cells = [
        {"cell_type": ("code", "markdown")[len(source) % 2], "source": source, "outputs": []}
        for source in sources
    ]
    return json.dumps({"cells": cells, "nbformat": 4}).encode()


def both(kind: str, one: str, other: str, **rule: Any) -> Comparison | None:
    """The comparison; None when one of the two cannot be read (empty, or no table)."""
    first, second = written(kind, one), written(kind, other)
    asked = Rule(kind, **rule)  # type: ignore[arg-type]
    if not one.strip() or not other.strip() or "\0" in one + other:
        return None
    found = compare(first, second, asked)
    return None if found["problem"] else found


@EACH_FORMAT
@given(text=anything)
@settings(max_examples=50)
def test_a_file_does_not_differ_from_itself(kind: str, text: str) -> None:
    found = both(kind, text, text)
    if found is None:
        return
    assert {part["state"] for part in found["parts"]} <= {"equal"}
    assert found["score"] == 1
    rows = [row for part in found["parts"] for row in part["rows"]]
    assert {row["state"] for row in rows} <= {"equal"}


def side(part: Part, name: str, *marks: str) -> str:
    """Text of one side of a part, of segments with these marks (without any: of all)."""
    shown = [row[name] for row in part["rows"] if row[name]]  # type: ignore[literal-required]
    return "\n".join(
        "".join(text for mark, text in line["segments"] if not marks or mark in marks)
        for line in shown
    )


def bare(text: str) -> str:
    return "".join(text.split())


@EACH_FORMAT
@given(one=texts, other=texts)
@settings(max_examples=50)
def test_applying_the_difference_gives_the_other_file(kind: str, one: str, other: str) -> None:
    found = both(kind, one, other)
    if found is None:
        return
    same = both(kind, other, other)
    first = both(kind, one, one)
    assert same is not None
    assert first is not None
    # the answer, and the expected file, can be read off the difference
    answer = [part for part in found["parts"] if part["answer"]]
    assert bare("".join(side(part, "answer") for part in answer)) == bare(
        "".join(side(part, "answer") for part in same["parts"])
    )
    by_number = sorted(
        (part for part in found["parts"] if part["expected"]),
        key=lambda part: part["expected"]["number"] if part["expected"] else 0,
    )
    if kind != "csv":  # whose columns may stand in another order
        assert bare("".join(side(part, "expected") for part in by_number)) == bare(
            "".join(side(part, "expected") for part in first["parts"])
        )
        # and what is said to be equal is: the answer is the expected file but for the marks
        for part in found["parts"]:
            if part["expected"] and part["answer"]:
                kept = bare(side(part, "expected", "equal"))
                assert kept == bare(side(part, "answer", "equal"))


@EACH_FORMAT
@pytest.mark.parametrize("tolerance", [0.0, 0.1])
@given(one=texts, other=texts)
@example(one="un un", other="| un un")  # a table whose first column the other has not
@settings(max_examples=50)
def test_the_score_is_the_same_both_ways_where_extra_counts(
    kind: str, tolerance: float, one: str, other: str
) -> None:
    rule = {"extra": "counted", "tolerance_absolute": tolerance}
    there, back = both(kind, one, other, **rule), both(kind, other, one, **rule)
    if there and back:
        assert there["score"] == back["score"]


@EACH_FORMAT
@given(one=texts, other=texts)
@settings(max_examples=50)
def test_an_untouched_file_scores_nothing_and_the_expected_one_all(
    kind: str, one: str, other: str
) -> None:
    if both(kind, one, other) is None:
        return
    rule = Rule(kind)  # type: ignore[arg-type]
    expected, start = written(kind, one), written(kind, other)
    assert compare(expected, expected, rule, start)["score"] == 1
    untouched = compare(expected, start, rule, start)
    given_rule = {"check_rule_given"} <= {said["key"] for said in untouched["rule"]}
    assert untouched["score"] == (0 if given_rule else 1)


def longest(one: list[int], other: list[int]) -> int:
    """Length of a longest common subsequence, by the book."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            table[i][j] = (
                table[i - 1][j - 1] + 1 if a == b else max(table[i - 1][j], table[i][j - 1])
            )
    return table[-1][-1]


sequences = st.lists(st.integers(0, 4), max_size=40)


@given(one=sequences, other=sequences)
def test_common_subsequences_are_longest(one: list[int], other: list[int]) -> None:
    pairs = match(one, other)
    assert all(one[i] == other[j] for i, j in pairs)
    assert pairs == sorted(pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert len(pairs) == longest(one, other)


numbers = st.floats(allow_nan=False)


@given(one=numbers, other=numbers)
def test_a_tolerance_knows_no_first_and_second(one: float, other: float) -> None:
    near = Near(0.5, 0.01)
    assert near(one, other) == near(other, one)
    assert near(one, one)
    assert near(one, other) == (one == other) or max(abs(one), abs(other)) < math.inf


CELLS = (
    "import numpy as np\nimport matplotlib.pyplot as plt",
    "data = np.loadtxt('series.csv', delimiter=',', skiprows=1)",
    "minutes = data[:, 0]\ntemperature = data[:, 1]",
    "plt.plot(minutes, temperature)\nplt.xlabel('minute')\nplt.show()",
    "def model(t, a, b, c):\n    return a + b * np.exp(-t / c)",
    "from scipy.optimize import curve_fit\nfound, _ = curve_fit(model, minutes, temperature)",
    "print('half-life', found[2] * np.log(2))",
    "x = 3",
)
edits = st.lists(
    st.tuples(st.sampled_from(["drop", "add", "word", "line"]), st.integers(0, 20)), max_size=6
)


def edited(sources: list[str], changes: list[tuple[str, int]]) -> list[str]:
    for count, (what, place) in enumerate(changes):
        place %= len(sources) or 1
        if what == "drop" and sources:
            del sources[place]
        elif what == "add":
            sources.insert(place, f"# something quite new, number {count * 7919}\nnew_{count}()")
        elif what == "word" and sources:
            sources[place] = sources[place].replace("t", "tt", 1)
        elif what == "line" and sources:
            sources[place] += f"\nextra_line_{count} = {count}"
    return sources


@given(changes=edits)
@settings(max_examples=60)
def test_cells_are_paired_as_nbdime_pairs_them(changes: list[tuple[str, int]]) -> None:
    from nbdime.diffing.notebooks import notebook_predicates
    from nbdime.diffing.snakes import compute_snakes_multilevel

    one, other = list(CELLS), edited(list(CELLS), changes)
    cells = [
        [{"cell_type": "code", "source": source, "outputs": []} for source in sources]
        for sources in (one, other)
    ]
    snakes = compute_snakes_multilevel(*cells, notebook_predicates["/cells"])
    nbdimes = [(i + k, j + k) for i, j, n in snakes for k in range(n)]

    profiles = [
        [Profile(Block("code", [(1, source)], style="code"), Rule("ipynb")) for source in sources]
        for sources in (one, other)
    ]
    assert by_levels(profiles[0], profiles[1], Likeness()) == nbdimes
