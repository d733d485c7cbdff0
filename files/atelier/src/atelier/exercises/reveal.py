"""Removes from a comparison what the learner may not see, before it leaves the desk."""

from __future__ import annotations

from typing import Literal

from atelier.exercises.model import Comparison, Line, Message, Part, ProseShown, Reveal, Row


def verdict(score: float, pass_mark: float) -> Literal["expected", "passed", "not_yet"]:
    """Classify a score: as expected, passed, or not yet.

    Args:
        score: 0..1.
        pass_mark: least score that passes, 0..1.
    """
    if score >= 1:
        return "expected"
    return "passed" if score >= pass_mark else "not_yet"


def reveal(comparison: Comparison, level: Reveal) -> Comparison:
    """Return a copy of a comparison with only what the course lets learners see.

    ``verdict``: the score, the rule, the points of each part, and problems of the learner's file.
    ``hints``: in addition the learner's text with the differences marked, and the kinds of missing
    blocks. ``full``: all.
    """
    if level == "full":
        return {**comparison, "shown": "full"}
    if level == "verdict":
        own: list[ProseShown] = [{**one, "message": None} for one in comparison.get("prose", [])]
        only_points: Comparison = {**comparison, "prose": own} if own else comparison
        return {
            **only_points,
            "shown": "verdict",
            "parts": [],
            "counts": dict.fromkeys(comparison["counts"], 0),
            "limits": [],
        }
    return {
        **comparison,
        "shown": "hints",
        "parts": [_hinted(part) for part in comparison["parts"]],
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
