"""A block: the unit of a file that is compared with a block of the other file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from atelier.exercises.markup import MARKS, Form, plain
from atelier.exercises.model import Kind, Message

Style = Literal["prose", "code"]
Lines = list[tuple[int | None, str]]
"""Texts of lines with their numbers in the file."""


@dataclass
class Block:
    """A paragraph, a heading, a chunk of code, a cell, ...

    ``lines``: the texts that are compared with a line of the other file, each with the number of
    its first line in the file (for notebooks, in the cell). In prose a paragraph is one line,
    however it is wrapped. ``ident``: a name that identifies the block even if all of it has changed
    (a cell's id, a chunk's label). ``options``: a chunk's options, normalized for comparison.
    ``forms``: for each line, how its marks are read; empty: as they are written. ``finer``: splits
    the block into finer lines and their forms; called only for blocks that differ, to save time.
    """

    kind: Kind
    lines: Lines
    style: Style = "prose"
    cell: int | None = None
    language: str | None = None
    level: int | None = None
    ident: str = ""
    options: dict[str, str] = field(default_factory=dict)
    forms: Sequence[Form] = ()
    finer: Callable[[], tuple[Lines, Sequence[Form]]] | None = None
    _text: str | None = field(default=None, init=False, repr=False, compare=False)

    def refined(self) -> Block:
        """Return the block with finer lines, if it can be split further."""
        if self.finer is None:
            return self
        lines, forms = self.finer()
        return replace(self, lines=lines, forms=forms, finer=None)

    @property
    def sort(self) -> Kind:
        """The kind; a list of one item is a paragraph, and so are both for the comparison."""
        return "prose" if self.kind == "list" else self.kind

    @property
    def formed(self) -> Iterable[tuple[str, Form]]:
        """The lines' texts with their forms."""
        return zip(self.texts, self.forms, strict=True) if self.forms else self._as_written()

    def _as_written(self) -> Iterable[tuple[str, Form]]:
        return ((text, "") for text in self.texts)

    @property
    def plain(self) -> str:
        """The whole text with the same characters for marks that mean the same."""
        if self.style == "code" or not (self.forms or self.finer) or not MARKS.search(self.text):
            return self.text
        return "\n".join(plain(text, form) for text, form in self.refined().formed)

    @property
    def texts(self) -> list[str]:
        """The lines' texts."""
        return [text for _, text in self.lines]

    @property
    def text(self) -> str:
        """The whole text."""
        if self._text is None:
            self._text = "\n".join([text for _, text in self.lines])
        return self._text

    @property
    def line(self) -> int | None:
        """Number of its first line in the file."""
        return self.lines[0][0] if self.lines else None


@dataclass
class Document:
    """A file as blocks, with warnings about how it was read."""

    blocks: list[Block]
    warnings: list[Message] = field(default_factory=list)


class UnreadableError(Exception):
    """A file cannot be compared; ``message`` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message["key"])
        self.message = message
