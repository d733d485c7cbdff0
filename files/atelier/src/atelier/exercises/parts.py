"""Makes the parts of a comparison from two sequences of blocks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace

from atelier.exercises.align import SHORT, Likeness, Profile, align, compared
from atelier.exercises.blocks import Block, Style
from atelier.exercises.extras import ALIKE, Extras
from atelier.exercises.model import Message, Part, Row, Rule, Segment, Side, message
from atelier.exercises.places import moved, of_other_kinds, pasted
from atelier.exercises.regroup import regrouped
from atelier.exercises.rows import rows, rows_of
from atelier.exercises.score import MOVED_SHARE
from atelier.exercises.sequences import Near, Pair
from atelier.exercises.tokens import Known, cut, difference

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
    known: Known = field(default_factory=dict)
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
    in_order: set[Pair] = set()
    if lenient:
        in_order = pasted(here, there, pairs, in_another_place, work.likeness)
    pairs = sorted(pairs + of_other_kinds(here, there, pairs, in_another_place))
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
    sorts = {here[i].block.sort for i in wanted}
    extra = [
        j
        for j, one in enumerate(there)
        if j not in paired and one.block.sort in sorts and one.block.text not in work.given_texts
    ]

    wanted.sort(key=lambda i: len(here[i].text))
    lengths = [len(here[i].text) for i in wanted]

    def tried(j: int) -> list[int]:
        length = len(there[j].text)  # a text like it is a third to three times as long
        start = bisect_left(lengths, length // 3) if length >= SHORT else 0
        return [i for i in wanted[start : bisect_right(lengths, 3 * length + SHORT)] if alike(i, j)]

    def alike(i: int, j: int) -> bool:
        one, other = here[i], there[j]
        if one.block.sort != other.block.sort or one.text == other.text:
            return False
        are_short = max(len(one.text), len(other.text)) < SHORT
        return are_short or work.likeness.at_least(one, other, ALIKE)

    work.extras.look(wanted, extra, tried)


def _profiles(
    expected: Sequence[Block], answer: Sequence[Block], work: Work
) -> tuple[list[Profile], list[Profile]]:
    """Return the blocks' profiles; an id that one of the files has twice identifies nothing."""
    texts = {block.text for block in expected}
    untouched = work.given_texts - texts
    shared = texts & {block.text for block in answer}
    twice = _twice(expected) | _twice(answer)
    known: dict[tuple[Style, str], str] = {}

    def profile(block: Block, *, is_answer: bool) -> Profile:
        text = None
        if block.text in shared:  # then it does not matter how its marks are written
            key = block.style, block.text
            if key not in known:
                known[key] = compared(block.text, block, work.rule)
            text = known[key]
        is_untouched = is_answer and block.text in untouched
        is_nameless = block.ident in twice
        return Profile(block, work.rule, untouched=is_untouched, nameless=is_nameless, text=text)

    return (
        [profile(block, is_answer=False) for block in expected],
        [profile(block, is_answer=True) for block in answer],
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
    is_text = one.style != other.style  # then code is compared as text
    sides = [replace(b, style="prose", language=None) if is_text else b for b in (one, other)]
    cuts = (cut(sides[0], work.rule, work.known), cut(sides[1], work.rule, work.known))
    inner = difference(cuts[0], cuts[1], work.near)
    # An option of a chunk counts like a word, and so does the language if it differs.
    same_options = len(one.options.items() & other.options.items())
    total = inner.total + len(one.options) + len(other.options) + 2 * _other_language(one, other)
    share = 2 * (inner.common + same_options) / total if total else 1.0
    same_sort = one.sort == other.sort and one.level == other.level
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
    if one.sort != other.sort:
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
