"""Results that earlier versions stored are still shown: nobody is checked again for that.

Each file of `results/` is what the code of its time stored. A result that is stored in another way
gets a new file; no file is changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from atelier.desk.pages.diff import stretches
from atelier.desk.pages.tried import tried
from atelier.exercises.model import STORED_BY_EARLIER_VERSIONS, Comparison, Reveal
from atelier.exercises.reveal import reveal
from atelier.i18n.translate import LANGUAGES, Language, say

STORED = sorted((Path(__file__).parent / "results").glob("*.json"))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("show", ["verdict", "hints", "full"])
@pytest.mark.parametrize("stored", STORED, ids=lambda path: path.stem)
def test_a_stored_result_is_still_shown(stored: Path, show: Reveal, lang: Language) -> None:
    comparison = cast(Comparison, json.loads(stored.read_text(encoding="utf-8")))
    for staff in (False, True):
        shown = reveal(comparison, show, staff=staff)
        messages = [*shown["rule"], *shown["warnings"], *shown["limits"]]
        messages += [note for part in shown["parts"] for note in part["notes"]]
        assert all(say(one["key"], lang, **one["fields"]) for one in messages)
        assert tried(shown, lang, is_notebook=True) is None, "likeness decided then"
        assert stretches(shown) or show == "verdict"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sentences_of_earlier_versions_need_no_more_than_they_had(lang: Language) -> None:
    assert all(say(key, lang) for key in STORED_BY_EARLIER_VERSIONS)
