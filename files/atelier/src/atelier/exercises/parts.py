"""Makes the parts of a comparison from two sequences of blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field

from atelier.exercises.align import SHORT, Likeness, Profile, align
from atelier.exercises.blocks import Block, Style
from atelier.exercises.extras import ALIKE, Extras
from atelier.exercises.model import Message, Part, Row, Rule, Segment, Side, message
from atelier.exercises.places import moved, pasted
from atelier.exercises.regroup import regrouped
from atelier.exercises.score import MOVED_SHARE
from atelier.exercises.sequences import Near
from atelier.exercises.tokens import Token, cut, difference, rows, rows_of

MOST_NOTES = 20
Weigh = Callable[[Block, int | None], float]
"""Return the weight of a block; the number is that of an expected block, None for an extra one."""


@dataclass
class Work:
    """Data that the steps of one comparison share."""

    rule: Rule
    weigh: Weigh
    given_texts: frozenset[str] = frozenset()
    """Texts of the template's blocks."""
    likeness: Likeness = field(default_factory=Likeness)
    extras: Extras = field(default_factory=Extras)
    known: dict[tuple[Style, str], list[Token]] = field(default_factory=dict)
    """Cache of lines that were split into tokens."""

    @property
    def near(self) -> Near:
        """The tolerance for numbers."""
        return Near(self.rule.tolerance_absolute, self.rule.tolerance_relative)


def side_by_side(expected: Sequence[Block], answer: Sequence[Block], work: Work) -> list[Part]:
    """Return all parts in the answer's order; missing blocks are at their expected position."""
    lenient = work.rule.extra == "ignored"
    if lenient:
        answer = regrouped(expected, answer)
    here, there = _profiles(expected, answer, work)
    pairs = align(here, there, work.likeness, equal_anywhere=lenient)
    in_another_place = moved(here, there, pairs, work.likeness)
    in_order = pasted(pairs, in_another_place, there) if lenient else set()
    elsewhere = {j: i for i, j in in_another_place}
    found_elsewhere = set(elsewhere.values())
    if lenient:
        _look_at_extras(here, there, {j for _, j in pairs} | elsewhere.keys(), work)
    parts: list[Part] = []
    i0 = j0 = 0
    for i, j in [*pairs, (len(here), len(there))]:
        for k in range(i0, i):
            if k not in found_elsewhere:
                parts.append(_missing(expected[k], k, work))
        for k in range(j0, j):
            if k in elsewhere:
                i1 = elsewhere[k]
                is_moved = (i1, k) not in in_order
                parts.append(_both(here[i1], there[k], i1, k, work, is_moved))
            else:
                parts.append(_extra(answer[k], k, work))
        if i < len(here):
            parts.append(_both(here[i], there[j], i, j, work, False))
        i0, j0 = i + 1, j + 1
    return parts


def _look_at_extras(
    here: Sequence[Profile], there: Sequence[Profile], paired: Set[int], work: Work
) -> None:
    """Count the blocks that are neither expected nor given, and which are like expected ones."""
    wanted = [i for i, one in enumerate(here) if work.weigh(one.block, i + 1)]
    kinds = {here[i].block.kind for i in wanted}
    extra = [
        j
        for j, one in enumerate(there)
        if j not in paired and one.block.kind in kinds and one.block.text not in work.given_texts
    ]

    def alike(i: int, j: int) -> bool:
        one, other = here[i], there[j]
        if one.block.kind != other.block.kind or one.text == other.text:
            return False
        are_short = max(len(one.text), len(other.text)) < SHORT
        return are_short or work.likeness.at_least(one, other, ALIKE)

    work.extras.look(wanted, extra, alike)


def _profiles(
    expected: Sequence[Block], answer: Sequence[Block], work: Work
) -> tuple[list[Profile], list[Profile]]:
    """Return the blocks' profiles; an id that one of the files has twice identifies nothing."""
    untouched = work.given_texts - {block.text for block in expected}
    twice = _twice(expected) | _twice(answer)
    return (
        [Profile(block, work.rule, nameless=block.ident in twice) for block in expected],
        [
            Profile(
                block,
                work.rule,
                untouched=block.text in untouched,
                nameless=block.ident in twice,
            )
            for block in answer
        ],
    )


def _twice(blocks: Sequence[Block]) -> set[str]:
    return {ident for ident, count in Counter(block.ident for block in blocks).items() if count > 1}


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
    """Set score, rows and notes for two blocks that are not identical."""
    cuts = (cut(one, work.rule, work.known), cut(other, work.rule, work.known))
    inner = difference(cuts[0], cuts[1], work.near)
    # An option of a chunk counts like a word, and so does the language if it differs.
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
    """Return whether two code blocks name different languages; code without one matches any."""
    said = one.language and other.language and one.cell is None
    return bool(said) and one.language != other.language


def _equal_row(one: Block, other: Block) -> Row:
    """Return two equal blocks as a single row."""
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
