"""What CommonMark and Org call the same costs nothing; another kind of block at most half."""

from __future__ import annotations

import json
from typing import Any

import pytest
from atelier.exercises.engine import compare
from atelier.exercises.markup import normal
from atelier.exercises.model import Comparison, Rule
from hypothesis import given
from hypothesis import strategies as st

SAME = {
    "bullets": ("- one\n- two", "* one\n* two"),
    "other bullets": ("- one\n- two", "+ one\n+ two"),
    "a loose list": ("- one\n- two", "* one\n\n* two"),
    "numbers": ("1. one\n2. two", "1) one\n2) two"),
    "numbers that CommonMark counts itself": ("1. one\n2. two", "1. one\n1. two"),
    "nested lists": ("- one\n    - two", "* one\n  + two"),
    "emphasis": ("it is _quite_ true", "it is *quite* true"),
    "strong emphasis": ("it is __quite__ true", "it is **quite** true"),
    "both": ("it is ***quite*** true", "it is _**quite**_ true"),
    "in a word": ("un*believ*able", "un*believ*able"),
    "escaped underscores": (r"the file my\_data\_1.csv", "the file my_data_1.csv"),
    "escaped stars": (r"2 \* 3 is 6", "2 * 3 is 6"),
    "entities": ("caf&eacute; &amp; th&eacute;", "café & thé"),
    "an item is a paragraph": ("The answer is forty two.", "- The answer is forty two."),
    "a numbered item, too": ("The answer is forty two.", "1) The answer is forty two."),
    "a list and its paragraphs": ("- one thing\n- another", "one thing\n\nanother"),
    "outer bars": ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n--- | ---\n1 | 2"),
    "aligned columns": ("| a | b |\n|---|---|\n| 1 | 2 |", "| a  | b |\n|:---|--:|\n| 1  | 2 |"),
    "headings": ("# One\n\n## Two", "One\n===\n\nTwo\n---"),
    "closed headings": ("# One\n\n## Two", "# One #\n\n## Two ##"),
    "lines": ("a\n\n---\n\nb", "a\n\n***\n\nb"),
    "fences": ("```python\nx = 1\n```", "~~~~ python\nx = 1\n~~~~"),
    "code by indentation": ("```\nx = 1\n```", "    x = 1"),
    "quotes": ("> one two\n> three", ">one two three"),
    "a break": ("one\\\ntwo", "one  \ntwo"),
}


def checked(kind: str, one: str, other: str, **rule: Any) -> Comparison:
    def written(text: str) -> bytes:
        if kind != "ipynb":
            return f"{text}\n".encode()
        return json.dumps({"cells": [{"cell_type": "markdown", "source": text}]}).encode()

    return compare(written(one), written(other), Rule.from_json({"format": kind, **rule}))


@pytest.mark.parametrize("kind", ["md", "rmd", "ipynb"])
@pytest.mark.parametrize("pair", SAME.values(), ids=SAME.keys())
def test_what_commonmark_calls_the_same_costs_nothing(kind: str, pair: tuple[str, str]) -> None:
    one, other = pair
    if kind == "ipynb" and one.startswith(("```\n", "```python")):
        other = other.replace("    x", "x") if "~~~" not in other else other
    for here, there in ((one, other), (other, one)):
        found = checked(kind, here, there)
        assert found["score"] == 1
        assert {part["state"] for part in found["parts"]} == {"equal"}
        assert "check_note_kind" not in json.dumps(found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- one\n- two", "+ one\n+ two"),
        ("1. one\n2. two", "1) one\n2) two"),
        ("* one\n* two", "one\n\ntwo"),
        (" | a | b |\n |---+---|\n | 1 | 2 |", "| a | b\n|--+--\n| 1 | 2"),
        ("#+begin_src R\nx\n#+end_src", "#+BEGIN_SRC R\nx\n#+END_SRC"),
        ("The answer is forty two.", "- The answer is forty two."),
    ],
)
def test_what_org_calls_the_same_costs_nothing(one: str, other: str) -> None:
    one = one.replace("* one\n* two", " * one\n * two")
    for here, there in ((one, other), (other, one)):
        assert checked("org", here, there)["score"] == 1


def test_chunks_of_r_markdown_may_name_their_options_in_either_way() -> None:
    one = '```{r plot, echo=FALSE, fig.cap="A"}\nx\n```'
    other = '```{r}\n#| label: plot\n#| echo: false\n#| fig-cap: "A"\nx\n```'
    assert checked("rmd", one, other)["score"] == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The answer is 42.", "> The answer is 42."),
        ("The answer is 42.", "# The answer is 42."),
        ("The answer is 42.", "```\nThe answer is 42.\n```"),
        ("> The answer is 42.", "- The answer is 42."),
        ("- one thing\n- another", "> one thing\n> another"),
        ("# The answer is 42.", "### The answer is 42."),
        ("a b | c d\n--- | ---\n1 2 | 3 4", "> a b | c d\n> 1 2 | 3 4"),
    ],
)
def test_another_kind_of_block_costs_at_most_half(one: str, other: str) -> None:
    for here, there in ((one, other), (other, one)):
        found = checked("md", f"Question?\n\n{here}", f"Question?\n\n{there}", kinds=None)
        (part,) = (part for part in found["parts"] if part["state"] != "equal")
        assert 0.5 <= part["score"] < 1
        assert {note["key"] for note in part["notes"]} & {"check_note_kind", "check_note_level"}


def test_a_text_cell_instead_of_code_costs_at_most_half() -> None:
    def notebook(kind: str) -> bytes:
        return json.dumps({"cells": [{"cell_type": kind, "source": "mean(x)"}]}).encode()

    assert compare(notebook("code"), notebook("markdown"), Rule("ipynb"))["score"] == 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*quite* true", "quite true"),
        (r"\*quite\* true", "*quite* true"),
        ("the year 1986. It began", "the year 1987. It began"),
        ("42.", "43."),
        ("1986. A great year", "1987. A great year"),
        ("`a_b`", "`a*b`"),
    ],
)
def test_what_is_not_the_same_still_counts(one: str, other: str) -> None:
    assert checked("md", one, other)["score"] < 1
    assert checked("ipynb", one, other)["score"] < 1


def test_what_is_shown_is_what_was_written() -> None:
    found = checked("ipynb", "- _one_ two\n- x", "* *one* three\n* x")
    (part,) = found["parts"]
    for name, wanted in (("expected", "- _one_ two\n- x"), ("answer", "* *one* three\n* x")):
        lines = [row[name] for row in part["rows"]]  # type: ignore[literal-required]
        shown = ["".join(text for _, text in line["segments"]) for line in lines if line]
        assert "\n".join(shown) == wanted


markdown = st.lists(
    st.sampled_from(["*", "_", "**", "__", "\\", "a", "b c", "`", "&amp;", "|", "- ", "\n", "# "]),
    max_size=14,
).map("".join)


@given(text=markdown, form=st.sampled_from(["text", "item", "row", "quote", "heading"]))
def test_each_compared_character_has_its_place_in_the_text(text: str, form: Any) -> None:
    found = normal(text, form)
    if found is None:
        return
    assert len(found.text) == len(found.starts) == len(found.ends)
    assert list(found.starts) == sorted(found.starts)
    assert list(found.ends) == sorted(found.ends)
    assert all(0 <= a <= b <= len(text) for a, b in zip(found.starts, found.ends, strict=True))
