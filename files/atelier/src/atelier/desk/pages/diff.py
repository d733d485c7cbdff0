"""Prepares a comparison for a page: blocks and rows with marked differences and coloured code.

The texts come from learners' and teachers' files. They are escaped here, once; the templates escape
everything else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

from markupsafe import Markup

from atelier.desk.pages.colours import Tokens, coloured, knows

COLOURED_CHARACTERS = 200_000
"""Limit on coloured text in a page, as each coloured token is an element for the browser. The
remaining text is plain."""
FOLD_ROWS = 8
"""Longer runs of equal rows are folded, except for some rows of context."""
CONTEXT_ROWS = 3


@dataclass(frozen=True)
class Cell:
    """One side of a row."""

    line: int | None
    html: Markup


@dataclass(frozen=True)
class RowView:
    """One row: its state and its two sides."""

    state: str
    expected: Cell | None
    answer: Cell | None


@dataclass(frozen=True)
class Run:
    """Consecutive rows; folded if they are equal and there are many."""

    rows: Sequence[RowView]
    folded: bool


@dataclass(frozen=True)
class Block:
    """One part of a comparison."""

    kind: str
    state: str
    number: int | None
    in_answer: bool
    in_expected: bool
    counts: bool
    runs: Sequence[Run]
    notes: Sequence[Mapping[str, Any]]
    cut: bool


@dataclass(frozen=True)
class Stretch:
    """Consecutive blocks; equal ones are folded together."""

    blocks: Sequence[Block]
    folded: bool


class _Painter:
    """Colours code up to the page's limit."""

    def __init__(self) -> None:
        self._left = COLOURED_CHARACTERS

    def lines(self, texts: Sequence[str], language: str | None) -> list[Tokens]:
        """Return each line of code as tokens (class, text); a plain line is one token."""
        whole = "\n".join(texts)
        if not language or not knows(language) or len(whole) > self._left:
            return [[("", text)] for text in texts]
        self._left -= len(whole)
        lines: list[Tokens] = [[]]
        left = [text.count("\n") for text in reversed(texts)]  # a text may contain line breaks
        for kind, value in coloured(whole, language):
            first, *others = value.split("\n")
            lines[-1].append((kind, first))
            for other in others:
                if left[-1]:
                    left[-1] -= 1
                    lines[-1] += [("", "\n"), (kind, other)]
                else:
                    left.pop()
                    lines.append([(kind, other)])
        return lines


_TAGS = {"added": "ins", "removed": "del", "near": "mark"}


def _html(segments: Sequence[Sequence[str]], tokens: Tokens) -> Markup:
    """Render a line: segments as ``ins``, ``del`` and ``mark``, tokens as coloured spans."""
    pieces: list[str] = []
    flow = _pieces(tokens)
    for mark, text in segments:
        tag = _TAGS.get(mark)
        pieces.append(f"<{tag}>" if tag else "")
        pieces.extend(flow.take(len(text)))
        pieces.append(f"</{tag}>" if tag else "")
    return Markup("".join(pieces))  # noqa: S704 (each text was escaped by _pieces)


class _pieces:  # noqa: N801 (a helper of _html alone)
    """Splits a line's tokens into pieces of given lengths."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = deque(one for one in tokens if one[1])
        self._used = 0

    def take(self, count: int) -> Iterator[str]:
        """Yield the next ``count`` characters, escaped."""
        while count > 0 and self._tokens:
            kind, text = self._tokens[0]
            piece = text[self._used : self._used + count]
            count -= len(piece)
            self._used += len(piece)
            if self._used == len(text):
                self._tokens.popleft()
                self._used = 0
            safe = escape(piece)
            yield f'<span class="{kind}">{safe}</span>' if kind else safe


def _side(
    rows: Sequence[Mapping[str, Any]], side: str, language: str | None, painter: _Painter
) -> list[Cell | None]:
    lines = [row[side] for row in rows]
    texts = ["".join(text for _, text in line["segments"]) for line in lines if line is not None]
    painted = iter(painter.lines(texts, language))
    return [
        None if line is None else Cell(line["line"], _html(line["segments"], next(painted)))
        for line in lines
    ]


def _same(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether both sides have the same segments in all rows."""
    sides = (("expected", "answer"), ("answer", "expected"))
    return all(
        row[one] is not None and row[one]["segments"] == (row[other] or {}).get("segments")
        for row in rows
        for one, other in sides
    )


def _runs(rows: Sequence[RowView]) -> list[Run]:
    """Group rows into runs, and fold the middle of long equal ones."""
    runs: list[Run] = []
    shown: list[RowView] = []
    for equal, group in groupby(rows, lambda row: row.state == "equal"):
        run = list(group)
        if not equal or len(run) <= FOLD_ROWS:
            shown += run
            continue
        runs.append(Run([*shown, *run[:CONTEXT_ROWS]], folded=False))
        runs.append(Run(run[CONTEXT_ROWS:-CONTEXT_ROWS], folded=True))
        shown = run[-CONTEXT_ROWS:]
    return [*runs, Run(shown, folded=False)] if shown else runs


def _block(part: Mapping[str, Any], painter: _Painter) -> Block:
    rows = part["rows"]
    code = part["kind"] == "code"
    languages = {
        side: part[side].get("language") if code and part[side] else None
        for side in ("expected", "answer")
    }
    cells = {"answer": _side(rows, "answer", languages["answer"], painter)}
    if _same(rows) and languages["expected"] == languages["answer"]:
        cells["expected"] = [
            row["expected"] and one and Cell(row["expected"]["line"], one.html)
            for row, one in zip(rows, cells["answer"], strict=True)
        ]
    else:
        cells["expected"] = _side(rows, "expected", languages["expected"], painter)
    views = [
        RowView(row["state"], expected, answer)
        for row, expected, answer in zip(rows, cells["expected"], cells["answer"], strict=True)
    ]
    place = part["answer"] or part["expected"] or {}
    return Block(
        kind=part["kind"],
        state=part["state"],
        number=place.get("number"),
        in_answer=part["answer"] is not None,
        in_expected=part["expected"] is not None,
        counts=part["weight"] > 0,
        runs=_runs(views),
        notes=part["notes"],
        cut=part["cut"],
    )


def stretches(comparison: Mapping[str, Any]) -> list[Stretch]:
    """Return a comparison's parts as blocks; consecutive equal blocks are folded.

    Args:
        comparison: the comparison, reduced to what the reader may see.
    """
    painter = _Painter()
    blocks = [_block(part, painter) for part in comparison["parts"]]
    found = []
    for equal, group in groupby(blocks, lambda block: block.state == "equal" and not block.notes):
        found.append(Stretch(list(group), folded=equal))
    return found
