"""Finds what a learner wrote in a part of a file that the course names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from atelier.exercises import markup, numbers
from atelier.exercises.align import Likeness, Profile, align
from atelier.exercises.blocks import Block, Document
from atelier.exercises.markup import Form
from atelier.exercises.model import Kind, ProsePart, Rule
from atelier.exercises.sequences import match
from atelier.exercises.tokens import Token, tokens_of

TEXT = frozenset[Kind]({"prose", "list", "quote", "table", "heading"})
"""Kinds of blocks that are a learner's words."""
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
LEAST_KEPT = 0.6
"""Share of the template's words from which on they are still in the learner's text."""
AS_TEXT = Rule("text", case="ignored")


@dataclass(frozen=True)
class Written:
    """A part's text: the learner's own words, all of it, and what the template says there."""

    own: str
    whole: str
    given: str


def find(document: Document, given: Document | None, part: ProsePart) -> Written | None:
    """Return what a document has in a part; None if it does not have the part.

    Args:
        document: the learner's file.
        given: the template's file.
        part: names a cell by its id, a section by the text of its heading, or a cell (in other
            files than notebooks, a block) by its number in the template, from 1.
    """
    blocks = document.blocks
    start = given.blocks if given else []
    places = places_of(start, part.part)
    if not places:  # the course names a part that only the learner's file has
        there = places_of(blocks, part.part)
        return _written(blocks, there, "") if there else None
    template = _text(start, places)
    pairs = dict(_pairs(start, blocks))
    if isinstance(part.part, str) and (there := places_of(blocks, part.part)):
        if len(there) > 1 or len(places) > 1:  # a section
            return _written(blocks, there, template)
    else:
        there = [pairs[i] for i in places if i in pairs]
    found = _written(blocks, there, template)
    if found.own.strip():
        return found
    taken = set(pairs.values()) | set(there)
    for added in _added(places, there, pairs, taken, blocks):
        beside = _written(blocks, added, "")
        if beside.own.strip():
            return Written(beside.own, beside.whole, template)
    return found if there else None


def places_of(blocks: Sequence[Block], part: str | int) -> list[int]:
    """Return the indices of a part's blocks; a heading itself is not in its section."""
    if isinstance(part, int):
        if any(block.cell for block in blocks):
            return [i for i, block in enumerate(blocks) if block.cell == part]
        return [part - 1] if 0 < part <= len(blocks) else []
    named = [i for i, block in enumerate(blocks) if block.ident == f"cell {part}"]
    if len(named) == 1:
        return named
    wanted = _folded(part)
    for i, block in enumerate(blocks):
        heading = _heading(block)
        if heading and _folded(heading[1]) == wanted:
            return _section(blocks, i, heading[0])
    return []


def _section(blocks: Sequence[Block], start: int, level: int) -> list[int]:
    has_more = "\n" in blocks[start].text
    found = [start] if has_more else []
    for i in range(start + 1, len(blocks)):
        heading = _heading(blocks[i])
        if heading and heading[0] <= level:
            break
        found.append(i)
    return found or [start]


def _heading(block: Block) -> tuple[int, str] | None:
    """Return level and text of a heading, or of the one that a Markdown cell begins with."""
    if block.kind == "heading":
        return block.level or 1, block.text
    first = block.text.split("\n", 1)[0]
    level = len(first) - len(first.lstrip("#"))
    if block.kind != "prose" or not block.cell or not 0 < level < 7:
        return None
    return level, first[level:].strip()


def _folded(text: str) -> str:
    return " ".join(text.strip(" #").casefold().split())


def _pairs(start: Sequence[Block], blocks: Sequence[Block]) -> list[tuple[int, int]]:
    here = [Profile(block, AS_TEXT) for block in start]
    there = [Profile(block, AS_TEXT) for block in blocks]
    return align(here, there, Likeness(), equal_anywhere=True)


def _added(
    places: Sequence[int],
    there: Sequence[int],
    pairs: dict[int, int],
    taken: set[int],
    blocks: Sequence[Block],
) -> list[list[int]]:
    """Return the learner's new blocks below a part, then those above it."""
    before = [j for i, j in pairs.items() if i < min(places)]
    after = [j for i, j in pairs.items() if i > max(places)]
    low, high = max(before, default=-1), min(after, default=len(blocks))
    own = [j for j in range(low + 1, high) if j not in taken and _is_text(blocks[j])]
    middle = max(there, default=low)
    return [[j for j in own if j > middle], [j for j in own if j < middle]]


def _text(blocks: Sequence[Block], places: Sequence[int]) -> str:
    return "\n\n".join(
        "\n".join(words_alone(text, form) for text, form in _seen(blocks[i]).formed)
        for i in places
        if _is_text(blocks[i]) or (len(places) == 1 and blocks[i].cell)
    )


def _is_text(block: Block) -> bool:
    """Return whether a reader sees a block as text: HTML, but no comments and definitions."""
    return block.kind in TEXT or (block.kind == "raw" and block.text.lstrip().startswith("<"))


def _seen(block: Block) -> Block:
    """Return a block without comments of HTML."""
    if "<!--" not in block.text:
        return block.refined()
    text = _COMMENT.sub(" ", "\n".join(block.texts))
    return replace(block, lines=[(block.line, text)], forms=("text",), finer=None)


def words_alone(text: str, form: Form = "text") -> str:
    """Return a text without bullets, emphasis, and LaTeX's ways to write numbers."""
    found = markup.plain(numbers.plain(text), form)
    return found.replace(markup.EMPHASIS, "").replace(markup.STRONG, "")


def _written(blocks: Sequence[Block], places: Sequence[int], given: str) -> Written:
    whole = _text(blocks, places)
    return Written(without_given(whole, given), whole, given)


def without_given(text: str, given: str) -> str:
    """Return a text without the template's words, if most of these are still in it."""
    if not given.strip():
        return text
    mine, theirs = words_of(text), words_of(given)
    common = match([one.key for one in theirs], [one.key for one in mine])
    if len(common) < LEAST_KEPT * len(theirs):
        return text
    kept = {j for _, j in common}
    return "".join(
        " " if j in kept else f"{token.text}{token.space}" for j, token in enumerate(mine)
    )


def words_of(text: str) -> list[Token]:
    """Return a text's words, numbers and signs, to compare it regardless of case."""
    return [one for line in text.split("\n") for one in tokens_of(f"{line}\n", "prose", AS_TEXT)]
