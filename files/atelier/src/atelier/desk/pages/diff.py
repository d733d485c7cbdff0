"""A comparison as a page shows it: rows side by side or one below the other, marked and coloured.

Texts are learners' and teachers' files: everything is escaped here, once, and nothing else in the
pages is taken as HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

HIGHLIGHT_BYTES = 20_000
"""Longer pieces of code are shown without colours: a lexer's time is not bounded by anything."""
HIGHLIGHT_PAGE_BYTES = 200_000
FOLD_ROWS = 8
"""Runs of equal rows longer than that are folded, but for some context."""
CONTEXT_ROWS = 3
_LANGUAGES = {"python": "python", "r": "r", "ipython": "python", "bash": "bash", "sh": "bash"}

Tokens = list[tuple[str, str]]


@dataclass(frozen=True)
class Cell:
    """One side of a row."""

    line: int | None
    html: Markup


@dataclass(frozen=True)
class RowView:
    """One row: its state, and what stands on each side."""

    state: str
    expected: Cell | None
    answer: Cell | None


@dataclass(frozen=True)
class Run:
    """Rows in a row, folded when all are equal and there are many."""

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
    """Blocks in a row; those that are all equal are folded together."""

    blocks: Sequence[Block]
    folded: bool


def _short(kind: Any) -> str:
    """Pygments' short name of a kind of token, a style sheet's class."""
    while kind not in STANDARD_TYPES:
        kind = kind.parent
    return str(STANDARD_TYPES[kind])


class _Painter:
    """Colours code while the page's budget lasts."""

    def __init__(self) -> None:
        self._left = HIGHLIGHT_PAGE_BYTES

    def lines(self, texts: Sequence[str], language: str | None) -> list[Tokens]:
        """Lines of code as (class, text); one token without class for a line left plain."""
        plain = [[("", text)] for text in texts]
        whole = "\n".join(texts)
        name = _LANGUAGES.get((language or "").lower())
        if name is None or len(whole) > min(HIGHLIGHT_BYTES, self._left):
            return plain
        self._left -= len(whole)
        try:
            lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
        except ClassNotFound:
            return plain
        lines: list[Tokens] = [[]]
        for kind, value in lexer.get_tokens(whole):
            first, *others = value.split("\n")
            lines[-1].append((_short(kind), first))
            for other in others:
                lines.append([(_short(kind), other)])
        if ["".join(text for _, text in line) for line in lines] != whole.split("\n"):
            return plain  # the lexer took liberties with the text
        # A text may hold line ends of its own.
        sizes = [text.count("\n") + 1 for text in texts]
        grouped, at = [], 0
        for size in sizes:
            tokens: Tokens = []
            for number in range(size):
                tokens += [("", "\n")] if number else []
                tokens += lines[at + number]
            grouped.append(tokens)
            at += size
        return grouped


_TAGS = {"added": "ins", "removed": "del", "near": "mark"}


def _html(segments: Sequence[Sequence[str]], tokens: Tokens) -> Markup:
    """A line: its segments as ``ins``, ``del`` and ``mark``, its tokens as coloured spans."""
    pieces: list[str] = []
    flow = _pieces(tokens)
    for mark, text in segments:
        tag = _TAGS.get(mark)
        pieces.append(f"<{tag}>" if tag else "")
        pieces.extend(flow.take(len(text)))
        pieces.append(f"</{tag}>" if tag else "")
    return Markup("".join(pieces))  # noqa: S704 (each text was escaped by _pieces)


class _pieces:  # noqa: N801 (a helper of _html alone)
    """Gives a line's tokens out by length."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = [one for one in tokens if one[1]]
        self._used = 0

    def take(self, count: int) -> Iterator[str]:
        """The next ``count`` characters, escaped."""
        while count > 0 and self._tokens:
            kind, text = self._tokens[0]
            piece = text[self._used : self._used + count]
            count -= len(piece)
            self._used += len(piece)
            if self._used == len(text):
                self._tokens.pop(0)
                self._used = 0
            safe = str(escape(piece))
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


def _runs(rows: Sequence[RowView]) -> list[Run]:
    """Rows in runs; the middle of a long equal one is folded."""
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
    cells = {}
    for side in ("expected", "answer"):
        place = part[side]
        language = place.get("language") if code and place else None
        cells[side] = _side(rows, side, language, painter)
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
    """A comparison's parts as blocks to show, equal ones in a row folded.

    Args:
        comparison: reduced to what the reader may see.
    """
    painter = _Painter()
    blocks = [_block(part, painter) for part in comparison["parts"]]
    found = []
    for equal, group in groupby(blocks, lambda block: block.state == "equal" and not block.notes):
        found.append(Stretch(list(group), folded=equal))
    return found
