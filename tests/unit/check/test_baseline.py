"""Each part is worth what the learner added to what the course gave in that very part."""

from __future__ import annotations

import pytest
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Rule

GIVEN = "# A mean\n\nThe mean of the four values of the table is:\n\nYour words:\n"
EXPECTED = (
    "# A mean\n\nThe mean of the four values of the table is: 62.6\n\n"
    "The temperature falls by five degrees.\n"
)


def checked(answer: str) -> Comparison:
    return compare(EXPECTED.encode(), answer.encode(), Rule("md"), GIVEN.encode())


def score(number: str, words: str) -> float:
    return checked(
        f"# A mean\n\nThe mean of the four values of the table is: {number}\n\n{words}\n"
    )["score"]


def test_a_wrong_number_after_the_prompt_is_worth_nothing() -> None:
    right = "The temperature falls by five degrees."
    assert score("62.6", right) == 1
    assert score("99", right) == 0.5
    assert score("", right) == 0.5


def test_what_one_part_lacks_is_not_taken_from_another() -> None:
    # the prompt was deleted: no points for it, and all for the other part
    found = checked("# A mean\n\nThe temperature falls by five degrees.\n")
    assert found["score"] == 0.5
    # and a sentence that is worse than the prompt alone does not take points from the other
    assert score("62.6", "Quite something else.") == 0.5


def test_less_than_what_was_given_is_said() -> None:
    found = checked(
        "# A mean\n\nThe mean of the values 7 8 9 is\n\nThe temperature falls by five degrees.\n"
    )
    (part,) = (part for part in found["parts"] if part["state"] == "changed")
    assert part["score"] == 0
    assert [note["key"] for note in part["notes"]] == ["check_note_less"]
    assert found["score"] == 0.5


def test_a_part_shows_the_score_that_counts() -> None:
    given = b"one two three four five six seven eight\n"
    expected = b"one two three four five six seven eight nine ten\n"
    answer = b"one two three four five six seven eight nine\n"
    found = compare(expected, answer, Rule("text"), given)
    (part,) = found["parts"]
    assert part["score"] == pytest.approx(found["score"], abs=1e-4)
    assert 0.4 < found["score"] < 0.6


def test_each_row_of_a_table_has_its_own_beginning() -> None:
    given = b"minute,mean\n1,\n2,\n"
    expected = b"minute,mean\n1,10\n2,20\n"
    assert compare(expected, b"minute,mean\n1,10\n2,\n", Rule("csv"), given)["score"] == 0.5
    assert compare(expected, b"minute,mean\n1,10\n9,9\n", Rule("csv"), given)["score"] == 0.5
    assert compare(expected, given, Rule("csv"), given)["score"] == 0
