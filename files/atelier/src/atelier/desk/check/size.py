"""Keeps a comparison small enough to store and to show."""

from __future__ import annotations

from atelier.desk.check.model import Comparison, Limits, Line, Part, Row, message

LONGEST_LINE = 4000
"""Characters of one line or paragraph that are shown."""
ROW_BYTES = 120
"""About what a row weighs in JSON beside its text."""


def bounded(comparison: Comparison, limits: Limits) -> Comparison:
    """Leave out rows until the whole fits; states and scores stay.

    What differs is kept first, then what is equal, each in order.
    """
    left = limits.max_result_bytes - 400 * len(comparison["parts"])
    shortened = 0
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
    lines = [line for line in (row["expected"], row["answer"]) if line]
    pieces = [text for line in lines for _, text in line["segments"]]
    return ROW_BYTES + sum(20 + len(text.encode("utf-8", "replace")) for text in pieces)


def _shorten_lines(part: Part) -> None:
    for row in part["rows"]:
        for line in (row["expected"], row["answer"]):
            if line and sum(len(text) for _, text in line["segments"]) > LONGEST_LINE:
                _shorten(line)
                part["cut"] = True


def _shorten(line: Line) -> None:
    left = LONGEST_LINE
    kept = []
    for mark, text in line["segments"]:
        if left <= 0:
            break
        kept.append((mark, text if len(text) <= left else f"{text[:left]}…"))
        left -= len(text)
    line["segments"] = kept
