"""Splits plain text into paragraphs and programs into blocks between empty lines."""

from __future__ import annotations

from atelier.exercises.blocks import Block

_ENDS = {"python": ("elif", "else", "except", "finally", ")", "]", "}"), "r": (")", "}", "]")}


def split_text(text: str) -> list[Block]:
    """Split a text into paragraphs."""
    found: list[Block] = []
    for start, lines in _groups(text.split("\n"), ()):
        content = "\n".join(line.strip() for line in lines)
        found.append(Block("prose", [(start, content)]))
    return found


def split_program(text: str, language: str) -> list[Block]:
    """Split a program: after an empty line, a line without indentation begins a new block.

    Args:
        text: the program.
        language: ``python`` or ``r``.
    """
    return [
        Block(
            "code",
            [(start + n, line) for n, line in enumerate(lines)],
            style="code",
            language=language,
        )
        for start, lines in _groups(text.split("\n"), _ENDS[language], indented=True)
    ]


def _groups(
    lines: list[str], ends: tuple[str, ...], *, indented: bool = False
) -> list[tuple[int, list[str]]]:
    groups: list[tuple[int, list[str]]] = []
    empty = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            empty = True
            continue
        goes_on = indented and groups and (line[0].isspace() or line.startswith(ends))
        if empty and not goes_on:
            groups.append((number, [line]))
        else:
            start, group = groups[-1]
            group += [""] * (number - start - len(group))
            group.append(line)
        empty = False
    return groups
