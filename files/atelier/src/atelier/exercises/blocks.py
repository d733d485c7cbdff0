"""A block: the unit of a file that is compared with a block of the other file."""

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

    ``lines``: the texts that are compared with a line of the other file, each with the number of
    its first line in the file (for notebooks, in the cell). In prose a paragraph is one line,
    however it is wrapped. ``ident``: a name that identifies the block even if all of it has changed
    (a cell's id, a chunk's label). ``options``: a chunk's options, normalized for comparison.
    ``finer``: splits the block into finer lines; called only for blocks that differ, to save time.
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
        """Return the block with finer lines, if it can be split further."""
        return replace(self, lines=self.finer(), finer=None) if self.finer else self

    @property
    def texts(self) -> list[str]:
        """The lines' texts."""
        return [text for _, text in self.lines]

    @cached_property
    def text(self) -> str:
        """The whole text."""
        return "\n".join(self.texts)

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
