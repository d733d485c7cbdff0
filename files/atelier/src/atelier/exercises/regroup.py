"""Divides the answer's blocks as the expected file does, where the texts are the same.

A learner may write one expected cell as two, or two as one. So blocks that follow each other are
joined if together they are an expected block, and a block is cut where it is several of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from atelier.exercises.blocks import Block
from atelier.exercises.markup import Form, plain
from atelier.exercises.model import Kind

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
    begins: dict[str, list[int]] = {}
    for i, text in here.items():
        begins.setdefault(text[0], []).append(i)
    blocks: list[Block] = []
    at = 0
    while at < len(answer):
        like = begins.get(there[at][0], []) if at in there else []
        count = _joined(at, answer, there, [(here[i], expected[i].sort) for i in like])
        if count:
            blocks.append(_join(answer[at : at + count]))
        elif like:
            blocks += _cut(answer[at], _cuts(answer[at], there[at], like, expected, here))
        else:
            blocks.append(answer[at])
        at += count or 1
    return blocks


def _bare(block: Block) -> str:
    return "".join(block.plain.split())


def _joined(
    start: int, answer: Sequence[Block], there: dict[int, str], like: Sequence[tuple[str, Kind]]
) -> int:
    """Return how many blocks from ``start`` on are an expected one together; 0: none are."""
    if start + 1 not in there:
        return 0
    for text, sort in like:
        length, at = 0, start
        while at in there and answer[at].sort == sort and text.startswith(there[at], length):
            length += len(there[at])
            at += 1
            if length == len(text) and at - start > 1:
                return at - start
    return 0


def _join(blocks: Sequence[Block]) -> Block:
    """Return blocks as one; its id is that of the first."""
    first = blocks[0]
    fine = [block.refined() for block in blocks]
    lines = [line for block in fine for line in block.lines]
    forms = [form for block in fine for _, form in block.formed]
    return replace(first, lines=lines, forms=forms, finer=None)


def _cuts(
    block: Block,
    text: str,
    like: Sequence[int],
    expected: Sequence[Block],
    here: dict[int, str],
) -> list[int]:
    """Return the lengths, without white space, of the expected blocks that a block is made of."""
    for start in like:
        lengths: list[int] = []
        i = start
        while i in here and expected[i].sort == block.sort:
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
        replace(
            block,
            lines=[line for line, _ in piece],
            forms=[form for _, form in piece],
            ident=name,
            finer=None,
        )
        for piece, name in zip(pieces, names, strict=True)
    ]


Piece = list[tuple[tuple[int | None, str], Form]]
"""Lines with their forms."""


def _pieces(block: Block, lengths: Sequence[int]) -> Iterator[Piece]:
    fine = block.refined()
    left: Piece = [(line, form) for line, (_, form) in zip(fine.lines, fine.formed, strict=True)]
    for length in lengths:
        taken: Piece = []
        while length > 0 and left:
            ((number, text), form), *left = left
            compared = plain(text, form)
            size = len("".join(compared.split()))
            if size > length:
                if block.style == "code" or compared != text:
                    return
                place = _place(text, length)
                left = [((number, text[place:].lstrip()), form), *left]
                text, size = text[:place], length
            taken.append(((number, text), form))
            length -= size
        yield taken


def _place(text: str, count: int) -> int:
    """Return the position after ``count`` characters that are not white space."""
    for place, sign in enumerate(text):
        count -= not sign.isspace()
        if count == 0:
            return place + 1
    return len(text)
