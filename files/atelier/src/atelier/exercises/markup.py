"""Reads marks of Markdown and Org that may be written in several ways as one.

CommonMark (https://spec.commonmark.org/) says which texts are the same: ``_x_`` and ``*x*``,
``\\_`` and ``_`` within a word, the bullets of a list, a heading with a line below it. A text keeps
what was written, and has besides the characters that are compared, with their places in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, emphasis, entity, escape

Form = Literal["", "text", "item", "row", "quote", "heading", "rule", "mark", "org-item", "org-row"]
"""What a line is: ``""`` is compared as it is written, ``mark`` not at all (the line below the head
of a table, a fence); ``org-`` has no marks of Markdown within the line."""

EMPHASIS, STRONG = "\ue000", "\ue001"
"""Characters that stand for the marks of emphasis: they are in no text that a person writes."""
MARKS = re.compile(
    r"[\\*_&|]|^\s*(?:[-+>]|#{1,6}.*#\s*$|\d{1,9}[.)]\s|=+\s*$|`{3}|~{3})", re.MULTILINE
)
"""Found in each text with marks that may be written in several ways."""
_SPECIAL = re.compile(r"[\\*_&]")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])(?:\s+|$)")
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
_UNDERLINE = re.compile(r"\n\s*(?:=+|-+)\s*$")
_NUMBER_SIGNS = re.compile(r"^(\s*)(#{1,6})(\s.*?|)(?:\s+#+)?\s*$", re.DOTALL)
MOST_CHARACTERS = 20_000
"""A longer line is compared as it is written."""


@dataclass(frozen=True)
class Normal:
    """A text's characters to compare; each has its start and end in what was written."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def plain(text: str, form: Form) -> str:
    """Return the characters of a line that are compared."""
    found = normal(text, form)
    return text if found is None else found.text


@lru_cache(maxsize=1024)
def normal(text: str, form: Form) -> Normal | None:
    """Return the characters of a line that are compared; None if these are all of it."""
    if not form or (form == "text" and not _SPECIAL.search(text)) or len(text) > MOST_CHARACTERS:
        return None
    kept, before = _structure(text, form)
    inner = "".join(text[place] for place in kept)
    signs: list[tuple[str, int, int]] = [(sign, 0, 0) for sign in before]
    if form.startswith("org-") or not _SPECIAL.search(inner):
        signs += [(sign, place, place + 1) for sign, place in zip(inner, kept, strict=True)]
    else:
        signs += [(sign, kept[a], kept[b - 1] + 1) for sign, a, b in _inline(inner)]
    return Normal(
        "".join(sign for sign, _, _ in signs),
        tuple(start for _, start, _ in signs),
        tuple(end for _, _, end in signs),
    )


def _structure(text: str, form: Form) -> tuple[list[int], str]:
    """Return the places of a line's text without its marks, and what stands for these."""
    start, end = 0, len(text)
    if form in ("item", "org-item"):
        found = _ITEM.match(text)
        start = found.end() if found and found.end() < end else 0
    elif form in ("row", "org-row"):
        start = len(text) - len(text.lstrip())
        start += text[start : start + 1] == "|"
        end = len(text.rstrip())
        end -= text[start:end].endswith("|") and not text[:end].endswith("\\|")
    elif form == "quote":
        marks = {place for one in _QUOTE.finditer(text) for place in range(*one.span())}
        return [place for place in range(end) if place not in marks], ""
    elif form == "heading":
        return _heading(text)
    elif form in ("mark", "rule"):
        return [], "---" if form == "rule" else ""
    return list(range(start, end)), ""


def _heading(text: str) -> tuple[list[int], str]:
    below = _UNDERLINE.search(text)
    if below:
        return list(range(below.start())), "# " if "=" in below[0] else "## "
    signs = _NUMBER_SIGNS.match(text)
    if signs is None:
        return list(range(len(text))), ""
    return [*range(*signs.span(2)), *range(*signs.span(3))], ""


def _inline(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the characters that are compared, each with its start and end."""
    found: dict[int, tuple[str, int]] = {}
    delimiters: list[tuple[int, Any]] = []
    env = {"text": text, "found": found, "delimiters": delimiters}
    parser = _parser()
    parser.inline.parse(text, parser, env, [])
    strong: set[int] = set()
    for place, token in delimiters:
        if token.type in ("em_open", "em_close"):
            found[place] = (EMPHASIS, place + 1)
        elif token.type == "strong_open":  # of its two signs, the second is the token
            found.pop(place - 1, None)
            found[place - 1] = (STRONG, place + 1)
            strong.add(place)
        elif token.type == "strong_close":
            found[place] = (STRONG, place + 2)
            strong.add(place + 1)
    place = 0
    while place < len(text):
        signs, end = found.get(place, (text[place], place + 1))
        for number, sign in enumerate(signs):
            yield sign, place if number == 0 else end, end
        place = max(end, place + 1)


Rule = Callable[[StateInline, bool], bool]


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark")
    parser.inline.ruler2.enableOnly(["balance_pairs", "emphasis"])
    parser.inline.ruler.at("escape", _recorded(escape))
    parser.inline.ruler.at("entity", _recorded(entity))
    parser.inline.ruler.at("emphasis", _delimited)
    return parser


def _recorded(rule: Rule) -> Rule:
    """Return a rule that records which characters stand for which."""

    def record(state: StateInline, silent: bool) -> bool:
        start = state.pos
        done = rule(state, silent)
        if done and not silent and state.src == state.env["text"]:
            token = state.tokens[-1]
            is_sign = token.type == "text_special" and token.content != token.markup
            if is_sign:
                state.env["found"][start] = (token.content, state.pos)
            elif token.type == "hardbreak":
                state.env["found"][start] = ("\n", state.pos)
        return done

    return record


def _delimited(state: StateInline, silent: bool) -> bool:
    """Record the places of ``*`` and ``_``, which become emphasis when all text is known."""
    start = state.pos
    done = emphasis.tokenize(state, silent)
    if done and not silent and state.src == state.env["text"]:
        count = state.pos - start
        tokens = state.tokens[-count:]
        state.env["delimiters"] += [(start + k, token) for k, token in enumerate(tokens)]
    return done
