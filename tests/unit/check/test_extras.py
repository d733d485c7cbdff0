"""What stands besides the expected blocks: a little costs nothing, and guessing never pays."""

from __future__ import annotations

import json

import pytest
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Rule
from hypothesis import given, settings
from hypothesis import strategies as st

ASKED = "What is the mean?"
EXPECTED = "The mean is 62.6 degrees"


def notebook(*sources: str, kind: str = "markdown") -> bytes:
    cells = [{"cell_type": kind, "source": source, "outputs": []} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4}).encode()


GIVEN = notebook(ASKED)


def checked(*cells: str, expected: str = EXPECTED) -> Comparison:
    return compare(notebook(ASKED, expected), notebook(ASKED, *cells), Rule("ipynb"), GIVEN)


GUESSES = [f"The mean is {50 + n / 10} degrees" for n in range(250)]


def test_250_guesses_are_worth_next_to_nothing_and_the_teacher_is_told() -> None:
    assert EXPECTED in GUESSES
    found = checked(*GUESSES)
    assert found["score"] < 0.05
    assert [one["key"] for one in found["warnings"]] == ["check_warn_extra"]


@pytest.mark.parametrize("count", [8, 20, 100])
def test_a_few_guesses_do_not_pass_either(count: int) -> None:
    found = checked(*GUESSES[: count - 1], EXPECTED)
    assert found["score"] <= 0.5
    notes = [note["key"] for part in found["parts"] for note in part["notes"]]
    assert "check_note_tries" in notes


def test_guessed_numbers_are_guesses_although_they_share_no_sign() -> None:
    assert checked(*map(str, range(1, 10)), expected="7")["score"] < 0.5


def test_notes_drafts_and_copies_cost_nothing() -> None:
    notes = [f"A remark of my own, number {n}, on quite another matter" for n in range(7)]
    found = checked(*notes, "The mean is 61 degrees", "The mean is 60 degrees", EXPECTED, EXPECTED)
    assert found["score"] == 1
    assert found["warnings"] == []


def test_as_much_again_as_the_course_gives_is_not_extra() -> None:
    given_cells = [f"Given text {n} that is long enough to be told apart" for n in range(30)]
    start, expected = notebook(*given_cells), notebook(*given_cells, EXPECTED)
    answer = notebook(*given_cells, *given_cells, EXPECTED)
    assert compare(expected, answer, Rule("ipynb"), start)["score"] == 1


def test_guessed_rows_of_a_table_do_not_pay() -> None:
    expected, start = b"minute,mean\n1,10\n", b"minute,mean\n"
    rows = b"".join(b"1,%d\n" % n for n in range(1, 30))
    assert compare(expected, start + rows, Rule("csv"), start)["score"] < 0.2
    assert compare(expected, start + b"1,10\n2,11\n3,12\n", Rule("csv"), start)["score"] == 1


vocabulary = ("the", "mean", "is", "of", "62.6", "61", "degrees", "values", "x")
words = st.lists(st.sampled_from(vocabulary), min_size=1)
guesses = st.lists(words.map(" ".join), min_size=1, max_size=12)


@given(cells=guesses, kind=st.sampled_from(["markdown", "code"]), has_template=st.booleans())
@settings(max_examples=150)
def test_more_cells_never_score_above_the_best_single_one(
    cells: list[str], kind: str, has_template: bool
) -> None:
    expected = notebook(EXPECTED, kind=kind)
    start = notebook("The mean is", kind=kind) if has_template else None

    def score(*sources: str) -> float:
        return compare(expected, notebook(*sources, kind=kind), Rule("ipynb"), start)["score"]

    # an answer that was divided into several cells is one answer
    singles = [
        "\n".join(cells[i:j]) for i in range(len(cells)) for j in range(i + 1, len(cells) + 1)
    ]
    whole = [one for one in singles if one.split() == EXPECTED.split()]
    assert score(*cells) <= max(map(score, [*cells, *whole]))
