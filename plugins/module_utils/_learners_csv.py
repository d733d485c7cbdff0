# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Reads and validates a class list (CSV); reports all invalid rows before anything changes.

Standard library only.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field

from ._identity import username

REQUIRED = ("platform", "user_id")
OPTIONAL = ("name", "email")
COLUMNS = REQUIRED + OPTIONAL
DELIMITERS = ",;\t"
LONGEST = {"platform": 64, "user_id": 1024, "name": 127, "email": 254}
SHOWN_PROBLEMS = 50

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n|\n|\r")
# A long number as spreadsheets save it after displaying it: its last digits are lost.
_SHORTENED = re.compile(r"-?\d[.,]\d+E\+\d+", re.IGNORECASE)
# First characters of a formula in spreadsheets (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class ListError(Exception):
    """The file is invalid; ``problems`` has one sentence for each error."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        more = len(problems) - SHOWN_PROBLEMS
        lines = problems[:SHOWN_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        super().__init__("; ".join(lines))


@dataclass(frozen=True)
class Row:
    """A learner in the list; empty cells are ``None``."""

    line: int
    platform: str
    user_id: str
    name: str | None
    email: str | None

    @property
    def username(self) -> str:
        """The username that the hub gives this learner at a launch."""
        return username(self.platform, self.user_id)


def decode(content: bytes) -> str:
    """Decode UTF-8, with or without byte order mark.

    Raises:
        ListError: with the lines that are not UTF-8.
    """
    for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if content.startswith(mark):
            raise ListError([f"line 1: the file is {name}: save it as CSV UTF-8"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems = []
        for number, line in enumerate(content.split(b"\n"), start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                byte = line[error.start]
                problems.append(
                    f"line {number}: not UTF-8 (byte 0x{byte:02x} at position {error.start + 1}): "
                    "save the file as CSV UTF-8"
                )
        raise ListError(problems) from None


def _unseen(value: str) -> str | None:
    """Return the first invisible character, such as a zero width space from a web page, or None.

    An id that contains one would be that of another person. Names may need them (e.g. in Persian).
    """
    return next((sign for sign in value if unicodedata.category(sign) == "Cf"), None)


@dataclass
class _Judge:
    """Validates rows; collects problems, and the learners and e-mail addresses seen so far."""

    platforms: frozenset[str] | None
    problems: list[str] = field(default_factory=list)
    people: dict[tuple[str, str], int] = field(default_factory=dict)
    emails: dict[str, int] = field(default_factory=dict)

    def row(self, line: int, cells: dict[str, str]) -> Row | None:
        """Return the row, or ``None`` if it is invalid."""
        found = [f"line {line}: {problem}" for problem in self._problems(line, cells)]
        self.problems += found
        if found:
            return None
        return Row(
            line,
            cells["platform"].strip(),
            cells["user_id"].strip(),
            cells.get("name", "").strip() or None,
            cells.get("email", "").strip() or None,
        )

    def _problems(self, line: int, cells: dict[str, str]) -> list[str]:
        found = []
        for column, raw in cells.items():
            value = raw.strip()
            if column in REQUIRED and not value:
                found.append(f"{column} is missing")
            if raw.startswith(_FORMULA) or value.startswith(_FORMULA):
                found.append(
                    f"{column} begins with {value[:1]!r}, which spreadsheets take for a formula"
                )
            elif _CONTROL.search(raw):
                found.append(f"{column} holds a control character")
            unseen = _unseen(value) if column != "name" else None
            if unseen:
                found.append(f"{column} holds a character that is not seen (U+{ord(unseen):04X})")
            if column == "user_id" and _SHORTENED.fullmatch(value):
                found.append(
                    f"user_id {value!r} is a number that a spreadsheet has rounded: export the "
                    "list again, with this column as text"
                )
            if len(value) > LONGEST[column]:
                found.append(f"{column} is longer than {LONGEST[column]} characters")
        email = cells.get("email", "").strip()
        if email and not _EMAIL.fullmatch(email):
            found.append(f"{email!r} is not an e-mail address")
        platform, user_id = cells["platform"].strip(), cells["user_id"].strip()
        if self.platforms is not None and platform and platform not in self.platforms:
            known = ", ".join(sorted(self.platforms)) or "none"
            found.append(f"the platform {platform!r} is not one of this site's ({known})")
        if platform and user_id:
            first = self.people.setdefault((platform, user_id), line)
            if first != line:
                found.append(f"the same learner as on line {first}")
        if email:
            first = self.emails.setdefault(email.lower(), line)
            if first != line:
                found.append(f"the same e-mail address as on line {first}")
        return found


def header_of(text: str) -> tuple[list[str], str]:
    """Return the column names and the delimiter.

    Raises:
        ListError: a column is missing, unknown or duplicate.
    """
    first = _LINE_END.split(text, maxsplit=1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    names = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter), [])]
    problems = [f"line 1: the column {name} is missing" for name in REQUIRED if name not in names]
    problems += [
        f"line 1: unknown column {name!r} (known: {', '.join(COLUMNS)})"
        for name in names
        if name not in COLUMNS
    ]
    problems += [
        f"line 1: the column {name} is there twice" for name in COLUMNS if names.count(name) > 1
    ]
    if problems:
        raise ListError(problems)
    return names, delimiter


def read(content: bytes, platforms: frozenset[str] | None = None) -> list[Row]:
    """Read a class list.

    The first line names the columns: ``platform`` and ``user_id`` (exactly as the LMS sends them
    at a launch), ``name`` and ``email`` if known. Commas, semicolons or tabs separate cells.

    Args:
        content: the file's bytes.
        platforms: platforms that may occur; ``None`` for any.

    Raises:
        ListError: with all problems and their line numbers.
    """
    text = decode(content)
    if not text.strip():
        raise ListError(["line 1: the file is empty"])
    names, delimiter = header_of(text)
    judge = _Judge(platforms)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    next(reader)
    line = reader.line_num + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(names):
                    judge.problems.append(
                        f"line {line}: {len(cells)} cells where the first line has {len(names)}"
                    )
                else:
                    row = judge.row(line, dict(zip(names, cells, strict=True)))
                    if row is not None:
                        rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        judge.problems.append(f"line {line}: {error}")
    if not rows and not judge.problems:
        judge.problems.append("line 2: there is no learner in the file")
    if judge.problems:
        raise ListError(judge.problems)
    return rows
