"""Notebooks that are not merged, and files that are none."""

from __future__ import annotations

import pytest
from atelier_toolbar import notebooks

from .conftest import notebook


def test_a_notebook_that_nbdime_would_shorten_is_not_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base, ours, theirs = (notebook(text, "z") for text in ("a", "a\nmine", "a"))
    assert notebooks.merge(base.encode(), ours.encode(), theirs.encode()) is not None
    import nbdime.merging.notebooks as nbdime_notebooks

    def careless(before: object, *_: object) -> tuple[object, list[object]]:
        return before, []

    monkeypatch.setattr(nbdime_notebooks, "merge_notebooks", careless)
    assert notebooks.merge(base.encode(), ours.encode(), theirs.encode()) is None


@pytest.mark.parametrize(
    "strange", [b"", b"{}", b"[]", b"not json", b'{"nbformat": 3, "worksheets": []}', b"\xff\xfe"]
)
def test_what_is_no_notebook_is_left_alone(strange: bytes) -> None:
    good = notebook("a").encode()
    assert notebooks.without_outputs(strange) == strange
    assert notebooks.merge(good, strange, good) is None
