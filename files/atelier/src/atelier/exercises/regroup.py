"""Divides the answer's blocks as the expected file does, where the texts are the same.

A learner may write one expected cell as two, or two as one. So blocks that follow each other are
joined if together they are an expected block, and a block is cut where it is several of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from atelier.exercises.blocks import Block

MOST_PAIRS = 40_000
"""Most pairs of blocks that are looked at; beyond, nothing is joined or cut."""


def regrouped(expected: Sequence[Block], answer: Sequence[Block]) -> list[Block]:
    """Return the answer's blocks, joined or cut where this makes them equal to expected ones."""
    equal = {block.text for block in expected} & {block.text for block in answer}
    wanted = ["" if block.text in equal else _bare(block) for block in expected]
    found = ["" if block.text in equal else _bare(block) for block in answer]
    equal = set(wanted) & set(found)
    here = {i: text for i, text in enumerate(wanted) if text and text not in equal}
    there = {j: text for j, text in enumerate(found) if text and text not in equal}
    if not here or not there or len(here) * len(there) > MOST_PAIRS:
        return list(answer)
    blocks: list[Block] = []
    at = 0
    while at < len(answer):
        count = _joined(at, answer, there, expected, here)
        if count:
            blocks.append(_join(answer[at : at + count]))
        else:
            blocks += _cut(answer[at], _cuts(answer[at], there.get(at, ""), expected, here))
        at += count or 1
    return blocks


def _bare(block: Block) -> str:
    return "".join(block.text.split())


def _joined(
    start: int,
    answer: Sequence[Block],
    there: dict[int, str],
    expected: Sequence[Block],
    here: dict[int, str],
) -> int:
    """Return how many blocks from ``start`` on are an expected one together; 0: none are."""
    if start not in there or start + 1 not in there:
        return 0
    for i, text in here.items():
        length, at = 0, start
        while (
            at in there
            and answer[at].kind == expected[i].kind
            and text.startswith(there[at], length)
        ):
            length += len(there[at])
            at += 1
            if length == len(text) and at - start > 1:
                return at - start
    return 0


def _join(blocks: Sequence[Block]) -> Block:
    """Return blocks as one; its id is that of the first."""
    first = blocks[0]
    if first.style == "prose" and not any(block.finer for block in blocks) and first.kind != "list":
        text = "\n".join(block.text for block in blocks)
        return replace(first, lines=[(first.line, text)])
    lines = [line for block in blocks for line in block.lines]
    if not any(block.finer for block in blocks):
        return replace(first, lines=lines)
    return replace(
        first, lines=lines, finer=lambda: [one for block in blocks for one in block.refined().lines]
    )


def _cuts(block: Block, text: str, expected: Sequence[Block], here: dict[int, str]) -> list[int]:
    """Return the lengths, without white space, of the expected blocks that a block is made of."""
    for start in here if text else ():
        lengths: list[int] = []
        i = start
        while i in here and expected[i].kind == block.kind:
            done = sum(lengths)
            if not text.startswith(here[i], done):
                break
            lengths.append(len(here[i]))
            i += 1
            if done + lengths[-1] == len(text) and len(lengths) > 1:
                return lengths
    return []


def _cut(block: Block, lengths: Sequence[int]) -> list[Block]:
    """Cut a block into pieces; return it whole if a line of code would have to be cut."""
    pieces = list(_pieces(block, lengths)) if lengths else []
    if not pieces or len(pieces) != len(lengths):
        return [block]
    names = [block.ident, *([""] * (len(pieces) - 1))]
    return [
        replace(block, lines=lines, ident=name, finer=None)
        for lines, name in zip(pieces, names, strict=True)
    ]


def _pieces(block: Block, lengths: Sequence[int]) -> Iterator[list[tuple[int | None, str]]]:
    lines = block.refined().lines
    for length in lengths:
        taken: list[tuple[int | None, str]] = []
        while length > 0 and lines:
            (number, text), *lines = lines
            size = len("".join(text.split()))
            if size > length:
                if block.style == "code":
                    return
                place = _place(text, length)
                lines = [(number, text[place:].lstrip()), *lines]
                text, size = text[:place], length
            taken.append((number, text))
            length -= size
        yield taken


def _place(text: str, count: int) -> int:
    """Return the position after ``count`` characters that are not white space."""
    for place, sign in enumerate(text):
        count -= not sign.isspace()
        if count == 0:
            return place + 1
    return len(text)
