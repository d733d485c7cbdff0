"""Makes the rows to show, side by side, of two texts that were compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from atelier.exercises.blocks import Block
from atelier.exercises.model import Line, Mark, Row, Segment
from atelier.exercises.tokens import Cut, Difference, Place


def rows_of(block: Block, mark: Literal["equal", "removed", "added"]) -> list[Row]:
    """Return the rows of a block that is on one side only, or equal on both."""
    found: list[Row] = []
    for number, text in block.lines:
        line: Line = {"line": number, "segments": [(mark, text)] if text else []}
        found.append(
            {
                "state": mark,
                "expected": None if mark == "added" else line,
                "answer": None if mark == "removed" else line,
            }
        )
    return found


def rows(
    expected: Block, answer: Block, difference: Difference, cuts: tuple[Cut, Cut]
) -> list[Row]:
    """Return the rows to show side by side.

    Args:
        expected: the expected block.
        answer: the answer's block.
        difference: the difference of the two.
        cuts: the tokens of both, expected first.
    """
    found: list[Row] = []
    for i, j in _with_empty_lines(difference.rows, cuts):
        one: Line | None = None
        other: Line | None = None
        if i is not None:
            one = _line(expected, i, cuts[0], _marks(i, cuts, difference.left, 0), "removed")
        if j is not None:
            other = _line(answer, j, cuts[1], _marks(j, cuts, difference.right, 1), "added")
        found.append({"state": _state(one, other), "expected": one, "answer": other})
    return found


def _marks(
    line: int, cuts: Sequence[Cut], partners: dict[Place, Place], side: int
) -> dict[int, Mark]:
    """Return the marks of a line's tokens that have a counterpart on the other side."""
    marks: dict[int, Mark] = {}
    others = cuts[1 - side].lines
    for place, token in enumerate(cuts[side].lines[line]):
        partner = partners.get((line, place))
        if partner is not None:
            marks[place] = "equal" if others[partner[0]][partner[1]][1] == token[1] else "near"
    return marks


def _state(one: Line | None, other: Line | None) -> Literal["equal", "changed", "added", "removed"]:
    marks = {mark for line in (one, other) if line for mark, _ in line["segments"]}
    if marks <= {"equal", "near"}:
        return "equal"
    if one is None:
        return "added"
    return "removed" if other is None else "changed"


def _with_empty_lines(
    pairs: Sequence[tuple[int | None, int | None]], cuts: Sequence[Cut]
) -> list[tuple[int | None, int | None]]:
    """Insert the empty lines that were left out, side by side where both sides have one."""
    found: list[tuple[int | None, int | None]] = []
    i0 = j0 = 0
    for i, j in [*pairs, (len(cuts[0].lines), len(cuts[1].lines))]:
        here = range(i0, i0 if i is None else i)
        there = range(j0, j0 if j is None else j)
        for k in range(max(len(here), len(there))):
            one = here[k] if k < len(here) else None
            other = there[k] if k < len(there) else None
            found.append((one, other))
        found.append((i, j))
        i0 = i0 if i is None else i + 1
        j0 = j0 if j is None else j + 1
    return found[:-1]


def _loose(mark: Mark) -> Mark:
    """Return the mark of what may be written in several ways."""
    return "near" if mark == "equal" else mark


def _line(block: Block, index: int, cut: Cut, marks: dict[int, Mark], otherwise: Mark) -> Line:
    number, text = block.lines[index]
    segments: list[Segment] = []
    tokens = cut.lines[index]
    lead = text[: len(text) - len(text.lstrip())]
    if block.forms:  # then a mark such as a bullet may come first
        lead = text[: len(text) - sum(len(token.text) + len(token.space) for token in tokens)]
    if lead and not lead.isspace():
        segments.append((_loose(marks.get(0, otherwise) if tokens else "near"), lead))
    elif lead and not (tokens and tokens[0].text[:1].isspace()):
        segments.append(("equal", lead))
    for place, token in enumerate(tokens):
        mark = marks.get(place, otherwise)
        written = token.text
        if not written and mark != "equal" and segments:  # a token for the indentation of Python
            segments[-1] = (mark, segments[-1][1])
        between: Mark = "equal" if mark == "near" else mark
        if token.space and not token.space.isspace():  # a mark such as the last bar of a row
            between = _loose(mark)
        for state, piece in ((mark, written), (between, token.space)):
            if not piece:
                continue
            if segments and segments[-1][0] == state:
                segments[-1] = (state, segments[-1][1] + piece)
            else:
                segments.append((state, piece))
    return {"line": number, "segments": segments}
