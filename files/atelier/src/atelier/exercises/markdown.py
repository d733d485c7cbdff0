"""Splits Markdown, R Markdown and Quarto into blocks: CommonMark with tables and front matter."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from atelier.exercises.blocks import Block, Lines
from atelier.exercises.markup import Form
from atelier.exercises.model import Kind

_ITEM = re.compile(r"^\s{0,12}(?:[-*+]|\d{1,9}[.)])(?:\s|$)")
_NUMBERED = re.compile(r"^\s*(\d{1,9})[.)]")
_RULE_ROW = re.compile(r"^\s*\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$")
_CHUNK = re.compile(r"^\{\s*(?P<language>[A-Za-z][\w.+-]*)\s*(?P<rest>.*)\}$")
_PIPE_OPTION = re.compile(r"^\s*(?:#|--|//)\|\s?(?P<option>.*)$")
_QUOTES: dict[str, Kind] = {"blockquote_open": "quote"}


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["block"])  # paragraphs are compared as words
    return parser


def split(text: str, *, chunks: bool = False, first_line: int = 1) -> list[Block]:
    """Split a text into blocks.

    Args:
        text: lines end with ``\\n``.
        chunks: whether fences such as ```` ```{r name, echo=FALSE} ```` are R Markdown chunks.
        first_line: number of the text's first line in the file.
    """
    lines = text.split("\n")
    found: list[Block] = []
    done = _head(lines, found, first_line)
    body = [""] * done + lines[done:]
    covered = done
    tokens = _parser().parse("\n".join(body))
    for index, token in enumerate(tokens):
        if token.level != 0 or token.nesting < 0 or token.map is None:
            continue
        start, end = token.map
        found += _between(body, covered, start, first_line)
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        block = _block(token, following, body[start:end], start + first_line, chunks)
        if block.lines or block.options:
            found.append(block)
        covered = max(covered, end)
    found += _between(body, covered, len(body), first_line)
    return found


def _head(lines: list[str], found: list[Block], first_line: int) -> int:
    """Add the YAML front matter to the blocks; return the number of its lines."""
    if first_line != 1 or lines[0].rstrip() != "---":
        return 0
    for index in range(1, len(lines)):
        if lines[index].rstrip() in ("---", "..."):
            content = [(n + 1, line) for n, line in enumerate(lines[:index]) if n and line.strip()]
            found.append(Block("metadata", list(content)))
            return index + 1
    return 0


def _between(body: list[str], start: int, end: int, first_line: int) -> list[Block]:
    """Return lines without a token of the parser, such as link definitions, as a raw block."""
    left = [(n + first_line, body[n]) for n in range(start, end) if body[n].strip()]
    return [Block("raw", list(left))] if left else []


def _block(
    token: Token, following: Token | None, lines: list[str], number: int, chunks: bool
) -> Block:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    numbered: list[tuple[int | None, str]] = [
        (number + n, line) for n, line in enumerate(lines) if line.strip()
    ]
    if token.type == "heading_open":
        text = following.content if following else ""
        title = " ".join(text.split())
        return Block("heading", [(number, title)], level=int(token.tag[1:]), forms=["text"])
    if token.type == "fence":
        return _fence(token, number, chunks)
    if token.type == "code_block":
        content = [line.removeprefix("    ") for line in lines]
        return Block("code", _numbered(content, number), style="code")
    if token.type in ("bullet_list_open", "ordered_list_open"):
        items = _items(lines, number)
        return Block("list", items, forms=item_forms(items))
    if token.type == "blockquote_open":
        content = [line.lstrip().removeprefix(">").strip() for line in lines]
        return Block("quote", [(number, "\n".join(content))], forms=["text"])
    if token.type == "table_open":
        rows = [row for row in numbered if not _RULE_ROW.match(row[1])]
        return Block("table", rows, forms=["row"] * len(rows))
    if token.type == "html_block":
        return Block("raw", numbered)
    if token.type == "hr":
        return Block("raw", [(number, "---")])
    text = "\n".join(line.strip() for line in lines)
    return Block("prose", [(number, text)], forms=["text"])


def _numbered(lines: list[str], number: int) -> list[tuple[int | None, str]]:
    return [(number + n, line) for n, line in enumerate(lines)]


def _items(lines: list[str], number: int) -> list[tuple[int | None, str]]:
    """Join the wrapped lines of each list item."""
    items: list[tuple[int | None, str]] = []
    for n, line in enumerate(lines):
        if _ITEM.match(line) or not items:
            items.append((number + n, line))
        elif line.strip():
            first, text = items[-1]
            items[-1] = (first, f"{text}\n{line.strip()}")
    return items


def item_forms(items: Lines) -> list[Form]:
    """Return the forms of a list's items.

    A number that stands alone before a point, such as a year, is an answer rather than a bullet.
    """
    number = _NUMBERED.match(items[0][1]) if len(items) == 1 else None
    return ["text"] if number and int(number[1]) > 1 else ["item"] * len(items)


def written(text: str) -> tuple[Lines, list[Form]]:
    """Split a text into headings, paragraphs, list items, rows and other lines, as written."""
    lines = text.split("\n")
    found: list[tuple[int, str, Form]] = []
    covered = 0
    for token in _parser().parse(text):
        if token.level != 0 or token.nesting < 0 or token.map is None:
            continue
        start, end = token.map
        found += [(n, lines[n], "") for n in range(covered, start)]
        found += _formed(token, lines[start:end], start)
        covered = max(covered, end)
    found += [(n, lines[n], "") for n in range(covered, len(lines))]
    shown = [(n + 1, line, form) for n, line, form in found if line.strip()]
    return [(number, line) for number, line, _ in shown], [form for _, _, form in shown]


_WHOLE: dict[str, Form] = {"heading_open": "heading", "paragraph_open": "text", "hr": "rule"}


def _formed(token: Token, lines: list[str], start: int) -> list[tuple[int, str, Form]]:
    """Return the lines of one block, as written, with their forms."""
    whole = "quote" if token.type == "blockquote_open" else _WHOLE.get(token.type)
    if whole:
        return [(start, "\n".join(line for line in lines if line.strip()), whole)]
    if token.type in ("bullet_list_open", "ordered_list_open"):
        items = _items(lines, start)
        forms = item_forms(items)
        return [(n or 0, text, form) for (n, text), form in zip(items, forms, strict=True)]
    if token.type == "table_open":
        return [
            (start + n, line, "mark" if _RULE_ROW.match(line) else "row")
            for n, line in enumerate(lines)
        ]
    last = len(lines) - 1 if token.type == "fence" else -1
    is_closed = last > 0 and lines[last].strip().startswith(token.markup)
    return [
        (start + n, line, "mark" if last >= 0 and (n == 0 or (n == last and is_closed)) else "")
        for n, line in enumerate(lines)
    ]


def only_heading(text: str) -> Block | None:
    """Return the heading that a text consists of; None if it is anything else."""
    blocks = split(text)
    return blocks[0] if len(blocks) == 1 and blocks[0].kind == "heading" else None


def _fence(token: Token, number: int, chunks: bool) -> Block:
    content = token.content.split("\n")
    if content and not content[-1]:
        content.pop()
    info = token.info.strip()
    block = Block("code", _numbered(content, number + 1), style="code")
    chunk = _CHUNK.match(info) if chunks or info.startswith("{") else None
    if chunk is None:
        block.language = _language(info.split(maxsplit=1)[0]) if info else None
        return block
    block.language = _language(chunk["language"])
    name, block.options = chunk_options(chunk["rest"])
    kept: list[tuple[int | None, str]] = []
    for place, line in block.lines:
        option = _PIPE_OPTION.match(line)
        if option is None or kept:
            kept.append((place, line))
            continue
        key, _, value = option["option"].partition(":")
        if key.strip() == "label":
            name = value.strip()
        elif key.strip():
            block.options[_option(key)] = _value(value)
    block.lines = kept
    block.ident = f"chunk {name}" if name else ""
    return block


def _language(name: str) -> str:
    name = name.strip("{}.").lower()
    return {"py": "python", "python3": "python", "ipython": "python"}.get(name, name)


def chunk_options(text: str) -> tuple[str, dict[str, str]]:
    """Return the label and the options of a chunk's header, given the text after its language.

    The syntax is knitr's (https://yihui.org/knitr/options/): a label, then R expressions after
    ``=``, between commas.

    >>> chunk_options('plot, echo = FALSE, fig.cap="a, b"')
    ('plot', {'echo': 'false', 'fig-cap': '"a, b"'})
    """
    name = ""
    options: dict[str, str] = {}
    for place, piece in enumerate(_pieces(text.lstrip(", "))):
        key, equals, value = piece.partition("=")
        if equals and key.strip() == "label":
            name = value.strip().strip("'\"")
        elif equals:
            options[_option(key)] = _value(value)
        elif place == 0:
            name = piece.strip()
        elif piece.strip():
            options[_option(piece)] = ""
    return name, options


def _pieces(text: str) -> list[str]:
    """Split at commas that are neither in quotes nor in brackets."""
    pieces = [""]
    quote, depth = "", 0
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth <= 0:
            pieces.append("")
            continue
        pieces[-1] += sign
    return pieces


def _option(name: str) -> str:
    return name.strip().replace(".", "-")


def _value(text: str) -> str:
    value = " ".join(text.split())
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return f'"{value[1:-1]}"'
    return {"TRUE": "true", "T": "true", "FALSE": "false", "F": "false"}.get(value, value)
