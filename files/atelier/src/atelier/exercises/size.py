"""Limits the size of a comparison's result, so that it can be stored and shown."""

from __future__ import annotations

from collections.abc import Sequence

from atelier.exercises.model import Comparison, Limits, Line, Part, Row, message

LONGEST_LINE = 4000
"""Most characters of a line or paragraph that are shown."""
ROW_BYTES = 120
MOST_PARTS, PART_BYTES = 3000, 400
SEGMENT_BYTES = 20
"""Approximate size in JSON without the text."""


def bounded(comparison: Comparison, limits: Limits) -> Comparison:
    """Drop rows until the result fits; keep the states and scores of the parts.

    Score and counts still cover all parts. Rows of equal parts are dropped before others.
    """
    shortened = max(len(comparison["parts"]) - MOST_PARTS, 0)
    comparison["parts"] = comparison["parts"][:MOST_PARTS]
    left = limits.max_result_bytes - PART_BYTES * len(comparison["parts"])
    order = sorted(comparison["parts"], key=lambda part: part["state"] == "equal")
    for part in order:
        _shorten_lines(part)
        weight = sum(map(_weight, part["rows"]))
        if weight > left:
            part["rows"], part["cut"] = [], True
        else:
            left -= weight
        shortened += part["cut"]
    if shortened:
        comparison["limits"].append(message("check_limit_shown", count=shortened))
    return comparison


def _weight(row: Row) -> int:
    weight = ROW_BYTES
    for line in (row["expected"], row["answer"]):
        if line:
            for _, text in line["segments"]:
                weight += SEGMENT_BYTES + len(text)
    return weight


def _shorten_lines(part: Part) -> None:
    for row in part["rows"]:
        for line in (row["expected"], row["answer"]):
            if line and _length(line) > LONGEST_LINE:
                _shorten(line)
                part["cut"] = True


def _length(line: Line) -> int:
    segments = line["segments"]
    return len(segments[0][1]) if len(segments) == 1 else sum(len(text) for _, text in segments)


def _shorten(line: Line) -> None:
    left = LONGEST_LINE
    kept = []
    for mark, text in line["segments"]:
        if left <= 0:
            break
        kept.append((mark, text if len(text) <= left else f"{text[:left]}…"))
        left -= len(text)
    line["segments"] = kept


def gathered(parts: Sequence[Part]) -> list[Part]:
    """Merge consecutive equal rows of a table into one part; call it after scoring."""
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        mergeable = part["state"] == "equal" and not part["notes"]
        if last and mergeable and last["state"] == "equal" and not last["notes"]:
            last["rows"] += part["rows"]
            last["weight"] += part["weight"]
        else:
            found.append(part)
    return found
