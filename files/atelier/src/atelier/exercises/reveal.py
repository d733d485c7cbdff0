"""What a learner may see of a comparison; the rest is taken out before it leaves the desk."""

from __future__ import annotations

from typing import Literal

from atelier.exercises.model import Comparison, Line, Message, Part, Reveal, Row


def verdict(score: float, pass_mark: float) -> Literal["expected", "passed", "not_yet"]:
    """What a score means: as expected, good enough, or not yet.

    Args:
        score: 0..1.
        pass_mark: the exercise's, 0..1.
    """
    if score >= 1:
        return "expected"
    return "passed" if score >= pass_mark else "not_yet"


def reveal(comparison: Comparison, level: Reveal) -> Comparison:
    """A comparison reduced to what a course lets learners see; the one given stays as it is.

    ``verdict``: score, rule, and what is wrong with the learner's own file. ``hints``: besides,
    the learner's own text with what differs marked, and of what is missing the kind alone.
    ``full``: everything.
    """
    if level == "full":
        return {**comparison, "shown": "full"}
    if level == "verdict":
        return {
            **comparison,
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
    """A note that quotes the expected text says only that there is something."""
    if note.get("side") != "expected":
        return note
    return {"key": f"{note['key']}_hint", "fields": {}, "side": "both"}
