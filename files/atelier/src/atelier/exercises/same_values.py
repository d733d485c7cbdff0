"""Compares a value that an answer computed with the one it should be.

Values are plain data: numbers, texts, lists, mappings, and tables as
``{"columns": {name: [values]}}``. Numbers are equal within the tolerance, and always within a part
in a billion, since sums in another order differ in their last digits.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

ROUNDING = 1e-9
MOST_NUMBER = 1e300
MOST_ROWS = 200_000
_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")

Problem = str
"""Why two values differ, as the end of a sentence's key; empty: they do not."""


class Closeness:
    """Decides whether two numbers are equal.

    Args:
        absolute: largest difference.
        relative: largest difference as a share of the larger of the two.
    """

    def __init__(self, absolute: float = 0.0, relative: float = 0.0) -> None:
        self._absolute = absolute
        self._relative = max(relative, ROUNDING)

    def equal(self, one: float, other: float) -> bool:
        """Return whether two numbers are equal; NaN equals itself."""
        if one == other or (math.isnan(one) and math.isnan(other)):
            return True
        if math.isinf(one) or math.isinf(other):
            return False
        try:
            most = max(self._absolute, self._relative * max(abs(one), abs(other)))
            # 62.65 - 62.6 is slightly more than 0.05 in floating point.
            return abs(one - other) <= most * (1 + ROUNDING)
        except OverflowError:
            return False


def value_problem(found: Any, wanted: Any, near: Closeness, key: Sequence[str] = ()) -> Problem:
    """Return why a value is not the wanted one; empty: it is."""
    if _is_number(wanted):
        if not _is_number(found):
            return "kind"
        return "" if found == wanted or _near(found, wanted, near) else "differs"
    if isinstance(wanted, dict) and isinstance(found, dict):
        return _mapping_problem(found, wanted, near, key)
    if isinstance(wanted, list) and isinstance(found, list):
        return _list_problem(found, wanted, near)
    if type(found) is not type(wanted):
        return "kind"
    return "" if found == wanted else "differs"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near(found: float, wanted: float, near: Closeness) -> bool:
    try:
        return near.equal(float(found), float(wanted))
    except OverflowError:  # an integer of hundreds of digits
        return False


def _list_problem(found: list[Any], wanted: list[Any], near: Closeness) -> Problem:
    if len(found) != len(wanted):
        return "length"
    pairs = zip(found, wanted, strict=True)
    return next((why for one, other in pairs if (why := value_problem(one, other, near))), "")


def _mapping_problem(
    found: dict[str, Any], wanted: dict[str, Any], near: Closeness, key: Sequence[str]
) -> Problem:
    if set(wanted) == {"columns"} and set(found) == {"columns"}:
        return table_problem(found["columns"], wanted["columns"], near, key)
    if found.keys() != wanted.keys():
        return "keys"
    pairs = ((found[key], wanted[key]) for key in wanted)
    return next((why for one, other in pairs if (why := value_problem(one, other, near))), "")


def table_problem(found: Any, wanted: Any, near: Closeness, key: Sequence[str] = ()) -> Problem:
    """Return why a table's columns are not the wanted ones; the order of columns is free."""
    if not isinstance(found, dict) or not isinstance(wanted, dict):
        return "kind"
    if found.keys() != wanted.keys():
        return "columns"
    if key and wanted.keys() >= set(key):
        found, wanted = _sorted(found, key), _sorted(wanted, key)
    problems = [value_problem(found[name], wanted[name], near) for name in wanted]
    if "length" in problems:
        return "rows"
    return next((why for why in problems if why), "")


def _sorted(columns: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    """Return a table with its rows in the order of their keys; numbers come before texts."""
    lengths = {len(column) for column in columns.values() if isinstance(column, list)}
    if len(lengths) != 1:
        return columns

    def place(row: int) -> list[tuple[bool, float, str]]:
        cells = [columns[name][row] for name in key]
        return [
            (False, float(cell), "") if _is_number(cell) else (True, 0.0, str(cell))
            for cell in cells
        ]

    order = sorted(range(lengths.pop()), key=place)
    return {name: [column[row] for row in order] for name, column in columns.items()}


def text_problem(found: str, wanted: Any, near: Closeness) -> Problem:
    """Return why a printed text is not the wanted one.

    Spaces and empty lines do not count, and numbers in the text are compared as numbers. A single
    number that is wanted may be printed among words, as the only number.
    """
    if _is_number(wanted) and abs(wanted) < MOST_NUMBER:
        numbers = [float(one) for one in _NUMBER.findall(found)]
        if not numbers:
            return "differs"
        return "" if all(near.equal(one, float(wanted)) for one in numbers) else "differs"
    here, there = _pieces(found), _pieces(str(wanted))
    if len(here) != len(there):
        return "differs"
    same = all(_same_piece(*pair, near) for pair in zip(here, there, strict=True))
    return "" if same else "differs"


def line_problem(found: str, wanted: Any, label: str, near: Closeness) -> Problem:
    """Return why the line that begins with a label is not the wanted one.

    Args:
        found: all that is printed.
        wanted: what stands behind the label, or the whole text that has such a line.
        label: beginning of the line.
        near: the tolerance.
    """
    own = _behind(found, label)
    if own is None:
        return "line"
    model = _behind(wanted, label) if isinstance(wanted, str) else None
    return text_problem(own, wanted if model is None else model, near)


def _behind(text: str, label: str) -> str | None:
    """Return what stands behind a label; None: no line begins with it, or several do."""
    lines = [line.strip() for line in text.splitlines()]
    behind = [line.removeprefix(label) for line in lines if line.startswith(label)]
    return behind[0] if len(behind) == 1 else None


def _pieces(text: str) -> list[str]:
    """Split a text into numbers and what is between them, without spaces."""
    pieces = []
    at = 0
    flat = " ".join(text.split())
    for number in _NUMBER.finditer(flat):
        pieces += flat[at : number.start()].split()
        pieces.append(number[0])
        at = number.end()
    return [*pieces, *flat[at:].split()]


def _same_piece(found: str, wanted: str, near: Closeness) -> bool:
    if found == wanted:
        return True
    if _NUMBER.fullmatch(found) and _NUMBER.fullmatch(wanted):
        return near.equal(float(found), float(wanted))
    return False


def file_problem(
    found: str, wanted: Any, path: str, near: Closeness, key: Sequence[str] = ()
) -> Problem:
    """Return why a file's text is not the wanted one: a table, JSON, or another text.

    Args:
        found: the answer's file.
        wanted: the expected file's text, or plain data that the declaration gives.
        path: the ending says the format.
        near: the tolerance.
        key: columns by which the rows of a table are found, whatever their order.
    """
    kind = path.rpartition(".")[2].lower()
    if kind == "json":
        try:
            value = json.loads(found)
        except (ValueError, RecursionError):
            return "json"
        try:
            wanted = json.loads(wanted) if isinstance(wanted, str) else wanted
        except (ValueError, RecursionError):
            return "differs"
        return value_problem(value, wanted, near)
    if kind in ("csv", "tsv") and isinstance(wanted, str):
        here, there = _columns(found), _columns(wanted)
        if here is None or there is None:
            return "table"
        return table_problem(here, there, near, key)
    return text_problem(found, wanted, near)


def _columns(text: str) -> dict[str, list[Any]] | None:
    """Read a CSV file as columns; None: it is no table."""
    lines = text.removeprefix("\ufeff").splitlines()
    rows_of = [line for line in lines if line.strip()]
    if not rows_of or len(rows_of) > MOST_ROWS:
        return None
    counts = Counter({sign: rows_of[0].count(sign) for sign in _DELIMITERS})
    delimiter, most = counts.most_common(1)[0]
    delimiter = delimiter if most else ","
    try:
        rows = list(csv.reader(io.StringIO("\n".join(rows_of)), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    head = [name.strip() for name in rows[0]]
    if len(set(head)) != len(head) or any(len(row) != len(head) for row in rows):
        return None
    comma = delimiter != ","
    return {name: [_cell(row[place], comma) for row in rows[1:]] for place, name in enumerate(head)}


def _cell(text: str, comma: bool) -> Any:
    """Return a cell as a number where it is one; with ``comma``, ``2,5`` is 2.5."""
    text = text.strip()
    written = text.replace(",", ".", 1) if comma else text
    return float(written) if _NUMBER.fullmatch(written) else text
