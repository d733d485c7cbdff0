"""What a course does not let learners see never leaves."""

from __future__ import annotations

import copy
import json

import pytest
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Rule
from atelier.exercises.reveal import reveal, verdict
from atelier.exercises.words import say
from atelier.i18n import translate as text

SECRETS = (
    "secretheading",
    "secretword",
    "secretchunk",
    "secretoption",
    "secretlabel",
    "secretcell",
)
EXPECTED = """\
# secretheading

shared words and a secretword here

```{r secretlabel, secretoption=1, echo=FALSE}
secretchunk()
```

- one
- secretword
"""
ANSWER = """\
# mine

shared words and a myword here

```{r other, echo=TRUE}
mychunk()
```
"""


@pytest.fixture(scope="module")
def full() -> Comparison:
    return compare(EXPECTED.encode(), ANSWER.encode(), Rule("rmd"))


@pytest.mark.parametrize("level", ["verdict", "hints"])
def test_no_expected_word_is_in_what_learners_see(full: Comparison, level: str) -> None:
    assert all(secret in json.dumps(full) for secret in ("secretword", "secretchunk"))
    before = copy.deepcopy(full)
    seen = json.dumps(reveal(full, level))  # type: ignore[arg-type]
    assert [secret for secret in SECRETS if secret in seen] == []
    assert full == before


def test_a_verdict_is_score_and_rule_alone(full: Comparison) -> None:
    seen = reveal(full, "verdict")
    assert (seen["score"], seen["rule"], seen["parts"]) == (full["score"], full["rule"], [])
    assert set(seen["counts"].values()) == {0}


def test_hints_show_where_and_the_learners_own_words(full: Comparison) -> None:
    seen = reveal(full, "hints")
    assert [(part["kind"], part["state"]) for part in seen["parts"]] == [
        (part["kind"], part["state"]) for part in full["parts"]
    ]
    shown = json.dumps(seen)
    assert "mychunk" in shown
    assert '["added", "myword "]' in shown
    missing = [part for part in seen["parts"] if part["state"] == "removed"]
    assert missing
    assert all(part["rows"] == [] and part["expected"] is None for part in missing)


def test_a_row_of_a_table_hides_its_expected_cells() -> None:
    found = compare(b"a,b\n1,secretcell\n2,3\n", b"a,b\n1,mine\n", Rule("csv"))
    assert "secretcell" not in json.dumps(reveal(found, "hints"))


def test_full_is_everything(full: Comparison) -> None:
    assert reveal(full, "full") == full


@pytest.mark.parametrize(
    ("score", "word"), [(1.0, "expected"), (0.8, "passed"), (0.7999, "not_yet"), (0, "not_yet")]
)
def test_a_score_is_a_verdict(score: float, word: str) -> None:
    assert verdict(score, 0.8) == word


@pytest.mark.parametrize("level", ["verdict", "hints", "full"])
def test_everything_said_has_words_in_both_languages(full: Comparison, level: str) -> None:
    rule = Rule("rmd", kinds=("code", "prose"), tolerance_relative=0.1, case="ignored")
    for found in (full, compare(EXPECTED.encode(), ANSWER.encode(), rule, ANSWER.encode())):
        seen = reveal(found, level)  # type: ignore[arg-type]
        notes = [note for part in seen["parts"] for note in part["notes"]]
        for message in [*seen["rule"], *seen["warnings"], *seen["limits"], *notes]:
            assert say(message, "fr") != say(message, "en")


def test_kinds_are_said_in_the_readers_language() -> None:
    found = compare(b"a\n", b"a\n", Rule("md", kinds=("code", "heading", "prose")))
    said = [say(message, "fr") for message in found["rule"]]
    assert "Seuls comptent\u00a0: code, titre, texte." in said
    assert text.knows("check_kind_row")
