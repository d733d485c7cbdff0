"""A block: the piece of a file that is compared with one other piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from atelier.exercises.model import Kind, Message

Style = Literal["prose", "code"]


@dataclass
class Block:
    """A paragraph, a heading, a chunk of code, a cell, ...

    ``lines``: what stands side by side with one line of the other file, with the number of its
    first line in the file (in the cell, for notebooks). In prose a paragraph is one line, however
    it is wrapped. ``ident``: a name that makes it the same block even when all of it has changed
    (a cell's id, a chunk's label). ``options``: of a chunk, in a form that can be compared.
    ``finer``: makes finer lines, where cutting all blocks of a file would be in vain.
    """

    kind: Kind
    lines: list[tuple[int | None, str]]
    style: Style = "prose"
    cell: int | None = None
    language: str | None = None
    level: int | None = None
    ident: str = ""
    options: dict[str, str] = field(default_factory=dict)
    finer: Callable[[], list[tuple[int | None, str]]] | None = None

    def refined(self) -> Block:
        """The same with lines that are worth a closer look, for a block that differs."""
        return replace(self, lines=self.finer(), finer=None) if self.finer else self

    @property
    def texts(self) -> list[str]:
        """Its lines."""
        return [text for _, text in self.lines]

    @cached_property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.texts)

    @property
    def line(self) -> int | None:
        """Its first line in the file."""
        return self.lines[0][0] if self.lines else None


@dataclass
class Document:
    """A file as blocks, with what a reader should know about how it was read."""

    blocks: list[Block]
    warnings: list[Message] = field(default_factory=list)


class UnreadableError(Exception):
    """The file cannot be compared; ``message`` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message["key"])
        self.message = message
