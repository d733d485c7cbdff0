"""Notebooks that are not merged, and files that are none."""

from __future__ import annotations

import re

import pytest
from atelier_toolbar import notebooks

from .conftest import notebook


def test_a_notebook_that_a_library_would_shorten_is_not_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = ("a", "a\nmine", "a")
    sides = [
        notebook(text, "z").replace('"nbformat_minor": 5', '"nbformat_minor": 4') for text in texts
    ]
    base, ours, theirs = (re.sub(r'"id": ".*?",', "", side).encode() for side in sides)
    assert notebooks.merge(base, ours, theirs) is not None
    import nbdime.merging.notebooks as nbdime_notebooks

    def careless(before: object, *_: object) -> tuple[object, list[object]]:
        return before, []

    monkeypatch.setattr(nbdime_notebooks, "merge_notebooks", careless)
    assert notebooks.merge(base, ours, theirs) is None


@pytest.mark.parametrize(
    "strange", [b"", b"{}", b"[]", b"not json", b'{"nbformat": 3, "worksheets": []}', b"\xff\xfe"]
)
def test_what_is_no_notebook_is_left_alone(strange: bytes) -> None:
    good = notebook("a").encode()
    assert notebooks.without_outputs(strange) == strange
    assert notebooks.merge(good, strange, good) is None
