"""Compares tables of comma-separated values (RFC 4180, and variants of spreadsheets) by cell."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Hashable, Sequence, Set
from copy import copy
from math import isfinite

from atelier.exercises.blocks import Block, UnreadableError
from atelier.exercises.model import (
    Limits,
    Line,
    Mark,
    Part,
    Row,
    Rule,
    Segment,
    Side,
    message,
)
from atelier.exercises.parts import Work
from atelier.exercises.sequences import Near, Pair, by_relation, match
from atelier.exercises.tokens import LONGEST_FRACTION, LONGEST_NUMBER

ROWS_PER_BLOCK = 10
MOST_PAIRS = 40_000
DELIMITERS = ",;\t|"
SAMPLE_LINES = 5
_QUOTED = re.compile(r'"[^"]*"')


class RowBlock(Block):
    """A row: ``cells`` are its texts, ``keys`` the values that are compared."""

    cells: list[str]
    keys: list[Hashable]


def read(text: str, rule: Rule, limits: Limits) -> list[Block]:
    """Read the rows of a table without empty ones.

    Raises:
        UnreadableError: the text is not a valid table, or has too many rows.
    """
    delimiter = rule.delimiter or sniffed(text)
    most = limits.max_blocks * ROWS_PER_BLOCK
    csv.field_size_limit(limits.max_bytes)
    found: list[Block] = []
    # Line ends are kept: a cell of two lines consists of two words.
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(found) == most:
                raise UnreadableError(message("check_problem_rows", limit=most))
            found.append(_row(cells, reader.line_num, delimiter, rule))
    except csv.Error:
        raise UnreadableError(message("check_problem_csv", line=reader.line_num)) from None
    return found


def sniffed(text: str) -> str:
    """Guess the delimiter: one that is in all of the first lines, else the most frequent one.

    Commas are tried last, as a French table has decimal commas, often more than semicolons.
    """
    lines = [line for line in _QUOTED.sub("", _beginning(text)).split("\n") if line.strip()]
    for delimiter in DELIMITERS[1:]:
        if lines and all(delimiter in line for line in lines):
            return delimiter
    sample = "\n".join(lines)
    return max(DELIMITERS, key=sample.count)


def _beginning(text: str) -> str:
    """Return the first lines."""
    return "\n".join(text.split("\n", SAMPLE_LINES)[:SAMPLE_LINES])


def _row(cells: list[str], line: int, delimiter: str, rule: Rule) -> RowBlock:
    block = RowBlock("row", [(line, delimiter.join(cells))])
    block.cells = [cell.strip() for cell in cells] if rule.whitespace == "ignored" else cells
    block.keys = [_key(cell, delimiter, rule) for cell in block.cells]
    return block


def _key(cell: str, delimiter: str, rule: Rule) -> Hashable:
    text = cell.replace(",", ".") if delimiter != "," else cell
    longest = LONGEST_NUMBER if text.lstrip("+-").isdigit() else LONGEST_FRACTION
    if text[:1] in "+-.0123456789" and len(text.lstrip("+-")) <= longest:
        with contextlib.suppress(ValueError):
            value = float(text)
            # "nan" is not equal to itself, and all numbers that are too large would be equal.
            if isfinite(value) and "_" not in text:
                return ("number", value)
    text = " ".join(cell.split()) if rule.whitespace == "ignored" else cell
    return text.casefold() if rule.case == "ignored" else text


def _number(key: Hashable) -> float | None:
    return key[1] if isinstance(key, tuple) else None


def same(one: Hashable, other: Hashable, near: Near) -> bool:
    """Return whether two cells have the same value."""
    if one == other:
        return True
    here, there = _number(one), _number(other)
    return bool(near) and here is not None and there is not None and near(here, there)


def side_by_side(expected: Sequence[Block], answer: Sequence[Block], work: Work) -> list[Part]:
    """Return a part for each row, in the answer's order."""
    rule, weigh, near = work.rule, work.weigh, work.near
    here = [row for row in expected if isinstance(row, RowBlock)]
    there = [row for row in answer if isinstance(row, RowBlock)]
    here, there = _same_columns(here, there)
    if rule.key:
        pairs = _by_columns(here, there, rule.key)
        elsewhere: list[Pair] = []
    else:
        pairs, elsewhere = _by_likeness(here, there, near, free=rule.order == "free")
    by_answer = {j: (i, False) for i, j in pairs} | {j: (i, True) for i, j in elsewhere}
    found = {i for i, _ in by_answer.values()}
    _look_at_extras(here, there, by_answer.keys(), work)
    parts: list[Part] = []
    reached = 0
    for j, row in enumerate(there):
        if j not in by_answer:
            parts.append(_single(None, row, weigh(row, None), j))
            continue
        i, is_moved = by_answer[j]
        if not is_moved:
            while reached < i:
                if reached not in found:
                    parts.append(
                        _single(here[reached], None, weigh(here[reached], reached + 1), reached)
                    )
                reached += 1
        parts.append(_both(here[i], row, (i, j), near, weigh(here[i], i + 1), rule, is_moved))
    parts += [
        _single(here[i], None, weigh(here[i], i + 1), i)
        for i in range(reached, len(here))
        if i not in found
    ]
    return parts


def _look_at_extras(
    here: Sequence[RowBlock], there: Sequence[RowBlock], paired: Set[int], work: Work
) -> None:
    """Count the rows that are neither expected nor given, and which are like expected ones."""
    wanted = [i for i, row in enumerate(here) if work.weigh(row, i + 1)]
    extra = [
        j for j, row in enumerate(there) if j not in paired and row.text not in work.given_texts
    ]

    def tried(j: int) -> list[int]:
        row = there[j]
        return [i for i in wanted if here[i].keys != row.keys and _alike(here[i], row, work.near)]

    work.extras.look(wanted, extra, tried)


def _same_columns(
    here: list[RowBlock], there: list[RowBlock]
) -> tuple[list[RowBlock], list[RowBlock]]:
    """Order the columns of both tables alike, if one header has all names of the other.

    Additional columns come last: R's ``write.csv`` writes one with row names first.
    """
    if here and there:
        wanted, got = here[0].keys, there[0].keys
        if set(wanted) <= set(got):
            return here, _in_order(there, wanted)
        if set(got) < set(wanted):
            return _in_order(here, got), there
    return here, there


def _in_order(rows: list[RowBlock], head: list[Hashable]) -> list[RowBlock]:
    """Return the rows with the header's columns first, in its order."""
    places = {key: place for place, key in enumerate(rows[0].keys)}
    is_head = len(set(head)) == len(head) and not any(_number(key) is not None for key in head)
    if rows[0].keys == head or len(places) != len(rows[0].keys) or not is_head:
        return rows
    order = [places.pop(key) for key in head]
    order += places.values()
    return [_reordered(row, order) if len(row.keys) == len(order) else row for row in rows]


def _reordered(row: RowBlock, order: Sequence[int]) -> RowBlock:
    moved = copy(row)
    moved.cells = [row.cells[place] for place in order]
    moved.keys = [row.keys[place] for place in order]
    return moved


def _by_columns(
    here: Sequence[RowBlock], there: Sequence[RowBlock], names: Sequence[str]
) -> list[Pair]:
    """Pair rows that have the same values in the named columns."""
    if not here or not there:
        return []
    head = [cell.casefold() for cell in here[0].cells]
    places = [head.index(name.casefold()) for name in names if name.casefold() in head]

    def key(row: RowBlock) -> tuple[Hashable, ...]:
        return tuple(row.keys[place] if place < len(row.keys) else None for place in places)

    waiting: dict[Hashable, list[int]] = {}
    for i, row in enumerate(here):
        waiting.setdefault(key(row), []).append(i)
    pairs = []
    for j, row in enumerate(there):
        if waiting.get(key(row)):
            pairs.append((waiting[key(row)].pop(0), j))
    return pairs


def _by_likeness(
    here: Sequence[RowBlock], there: Sequence[RowBlock], near: Near, *, free: bool
) -> tuple[list[Pair], list[Pair]]:
    """Return pairs in order, and pairs of moved rows; the result is symmetric.

    Equal rows are paired first, then rows that share half of their cells. Last, if both sides have
    the same number of rows left between two pairs, these are paired in order.
    """
    if [row.cells for row in there] < [row.cells for row in here]:
        flipped = _by_likeness(there, here, near, free=free)
        return sorted((i, j) for j, i in flipped[0]), [(i, j) for j, i in flipped[1]]
    pairs = match([tuple(row.keys) for row in here], [tuple(row.keys) for row in there])
    if not free:
        pairs = _filled(pairs, here, there, near)
    elsewhere = _elsewhere(pairs, here, there, near)
    return _one_by_one(pairs, elsewhere, len(here), len(there)), elsewhere


def _filled(
    pairs: list[Pair], here: Sequence[RowBlock], there: Sequence[RowBlock], near: Near
) -> list[Pair]:
    """Add pairs of rows between the given pairs that share half of their cells."""
    found: list[Pair] = []
    i0 = j0 = 0
    for i, j in [*pairs, (len(here), len(there))]:
        first, second = here[i0:i], there[j0:j]
        if first and second and len(first) * len(second) <= MOST_PAIRS:

            def related(
                a: int, b: int, one: Sequence[RowBlock] = first, other: Sequence[RowBlock] = second
            ) -> bool:
                return _alike(one[a], other[b], near)

            between = by_relation(len(second), len(first), related)
            found += [(i0 + a, j0 + b) for a, b in between]
        if i < len(here):
            found.append((i, j))
        i0, j0 = i + 1, j + 1
    return found


def _elsewhere(
    pairs: Sequence[Pair], here: Sequence[RowBlock], there: Sequence[RowBlock], near: Near
) -> list[Pair]:
    """Return pairs of moved rows: equal ones, then those that share the most cells."""
    left = sorted(set(range(len(here))) - {i for i, _ in pairs})
    right = sorted(set(range(len(there))) - {j for _, j in pairs})
    places: dict[Hashable, list[int]] = {}
    for i in left:
        places.setdefault(tuple(here[i].keys), []).append(i)
    found: list[Pair] = []
    for j in right:
        if places.get(tuple(there[j].keys)):
            found.append((places[tuple(there[j].keys)].pop(0), j))
    taken, filled = {i for i, _ in found}, {j for _, j in found}
    left, right = [i for i in left if i not in taken], [j for j in right if j not in filled]
    if len(left) * len(right) > MOST_PAIRS:
        return found
    shares = [
        (-_common(here[i], there[j], near), i, j)
        for i in left
        for j in right
        if _alike(here[i], there[j], near)
    ]
    for _, i, j in sorted(shares):
        if i not in taken and j not in filled:
            found.append((i, j))
            taken.add(i)
            filled.add(j)
    return found


def _one_by_one(
    pairs: Sequence[Pair], elsewhere: Sequence[Pair], width: int, height: int
) -> list[Pair]:
    """Pair the rows left between pairs in order, where both sides have the same number."""
    taken, filled = {i for i, _ in elsewhere}, {j for _, j in elsewhere}
    found: list[Pair] = []
    i0 = j0 = 0
    for i, j in [*pairs, (width, height)]:
        left = [k for k in range(i0, i) if k not in taken]
        right = [k for k in range(j0, j) if k not in filled]
        if len(left) == len(right):
            found += zip(left, right, strict=True)
        if i < width:
            found.append((i, j))
        i0, j0 = i + 1, j + 1
    return found


def _alike(one: RowBlock, other: RowBlock, near: Near) -> bool:
    return 2 * _common(one, other, near) >= max(len(one.keys), len(other.keys))


def _common(one: RowBlock, other: RowBlock, near: Near) -> int:
    return sum(same(a, b, near) for a, b in zip(one.keys, other.keys, strict=False))


def _side(row: RowBlock, index: int) -> Side:
    return {"number": index + 1, "line": row.line, "cell": None, "language": None, "level": None}


def _single(one: RowBlock | None, other: RowBlock | None, weight: float, index: int) -> Part:
    row = one or other
    mark: Mark = "removed" if one else "added"
    segments: list[Segment] = [(mark, cell) for cell in row.cells] if row else []
    line: Line = {"line": row.line if row else None, "segments": segments}
    side = _side(row, index) if row else None
    return {
        "kind": "row",
        "state": "removed" if one else "added",
        "score": 0.0,
        "weight": weight,
        "expected": side if one else None,
        "answer": None if one else side,
        "rows": [
            {
                "state": "removed" if one else "added",
                "expected": line if one else None,
                "answer": None if one else line,
            }
        ],
        "notes": [],
        "cut": False,
    }


def _both(
    one: RowBlock,
    other: RowBlock,
    at: Pair,
    near: Near,
    weight: float,
    rule: Rule,
    is_moved: bool,
) -> Part:
    left: list[Segment] = []
    right: list[Segment] = []
    nearly = 0
    for place in range(max(len(one.keys), len(other.keys))):
        here = one.keys[place] if place < len(one.keys) else None
        there = other.keys[place] if place < len(other.keys) else None
        alike = here is not None and there is not None and same(here, there, near)
        nearly += alike and here != there
        exact = alike and one.cells[place] == other.cells[place]
        if here is not None:
            left.append(("equal" if exact else "near" if alike else "removed", one.cells[place]))
        if there is not None:
            right.append(("equal" if exact else "near" if alike else "added", other.cells[place]))
    common = sum(mark in ("equal", "near") for mark, _ in left)
    score = 2 * common / (len(left) + len(right))
    changed = score < 1
    row: Row = {
        "state": "changed" if changed else "equal",
        "expected": {"line": one.line, "segments": left},
        "answer": {"line": other.line, "segments": right},
    }
    moved_here = is_moved and rule.order == "matters"
    return {
        "kind": "row",
        "state": "moved" if moved_here else "changed" if changed else "equal",
        "score": score / 2 if moved_here else score,
        "weight": weight,
        "expected": _side(one, at[0]),
        "answer": _side(other, at[1]),
        "rows": [row],
        "notes": [message("check_note_near", count=nearly)] if nearly else [],
        "cut": False,
    }
