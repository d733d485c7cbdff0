"""Reads the cells of a notebook as blocks, without metadata and execution counts.

nbformat is not used, as a learner's file may be invalid and only the cells are needed. The format
is https://nbformat.readthedocs.io/en/latest/format_description.html, versions 3 and 4.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from atelier.exercises import markdown
from atelier.exercises.blocks import Block, UnreadableError
from atelier.exercises.markup import MARKS
from atelier.exercises.model import Limits, message

_TEXTS = ("text/plain", "text/markdown", "text/latex", "text/html", "application/json")


def read(text: str, limits: Limits, *, outputs: bool) -> list[Block]:
    """Read the cells as blocks, with ``outputs`` also their outputs.

    Raises:
        UnreadableError: not JSON, not a notebook, or too many cells.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise UnreadableError(message("check_problem_deep")) from None
    except json.JSONDecodeError as error:
        raise UnreadableError(message("check_problem_json", line=error.lineno)) from None
    except ValueError:  # an integer with thousands of digits
        raise UnreadableError(message("check_problem_json", line=1)) from None
    cells = _cells(data)
    if len(cells) > limits.max_blocks:
        raise UnreadableError(
            message("check_problem_blocks", count=len(cells), limit=limits.max_blocks)
        )
    language = _language(data)
    found: list[Block] = []
    for number, cell in enumerate(cells, 1):
        found += _blocks(cell, number, language, outputs)
    return found


def _cells(data: Any) -> list[Any]:
    if not isinstance(data, dict):
        raise UnreadableError(message("check_problem_notebook"))
    cells = data.get("cells")
    if cells is None and isinstance(data.get("worksheets"), list):
        sheets = [sheet for sheet in data["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets for cell in _list(sheet.get("cells"))]
    if not isinstance(cells, list):
        raise UnreadableError(message("check_problem_notebook"))
    return cells


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Return the text of a source or an output, which is a string or a list of lines."""
    if isinstance(value, list):
        value = "".join([part for part in value if isinstance(part, str)])
    if not isinstance(value, str):
        return ""
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode("utf-8")  # JSON may contain lone surrogates


def _language(data: dict[str, Any]) -> str:
    metadata = _dict(data.get("metadata"))
    for place, key in (("language_info", "name"), ("kernelspec", "language")):
        name = _dict(metadata.get(place)).get(key)
        if isinstance(name, str) and name:
            return _text(name).lower()[:40]
    return "python"


def _blocks(cell: Any, number: int, language: str, outputs: bool) -> Iterator[Block]:
    cell = _dict(cell)
    source = _text(cell.get("source", cell.get("input")))
    ident = cell.get("id")
    name = f"cell {ident}" if isinstance(ident, str) and ident else ""
    kind = cell.get("cell_type")
    if kind == "code":
        yield _code(source, number, language, name)
        if outputs:
            lines = list(_outputs(_list(cell.get("outputs"))))
            if lines:
                yield Block("output", list(enumerate(lines, 1)), style="code", cell=number,
                            ident=f"{name} output" if name else "")  # fmt: skip
    elif kind in ("markdown", "heading"):
        if kind == "heading":
            level = cell.get("level")
            source = "#" * (level if isinstance(level, int) and 0 < level < 7 else 1) + " " + source
        yield _prose(source, number, name)
    else:
        lines = source.split("\n") if source.strip() else []
        yield Block("raw", list(enumerate(lines, 1)), cell=number, ident=name)


def _code(source: str, number: int, language: str, name: str) -> Block:
    lines = source.rstrip("\n").split("\n") if source.strip() else []
    return Block(
        "code", list(enumerate(lines, 1)), style="code", cell=number, language=language, ident=name
    )


_UNDERLINED = re.compile(r"[^\n]+\n {0,3}(?:=+|-+)[ \t]*")


def _prose(source: str, number: int, name: str) -> Block:
    text = source.strip()
    is_line = text.startswith("#") and "\n" not in text
    if is_line or (text.endswith(("=", "-")) and _UNDERLINED.fullmatch(text)):
        heading = markdown.only_heading(text)
        if heading is not None:
            heading.lines = [(1, heading.text)]
            heading.cell, heading.ident = number, name
            return heading
    block = Block("prose", [(1, text)] if text else [], cell=number, ident=name)
    if "\n" in text or MARKS.search(text):
        block.finer = lambda: markdown.written(source)
    return block


def _outputs(outputs: list[Any]) -> Iterator[str]:
    """Yield a cell's outputs as lines of text; an image is represented by its digest."""
    for output in map(_dict, outputs):
        kind = output.get("output_type")
        if kind == "stream":
            yield from _text(output.get("text")).rstrip("\n").split("\n")
        elif kind in ("error", "pyerr"):
            yield _text(f"{output.get('ename')}: {output.get('evalue')}")
        else:
            yield from _shown(_dict(output.get("data", output)))


def _shown(data: dict[str, Any]) -> Iterator[str]:
    pictures = sorted(name for name in data if name.startswith("image/"))
    for name in pictures:
        digest = hashlib.sha256(_text(data[name]).strip().encode()).hexdigest()
        yield _text(f"[{name} {digest[:16]}]")
    if pictures:  # the text next to an image contains a memory address
        return
    for name in _TEXTS:
        text = _text(data.get(name)).rstrip("\n")
        if text:
            yield from text.split("\n")
            return
