# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of values: each validates a value and returns it in the form of the files."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .hosts import PlatformHosts
from .problems import Problem, SchemaError, wrong

TRUE = frozenset({"y", "yes", "on", "1", "true", "t"})
FALSE = frozenset({"n", "no", "off", "0", "false", "f"})
"""Words for true and false that Ansible accepts."""


@dataclass(frozen=True)
class Reading:
    """Options of reading values.

    Attributes:
        private_hosts: hosts of platforms that are allowed without TLS; None: any, if the site's
            settings are not known.
        kept: whether the values come from a file that an earlier release may have written, and
            which must stay readable: see `keys.Key.earlier`.
        remarks: collects the problems of such values.
    """

    private_hosts: PlatformHosts | None = None
    kept: bool = False
    remarks: list[Problem] = field(default_factory=list, compare=False)


PLAIN = Reading()


@dataclass(frozen=True)
class Kind:
    """A kind of values.

    Attributes:
        fix: what to write, as a sentence.
        problem: the problem of a value that is not of this kind, as the end of a sentence.
    """

    fix: str = ""
    problem: str = "is not usable"

    ansible = "raw"
    """Its type in Ansible's argument specifications."""

    def read(self, value: Any, reading: Reading = PLAIN) -> Any:
        """Return the value in the form of the files.

        Raises:
            SchemaError: the value is not of this kind.
        """
        raise NotImplementedError

    def refused(self, value: Any) -> SchemaError:
        """Return the error for a value that is not of this kind."""
        return wrong(self.problem, self.fix, value)


def is_writable(text: str) -> bool:
    """Return whether a text can be encoded as UTF-8 for a file, an address or a page.

    JSON, and so the claims of a token, may contain lone surrogates.
    """
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


@dataclass(frozen=True)
class Text(Kind):
    """A text.

    Attributes:
        pattern: regular expression that the whole text must match, or None.
        check: returns the text in the form of the files, or raises a `SchemaError` or `ValueError`.
        numbers: whether numbers and dates, as which YAML reads some texts without quotes, are
            converted to text.
        longest: most characters.
    """

    pattern: str | None = None
    check: Callable[[str, Reading], str] | None = None
    numbers: bool = False
    longest: int | None = None

    ansible = "str"

    def read(self, value: Any, reading: Reading = PLAIN) -> str:
        """Return the text; convert a number if that is allowed."""
        if isinstance(value, str):
            text = value
        elif self.numbers and isinstance(value, (int, float)) and not isinstance(value, bool):
            text = str(value)
        elif self.numbers and isinstance(value, date):
            text = value.isoformat()
        else:
            raise self.refused(value)
        if (
            not text
            or not is_writable(text)
            or (self.longest is not None and len(text) > self.longest)
            or (self.pattern is not None and not re.fullmatch(self.pattern, text))
        ):
            raise self.refused(text)
        if self.check is None:
            return text
        try:
            return self.check(text, reading)
        except SchemaError:
            raise
        except ValueError as error:
            raise wrong(str(error), self.fix, text) from None


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...] = ()

    ansible = "str"

    def read(self, value: Any, reading: Reading = PLAIN) -> str:
        """Return the word."""
        del reading
        if not isinstance(value, str) or value not in self.words:
            fix = self.fix or f"Use {' or '.join((', '.join(self.words[:-1]), self.words[-1]))}."
            raise wrong("is unknown", fix, value)
        return str(value)


@dataclass(frozen=True)
class Flag(Kind):
    """True or false, also as a word that Ansible accepts."""

    fix: str = "Write true or false."
    problem: str = "is neither true nor false"

    ansible = "bool"

    def read(self, value: Any, reading: Reading = PLAIN) -> bool:
        """Return the value as a boolean."""
        del reading
        if isinstance(value, bool):
            return value
        if isinstance(value, (str, int, float)):
            word = str(int(value)) if isinstance(value, float) and value.is_integer() else value
            if str(word).lower() in TRUE:
                return True
            if str(word).lower() in FALSE:
                return False
        raise self.refused(value)


@dataclass(frozen=True)
class Whole(Kind):
    """An integer, as a number or as text: inventories have both."""

    least: int = 0
    most: int = 10**9

    ansible = "int"

    def read(self, value: Any, reading: Reading = PLAIN) -> int:
        """Return the number."""
        del reading
        number = as_integer(value)
        if number is None or not self.least <= number <= self.most:
            raise self.refused(value)
        return number


def as_integer(value: Any) -> int | None:
    """Return an integer that is given as a number or as text; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    return None


@dataclass(frozen=True)
class Number(Kind):
    """A number with or without decimals, as a number or as text."""

    least: float = 0.0
    most: float = math.inf

    ansible = "float"

    def read(self, value: Any, reading: Reading = PLAIN) -> float:
        """Return the number."""
        del reading
        number = as_number(value)
        if number is None or not self.least <= number <= self.most:
            raise self.refused(value)
        return number


def as_number(value: Any) -> float | None:
    """Return a number that is written with digits and at most a point; else None."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,18}(?:\.[0-9]{1,18})?", str(value)):
        return None
    return float(value)


@dataclass(frozen=True)
class Items(Kind):
    """A list of values of one kind."""

    of: Kind = field(default_factory=Kind)
    least: int = 0
    problem: str = "is not a list"

    ansible = "list"

    def read(self, value: Any, reading: Reading = PLAIN) -> list[Any]:
        """Return the list."""
        if not isinstance(value, (list, tuple)):
            raise self.refused(value)
        if len(value) < self.least:
            raise wrong("is empty", self.fix)
        values, problems = [], []
        for number, one in enumerate(value):
            try:
                values.append(self.of.read(one, reading))
            except SchemaError as error:
                # Problems of texts are reported for the list, those of dictionaries by position.
                inner = isinstance(one, Mapping)
                problems += [each.within(f"[{number}]" if inner else "") for each in error.problems]
        if problems:
            raise SchemaError(problems)
        return values


def problems_of(kind: Kind, value: Any, reading: Reading = PLAIN) -> list[Problem]:
    """Return the problems of a value; empty if it is valid."""
    try:
        kind.read(value, reading)
    except SchemaError as error:
        return list(error.problems)
    return []
