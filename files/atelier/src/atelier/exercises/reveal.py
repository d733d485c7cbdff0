"""Removes from a comparison what the learner may not see, before it leaves the desk."""

from __future__ import annotations

from typing import Literal

from atelier.exercises.model import (
    Comparison,
    HiddenTests,
    Line,
    Message,
    Part,
    ProseShown,
    Reveal,
    Row,
    TestShown,
)


def verdict(score: float, pass_mark: float) -> Literal["expected", "passed", "not_yet"]:
    """Classify a score: as expected, passed, or not yet.

    Args:
        score: 0..1.
        pass_mark: least score that passes, 0..1.
    """
    if score >= 1:
        return "expected"
    return "passed" if score >= pass_mark else "not_yet"


def reveal(comparison: Comparison, level: Reveal, *, staff: bool = False) -> Comparison:
    """Return a copy of a comparison with only what the course lets learners see.

    ``verdict``: the score, the rule, the points of each part in the learner's own words, and
    problems of the learner's file. ``hints``: in addition the tests, the learner's text with the
    differences marked, and the kinds of missing blocks.
    ``full``: all but hidden tests, of which learners see numbers alone at every level. Only
    ``staff`` sees them, and the details of tests that failed.
    """
    if staff:
        return {**comparison, "shown": "full"}
    told = _without_hidden(comparison)
    if level == "full":
        return {**told, "shown": "full"}
    if level == "verdict":
        own: list[ProseShown] = [{**one, "message": None} for one in comparison.get("prose", [])]
        if own:
            told["prose"] = own
        if "tests" in told:
            told["tests"] = []
        return {
            **told,
            "shown": "verdict",
            "parts": [],
            "counts": dict.fromkeys(comparison["counts"], 0),
            "limits": [],
        }
    return {
        **told,
        "shown": "hints",
        "parts": [_hinted(part) for part in comparison["parts"]],
    }


def _without_hidden(comparison: Comparison) -> Comparison:
    """Replace hidden tests by their number and points, and drop the details of all."""
    told: Comparison = {**comparison}
    told.pop("details", None)
    if "tests" not in comparison:
        return told
    hidden = [one for one in comparison["tests"] if one["hidden"]]
    told["tests"] = [one for one in comparison["tests"] if not one["hidden"]]
    told["hidden"] = _sums(hidden)
    return told


def _sums(tests: list[TestShown]) -> HiddenTests:
    return {
        "count": len(tests),
        "passed": sum(one["passed"] for one in tests),
        "points": sum(one["points"] for one in tests),
        "reached": sum(one["reached"] for one in tests),
    }


def _hinted(part: Part) -> Part:
    return {
        **part,
        "expected": None,
        "rows": [_own(row) for row in part["rows"] if row["answer"]],
        "notes": [_note(note) for note in part["notes"]],
    }


def _own(row: Row) -> Row:
    line = row["answer"]
    own: Line | None = None
    if line:
        own = {"line": line["line"], "segments": list(line["segments"])}
    return {"state": row["state"], "expected": None, "answer": own}


def _note(note: Message) -> Message:
    """Replace a note that quotes the expected text by one without the quotation."""
    if note.get("side") != "expected":
        return note
    return {"key": f"{note['key']}_hint", "fields": {}, "side": "both"}
