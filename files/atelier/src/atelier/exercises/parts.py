"""Parts of a comparison: two sequences of blocks side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from atelier.exercises.align import Likeness, Profile, align, moved
from atelier.exercises.blocks import Block, Style
from atelier.exercises.model import Message, Part, Row, Rule, Segment, Side, message
from atelier.exercises.sequences import Near
from atelier.exercises.tokens import Token, cut, difference, rows, rows_of

MOVED_SHARE = 0.5
"""Of its score that a moved block keeps where the order matters."""
MOST_NOTES = 20
Weigh = Callable[[Block, int | None], float]
"""Weight of a block: of an expected one with its number, of an extra one with None."""


@dataclass
class Work:
    """What the steps of one comparison share."""

    rule: Rule
    weigh: Weigh
    given_texts: frozenset[str] = frozenset()
    """Of the blocks the course gave."""
    likeness: Likeness = field(default_factory=Likeness)
    known: dict[tuple[Style, str], list[Token]] = field(default_factory=dict)
    """Lines that are cut already."""

    @property
    def near(self) -> Near:
        """Which numbers are equal."""
        return Near(self.rule.tolerance_absolute, self.rule.tolerance_relative)


def side_by_side(expected: Sequence[Block], answer: Sequence[Block], work: Work) -> list[Part]:
    """All parts in the answer's order; what is missing stands where it would have been."""
    untouched = work.given_texts - {block.text for block in expected}
    here = [Profile(block, work.rule) for block in expected]
    there = [Profile(block, work.rule, untouched=block.text in untouched) for block in answer]
    pairs = align(here, there, work.likeness)
    elsewhere = {j: i for i, j in moved(here, there, pairs, work.likeness)}
    found_elsewhere = set(elsewhere.values())
    parts: list[Part] = []
    i0 = j0 = 0
    for i, j in [*pairs, (len(here), len(there))]:
        for k in range(i0, i):
            if k not in found_elsewhere:
                parts.append(_missing(expected[k], k, work))
        for k in range(j0, j):
            if k in elsewhere:
                parts.append(_both(here[elsewhere[k]], there[k], elsewhere[k], k, work, True))
            else:
                parts.append(_extra(answer[k], k, work))
        if i < len(here):
            parts.append(_both(here[i], there[j], i, j, work, False))
        i0, j0 = i + 1, j + 1
    return parts


def _side(block: Block, index: int) -> Side:
    return {
        "number": index + 1,
        "line": block.line,
        "cell": block.cell,
        "language": block.language,
        "level": block.level,
    }


def _missing(block: Block, index: int, work: Work) -> Part:
    return {
        "kind": block.kind,
        "state": "removed",
        "score": 0.0,
        "weight": work.weigh(block, index + 1),
        "expected": _side(block, index),
        "answer": None,
        "rows": rows_of(block, "removed"),
        "notes": [],
        "cut": False,
    }


def _extra(block: Block, index: int, work: Work) -> Part:
    return {
        "kind": block.kind,
        "state": "added",
        "score": 0.0,
        "weight": work.weigh(block, None),
        "expected": None,
        "answer": _side(block, index),
        "rows": rows_of(block, "added"),
        "notes": [],
        "cut": False,
    }


def _both(one: Profile, other: Profile, i: int, j: int, work: Work, is_moved: bool) -> Part:
    part: Part = {
        "kind": other.block.kind,
        "state": "equal",
        "score": 1.0,
        "weight": work.weigh(one.block, i + 1),
        "expected": _side(one.block, i),
        "answer": _side(other.block, j),
        "rows": [],
        "notes": [],
        "cut": False,
    }
    if one.key == other.key and one.block.text == other.block.text:
        part["rows"] = [_equal_row(one.block, other.block)]
    else:
        _fill(part, one.block.refined(), other.block.refined(), work)
    if is_moved:
        part["state"] = "moved"
        part["notes"].insert(0, message("check_note_moved"))
        if work.rule.order == "matters":
            part["score"] *= MOVED_SHARE
    return part


def _fill(part: Part, one: Block, other: Block, work: Work) -> None:
    """Score, rows and notes of two blocks that are not the same to the letter."""
    cuts = (cut(one, work.rule, work.known), cut(other, work.rule, work.known))
    inner = difference(cuts[0], cuts[1], work.near)
    # An option of a chunk counts as a word does, and so does its language where it is another.
    same_options = len(one.options.items() & other.options.items())
    total = inner.total + len(one.options) + len(other.options) + 2 * _other_language(one, other)
    share = 2 * (inner.common + same_options) / total if total else 1.0
    same_sort = one.kind == other.kind and one.level == other.level
    part["score"] = share if same_sort else share / 2
    part["rows"] = rows(one, other, inner, cuts)
    part["notes"] = _notes(one, other, inner.near, share)
    if part["score"] < 1:
        part["state"] = "changed"


def _other_language(one: Block, other: Block) -> bool:
    """Whether two pieces of code say different languages; one that says none may be any."""
    said = one.language and other.language and one.cell is None
    return bool(said) and one.language != other.language


def _equal_row(one: Block, other: Block) -> Row:
    """All of two equal blocks as one row: there is nothing to put side by side."""
    segments: list[Segment] = [("equal", one.text)]
    return {
        "state": "equal",
        "expected": {"line": one.line, "segments": segments},
        "answer": {"line": other.line, "segments": segments},
    }


def _notes(one: Block, other: Block, near: int, share: float) -> list[Message]:
    notes: list[Message] = []
    if one.kind != other.kind:
        notes.append(message("check_note_kind"))
    elif one.kind == "heading":
        if share < 1:
            notes.append(message("check_note_heading"))
        if one.level != other.level:
            notes.append(message("check_note_level"))
    if _other_language(one, other):
        notes.append(message("check_note_language"))
    if near:
        notes.append(message("check_note_near", count=near))
    for name in sorted(one.options.keys() | other.options.keys()):
        if one.options.get(name) != other.options.get(name):
            notes.append(_option_note(name, name in one.options, name in other.options))
    return notes[:MOST_NOTES]


def _option_note(name: str, is_expected: bool, is_there: bool) -> Message:
    shown = name[:60]
    if not is_there:
        return {**message("check_note_option_missing", option=shown), "side": "expected"}
    key = "check_note_option" if is_expected else "check_note_option_extra"
    return {**message(key, option=shown), "side": "answer"}
