"""What a comparison is asked and what it answers: data that can be stored as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, NotRequired, TypedDict, get_args

Format = Literal["ipynb", "md", "rmd", "org", "text", "python", "r", "csv"]
Kind = Literal[
    "heading", "prose", "list", "quote", "table", "code", "output", "metadata", "raw", "row"
]
State = Literal["equal", "changed", "added", "removed", "moved"]
Mark = Literal["equal", "near", "removed", "added"]
Reveal = Literal["verdict", "hints", "full"]

KINDS: tuple[Kind, ...] = get_args(Kind)
ENDINGS: dict[str, Format] = {
    ".ipynb": "ipynb",
    ".md": "md",
    ".markdown": "md",
    ".rmd": "rmd",
    ".qmd": "rmd",
    ".org": "org",
    ".py": "python",
    ".r": "r",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
}


@dataclass(frozen=True)
class Rule:
    """How two files are compared.

    ``given``: whether blocks that the template already has count. ``tolerance_absolute`` and
    ``tolerance_relative``: two numbers are equal when they differ by no more than the greater of
    the first and the second times the larger magnitude.
    """

    format: Format
    outputs: bool = False
    whitespace: Literal["ignored", "exact"] = "ignored"
    case: Literal["matters", "ignored"] = "matters"
    order: Literal["matters", "free"] = "matters"
    extra: Literal["ignored", "counted"] = "ignored"
    given: Literal["ignored", "counted"] = "ignored"
    kinds: tuple[Kind, ...] | None = None
    tolerance_absolute: float = 0.0
    tolerance_relative: float = 0.0
    delimiter: str | None = None
    key: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The rule as data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rule:
        """The rule that :meth:`to_json` wrote."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        for name in ("kinds", "key"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return cls(**values)


@dataclass(frozen=True)
class Limits:
    """What one comparison may take."""

    max_bytes: int = 20 * 1024**2
    """Of one file."""
    max_blocks: int = 5000
    """Cells, paragraphs, or (ten times as many) rows of a table."""
    max_result_bytes: int = 2 * 1024**2
    seconds: float = 10.0
    """Of processor time."""
    memory_bytes: int = 1024**3
    longest_wait: float = 30.0
    """Seconds by the clock: others use the processors, too."""


class Message(TypedDict):
    """A sentence of :mod:`atelier.i18n.translate`, to be said in the reader's language."""

    key: str
    fields: dict[str, str | int | float]
    side: NotRequired[Literal["both", "answer", "expected"]]
    """Of a part's note: whose text its fields quote."""


Segment = tuple[Mark, str]


class Line(TypedDict):
    """One line, paragraph or table row of one side; the segments' texts make up the whole."""

    line: int | None
    segments: list[Segment]


class Row(TypedDict):
    """What stands side by side."""

    state: Literal["equal", "changed", "added", "removed"]
    expected: Line | None
    answer: Line | None


class Side(TypedDict):
    """Where a part stands in one of the two files; numbers begin at 1."""

    number: int
    line: int | None
    cell: int | None
    language: str | None
    level: int | None


class Part(TypedDict):
    """One block or cell: in both files, or in one."""

    kind: Kind
    state: State
    score: float
    weight: float
    expected: Side | None
    answer: Side | None
    rows: list[Row]
    notes: list[Message]
    cut: bool


class Comparison(TypedDict):
    """The whole outcome; see :func:`atelier.exercises.engine.compare`."""

    version: Literal[1]
    format: Format
    score: float
    rule: list[Message]
    counts: dict[State, int]
    parts: list[Part]
    warnings: list[Message]
    limits: list[Message]
    problem: Message | None
    shown: Reveal


class ExpectedError(Exception):
    """The expected answer (or the template's file) cannot be used: the course team's mistake."""

    def __init__(self, message: Message) -> None:
        super().__init__(message["key"])
        self.message = message


def message(key: str, **values: str | int | float) -> Message:
    """A sentence to be said later."""
    return {"key": key, "fields": values}


def failed(rule: Rule, problem: Message) -> Comparison:
    """The outcome for an answer that could not be compared."""
    return {
        "version": 1,
        "format": rule.format,
        "score": 0.0,
        "rule": [],
        "counts": {"equal": 0, "changed": 0, "added": 0, "removed": 0, "moved": 0},
        "parts": [],
        "warnings": [],
        "limits": [],
        "problem": problem,
        "shown": "full",
    }
