"""Jobs for the runner and their results, and how they travel as JSON."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeGuard, cast

MOST_TESTS = 200
MOST_VALUES = 200
MOST_FILES = 500
MOST_FILE_BYTES = 32 * 2**20
"""Total size of all files of a job."""
MOST_CODE_BYTES = 2**20
"""Total size of all tests of a job."""
LONGEST_LINE = 2**26
"""Longest line between a client and the runner: a whole job, with its files in base64."""
LONGEST_TEXT = 1000
"""Characters of an error's text or of a test's detail."""

TEST_PROBLEMS = ("", "assertion", "error", "undefined", "timeout", "crossing")
RUN_PROBLEMS = (
    "", "run_error", "run_timeout", "run_memory", "run_output", "run_processes", "run_order",
    "run_missing_cell", "run_died", "run_unreadable",
)  # fmt: skip

Language = Literal["python", "r"]
ValueKind = Literal["variable", "output", "file"]


class RunnerError(Exception):
    """The runner has no result, and the learner's file is not the cause.

    ``code``: ``refused`` (not a valid job), ``course`` (unknown, or its image is missing),
    ``busy`` (too many jobs wait), ``failed``.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True)
class RunLimits:
    """Limits of one job; each of its two sandboxes has all of them for itself."""

    seconds: float = 60.0
    """Time for the learner's file, and as much again for all tests together; without the time for
    which a busy machine makes them wait, but four times as long at most."""
    memory_bytes: int = 2**30
    processes: int = 128
    """Processes and threads together, as the kernel counts both."""
    output_bytes: int = 2**20
    """All that the learner's file prints or displays."""
    disk_bytes: int = 64 * 2**20
    """Space for files that the learner's code writes; it is memory, and counts as such."""

    @classmethod
    def from_json(cls, data: Any) -> RunLimits:
        """Read limits.

        Raises:
            RunnerError: a value is not valid.
        """
        given = _mapping(data, "limits")
        if unknown := set(given) - {one.name for one in fields(cls)}:
            raise RunnerError("refused", f"limits: {', '.join(sorted(unknown))}")
        seconds = given.get("seconds", cls.seconds)
        if not _is_number(seconds) or not 1 <= seconds <= 600:
            raise RunnerError("refused", "limits: seconds")
        bounds = {
            "memory_bytes": (2**26, 2**36),
            "processes": (16, 4096),
            "output_bytes": (2**10, 2**24),
            "disk_bytes": (2**20, 2**32),
        }
        whole = {}
        for name, (least, most) in bounds.items():
            value = given.get(name, getattr(cls, name))
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise RunnerError("refused", f"limits: {name}")
            whole[name] = value
        return cls(seconds=float(seconds), **whole)


@dataclass(frozen=True)
class Test:
    """A teacher's test: passes unless it raises; a numeric last value of 0 to 1 is its score."""

    __test__ = False  # pytest

    name: str
    """Unique in the job."""
    code: str

    @classmethod
    def from_json(cls, data: Any) -> Test:
        """Read a test."""
        given = _mapping(data, "test")
        return cls(_text(given, "name"), _text(given, "code"))


@dataclass(frozen=True)
class Value:
    """Something that the learner's file computes, for the caller to compare."""

    kind: ValueKind
    name: str = ""
    """The variable's name, or the file's path; empty for ``output``: all that is printed."""

    @classmethod
    def from_json(cls, data: Any) -> Value:
        """Read a value."""
        given = _mapping(data, "value")
        kind = given.get("kind")
        if kind not in {"variable", "output", "file"}:
            raise RunnerError("refused", "value: kind")
        return cls(cast(ValueKind, kind), _text(given, "name"))


@dataclass(frozen=True)
class Job:
    """A file to run, and what to find out about it."""

    course: str
    """Slug of a registered course, whose image is used."""
    who: str
    """The learner's username, for the fair queue."""
    file: str
    """Path of the file to run: ``.ipynb``, ``.py``, ``.R``, ``.Rmd``, ``.qmd`` or ``.org``."""
    files: Mapping[str, bytes]
    """All that the sandbox's folder holds, by path; the learner's file included."""
    language: Language
    """Language of the tests."""
    tests: tuple[Test, ...] = ()
    values: tuple[Value, ...] = ()
    limits: RunLimits = field(default_factory=RunLimits)
    names: tuple[str, ...] = ()
    """Names that tests take from the answer even where the language has its own, such as ``double``
    in R. Other names of the language are never the answer's: it could redefine them."""

    given: bytes | None = None
    """The file as the learner got it, to tell a deleted cell from a name that was never there."""

    def to_json(self) -> dict[str, Any]:
        """Return the job as JSON data."""
        files = {path: base64.b64encode(content).decode() for path, content in self.files.items()}
        return {
            "course": self.course,
            "who": self.who,
            "file": self.file,
            "files": files,
            "language": self.language,
            "tests": [asdict(test) for test in self.tests],
            "values": [asdict(value) for value in self.values],
            "limits": asdict(self.limits),
            "names": list(self.names),
            "given": None if self.given is None else base64.b64encode(self.given).decode(),
        }

    @classmethod
    def from_json(cls, data: Any) -> Job:
        """Read a job.

        Raises:
            RunnerError: it is not valid; keys other than the declared ones are refused.
        """
        given = _mapping(data, "job")
        if unknown := set(given) - {one.name for one in fields(cls)}:
            raise RunnerError("refused", f"job: {', '.join(sorted(unknown))}")
        job = cls(
            course=_text(given, "course"),
            who=_text(given, "who"),
            file=_text(given, "file"),
            files=_files(given.get("files")),
            language=given.get("language", ""),
            tests=tuple(map(Test.from_json, _list(given, "tests"))),
            values=tuple(map(Value.from_json, _list(given, "values"))),
            limits=RunLimits.from_json(given.get("limits", {})),
            names=tuple(map(str, _list(given, "names")))[:MOST_TESTS],
            given=None if given.get("given") is None else _files({"": given["given"]})[""],
        )
        job.check()
        return job

    def check(self) -> None:
        """Check the job.

        Raises:
            RunnerError: it is not valid.
        """
        names = [test.name for test in self.tests]
        wrong = {
            "language": self.language not in {"python", "r"},
            "file": self.file not in self.files,
            "tests": len(names) > MOST_TESTS or len(set(names)) != len(names),
            "values": len(self.values) > MOST_VALUES,
            "code": sum(len(test.code) for test in self.tests) > MOST_CODE_BYTES,
            "files": len(self.files) > MOST_FILES
            or sum(map(len, self.files.values())) > MOST_FILE_BYTES
            or len(self.given or b"") > MOST_FILE_BYTES,
            "path": not all(map(is_safe_path, self.files))
            or not all(is_safe_path(one.name) for one in self.values if one.kind == "file"),
        }
        if found := [name for name, is_wrong in wrong.items() if is_wrong]:
            raise RunnerError("refused", f"job: {', '.join(found)}")


@dataclass(frozen=True)
class Outcome:
    """Result of one test."""

    name: str
    score: float
    """From 0 to 1."""
    problem: str = ""
    """One of :data:`TEST_PROBLEMS`."""
    detail: str = ""
    """Exception and message, for teachers only: it may quote the test."""

    @classmethod
    def from_json(cls, data: Any) -> Outcome:
        """Read an outcome."""
        given = _mapping(data, "outcome")
        score = given.get("score")
        if not _is_number(score) or not 0 <= score <= 1:
            raise RunnerError("failed", "outcome: score")
        return cls(
            _text(given, "name"), float(score), _text(given, "problem"), _text(given, "detail")
        )


@dataclass(frozen=True)
class Found:
    """One value that the learner's file computed."""

    present: bool
    value: Any = None
    """Plain JSON data: numbers, text, lists, mappings (named vectors and labelled series too); a
    table is ``{"columns": {name: [values]}}``; outputs and files are text."""
    problem: str = ""
    """``undefined`` (no such variable or file), ``crossing`` (not plain data, or too large)."""

    @classmethod
    def from_json(cls, data: Any) -> Found:
        """Read a value that was found."""
        given = _mapping(data, "found")
        return cls(given.get("present") is True, given.get("value"), _text(given, "problem"))


@dataclass(frozen=True)
class RunResult:
    """Result of a job."""

    problem: str = ""
    """One of :data:`RUN_PROBLEMS`: key of the sentence for the learner. When it is not empty, every
    test's score is 0."""
    cell: int | None = None
    """Number of the cell (from 1; of the code cells and text cells together), or line of a script,
    where the problem is."""
    error: str = ""
    """Exception's type and message, of the learner's own code; may be shown to the learner."""
    seconds: float = 0.0
    tests: tuple[Outcome, ...] = ()
    values: tuple[Found, ...] = ()
    name: str = ""
    """For ``run_order`` and ``run_missing_cell``: the name that is used before it exists."""

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> RunResult:
        """Read a result.

        Raises:
            RunnerError: it is not valid.
        """
        given = _mapping(data, "result")
        cell = given.get("cell")
        seconds = given.get("seconds", 0.0)
        if given.get("problem") not in RUN_PROBLEMS:
            raise RunnerError("failed", "result: problem")
        return cls(
            problem=_text(given, "problem"),
            cell=cell if isinstance(cell, int) else None,
            error=_text(given, "error"),
            seconds=float(seconds) if _is_number(seconds) else 0.0,
            tests=tuple(map(Outcome.from_json, _list(given, "tests"))),
            values=tuple(map(Found.from_json, _list(given, "values"))),
            name=_text(given, "name"),
        )


def is_safe_path(path: str) -> bool:
    """Return whether a path is relative, in normal form, and stays within its folder."""
    parts = path.split("/")
    return (
        0 < len(path.encode(errors="replace")) <= 1024
        and "\0" not in path
        and not any(part in {"", ".", ".."} for part in parts)
    )


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _mapping(data: Any, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise RunnerError("refused", what)
    return data


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise RunnerError("refused", name)
    return value


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name, [])
    if not isinstance(value, list):
        raise RunnerError("refused", name)
    return value


def _files(data: Any) -> dict[str, bytes]:
    files = {}
    for path, content in _mapping(data, "files").items():
        try:
            files[path] = base64.b64decode(content, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise RunnerError("refused", "files") from None
    return files
