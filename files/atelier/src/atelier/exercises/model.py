"""Input and result of a comparison, as data that can be stored as JSON."""

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


ProseKind = Literal["number", "keywords", "accepted", "person"]


@dataclass(frozen=True)
class ProsePart:
    """What is expected of one part that learners write in their own words.

    ``part``: a cell's id, the text of a heading, or the number of a cell or block. ``number``:
    None: the number in the expected file. ``keywords``: one word of each group. ``accepted``:
    texts; empty: that of the expected file. ``say``: a sentence by language, for the learner.
    """

    part: str | int
    kind: ProseKind
    points: float = 1.0
    number: float | None = None
    tolerance: float = 0.0
    keywords: tuple[tuple[str, ...], ...] = ()
    accepted: tuple[str, ...] = ()
    say: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ProsePart:
        """Return the part that ``dataclasses.asdict`` and JSON wrote."""
        return cls(
            **{
                **data,
                "keywords": tuple(tuple(group) for group in data["keywords"]),
                "accepted": tuple(data["accepted"]),
                "say": tuple((lang, text) for lang, text in data["say"]),
            }
        )


@dataclass(frozen=True)
class Rule:
    """Options of a comparison of two files.

    ``given``: whether blocks that the template already has count. ``prose``: parts in the learner's
    own words; if there are any, they make the score. ``tolerance_absolute`` and
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
    prose: tuple[ProsePart, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the rule as data that JSON can hold."""
        data = asdict(self)
        if not self.prose:  # as in versions without this key: results are found by a digest of it
            del data["prose"]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rule:
        """Return the rule that :meth:`to_json` wrote; ignore unknown keys."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        for name in ("kinds", "key"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        values["prose"] = tuple(ProsePart.from_json(one) for one in values.get("prose", ()))
        return cls(**values)


@dataclass(frozen=True)
class Limits:
    """Resource limits of one comparison."""

    max_bytes: int = 20 * 1024**2
    """Largest size of one file."""
    max_blocks: int = 5000
    """Most cells or paragraphs; a table may have ten times as many rows."""
    max_result_bytes: int = 2 * 1024**2
    seconds: float = 10.0
    """Processor time."""
    memory_bytes: int = 1024**3
    longest_wait: float = 30.0
    """Seconds of wall-clock time; longer than ``seconds``, as other processes run, too."""


class Message(TypedDict):
    """A key of :mod:`atelier.i18n.translate` and its fields, translated when it is shown."""

    key: str
    fields: dict[str, str | int | float]
    side: NotRequired[Literal["both", "answer", "expected"]]
    """For the note of a part: the file whose text is quoted in the fields."""


STORED_BY_EARLIER_VERSIONS = ("check_rule_extra_ignored",)
"""Messages that nothing makes any more, in results that the desk's database still has. They keep
their sentences; a message that gets other fields gets another key."""

Segment = tuple[Mark, str]


class Line(TypedDict):
    """One line, paragraph or table row of one side; its text is that of all segments together."""

    line: int | None
    segments: list[Segment]


class Row(TypedDict):
    """Two lines that are shown side by side."""

    state: Literal["equal", "changed", "added", "removed"]
    expected: Line | None
    answer: Line | None


class Side(TypedDict):
    """Position of a part in one of the two files; numbers start at 1."""

    number: int
    line: int | None
    cell: int | None
    language: str | None
    level: int | None


class Part(TypedDict):
    """One block or cell, in both files or in one."""

    kind: Kind
    state: State
    score: float
    weight: float
    expected: Side | None
    answer: Side | None
    rows: list[Row]
    notes: list[Message]
    cut: bool


class ProseShown(TypedDict):
    """Result of one part in the learner's own words.

    ``name``: unique in the exercise. ``pending``: a person has to decide, and gives the points
    that ``reached`` does not have yet.
    """

    name: str
    kind: ProseKind
    points: float
    reached: float
    pending: bool
    message: Message | None
    say: dict[str, str]


class TestShown(TypedDict):
    """One test, or one value that is compared, with its result.

    ``kind``: ``test``, ``variable``, ``output`` or ``file``. ``say``: the teacher's sentence by
    language. ``problem``: end of the key of a sentence, empty for what passed. ``yours``: the
    answer's own value.
    """

    kind: str
    name: str
    points: float
    reached: float
    passed: bool
    say: dict[str, str]
    hidden: bool
    problem: str
    yours: str


class HiddenTests(TypedDict):
    """What learners see of hidden tests."""

    count: int
    passed: int
    points: float
    reached: float


class RunShown(TypedDict):
    """Why the answer's code did not run to its end, with the number of the cell or line.

    ``problem`` is the key of a sentence, ``error`` the error of the learner's own code, ``name`` a
    name that the code uses before it exists.
    """

    problem: str
    cell: int | None
    error: str
    name: str


class Comparison(TypedDict):
    """Result of a comparison; see :func:`atelier.exercises.engine.compare`.

    Where tests or values decide, ``tests`` has them, ``run`` the problem that stopped the run, and
    ``details`` a text for teachers for each test, which may quote it. Learners see neither details
    nor hidden tests, but the sums in ``hidden``.
    """

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
    prose: NotRequired[list[ProseShown]]
    tests: NotRequired[list[TestShown]]
    details: NotRequired[list[str]]
    hidden: NotRequired[HiddenTests]
    run: NotRequired[RunShown | None]


class ExpectedError(Exception):
    """The expected answer or the template's file is unusable, which the course team must fix."""

    def __init__(self, message: Message) -> None:
        super().__init__(message["key"])
        self.message = message


def message(key: str, **values: str | int | float) -> Message:
    """Return a message that is translated when it is shown."""
    return {"key": key, "fields": values}


def blank(rule: Rule) -> Comparison:
    """Return a result without any part."""
    return {
        "version": 1,
        "format": rule.format,
        "score": 0.0,
        "rule": [],
        "counts": {"equal": 0, "changed": 0, "added": 0, "removed": 0, "moved": 0},
        "parts": [],
        "warnings": [],
        "limits": [],
        "problem": None,
        "shown": "full",
    }


def failed(rule: Rule, problem: Message) -> Comparison:
    """Return the result for an answer that could not be compared."""
    return {**blank(rule), "problem": problem}
