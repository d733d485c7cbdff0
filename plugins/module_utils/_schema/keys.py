# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an entry, and tables of such keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .kinds import PLAIN, Choice, Kind, Reading
from .problems import Problem, SchemaError, wrong


@dataclass(frozen=True)
class Key:
    """One key of an entry.

    Attributes:
        name: its name in inventories and files.
        kind: the kind of its values.
        en: description in English, with code in backquotes.
        fr: the same in French.
        required: whether it must be given.
        default: its value if it is not given.
        nullable: whether null means that it is not given. Ansible refuses null if an argument
            specification has a default or choices; this schema does the same.
        empty: whether an empty text or dictionary means that it is not given.
        secret: whether its value must not be shown.
        unset: the fix if it is required and not given; by default that of the kind.
        earlier: a wider kind that the hub accepted in an earlier release. Files on a server stay
            readable; new values must be of `kind`.
        link: a page of ``docs/`` with more information.
    """

    name: str
    kind: Kind
    en: str
    fr: str
    required: bool = False
    default: Any = None
    nullable: bool | None = None
    empty: bool = False
    secret: bool = False
    unset: str = ""
    earlier: Kind | None = None
    link: str = ""

    @property
    def takes_null(self) -> bool:
        """Whether null means that the key is not given."""
        if self.nullable is not None:
            return self.nullable
        return not self.required and self.default is None and not isinstance(self.kind, Choice)

    def given(self, entry: Mapping[str, Any]) -> bool:
        """Return whether an entry has this key with a value."""
        if self.name not in entry:
            return False
        value = entry[self.name]
        if value is None:
            return not self.takes_null
        if isinstance(value, (str, dict)) and not value:
            return not self.empty
        return True

    def read(self, value: Any, reading: Reading = PLAIN) -> Any:
        """Return the value in the form of the files.

        Raises:
            SchemaError: the value is invalid; the problems do not name the key.
        """
        if (value is None and self.takes_null) or (self.empty and value in ("", {})):
            return self.default
        try:
            return self.kind.read(value, reading)
        except SchemaError as error:
            if reading.kept and self.earlier is not None:
                taken = self.earlier.read(value, reading)
                named = [one.within(self.name) for one in error.problems]
                reading.remarks.extend(one.hidden() if self.secret else one for one in named)
                return taken
            problems = [one.hidden() for one in error.problems] if self.secret else error.problems
            raise SchemaError(problems) from None


Rule = Callable[[Mapping[str, Any], frozenset[str], Reading], Iterator[Problem]]
"""A check of several keys of an entry. Arguments: the valid values, the names of keys that already
have a problem, and the options of reading."""


@dataclass(frozen=True)
class Table:
    """The keys of an entry.

    Attributes:
        name: name of this kind of entry, such as ``course``.
        keys: its keys, in the order of documentation and files.
        rules: checks of several keys.
        always: keys that are read if the entry has the state ``absent``; empty: all keys.
    """

    name: str
    keys: tuple[Key, ...]
    rules: tuple[Rule, ...] = ()
    always: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Key:
        """Return the key with a name."""
        return next(key for key in self.keys if key.name == name)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a key with a name."""
        return any(key.name == name for key in self.keys)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its keys."""
        return tuple(key.name for key in self.keys)

    def default(self, name: str) -> Any:
        """Return the default value of a key."""
        return self[name].default

    def only(self, *names: str) -> Table:
        """Return a table with some of the keys, without rules."""
        return replace(self, keys=tuple(self[name] for name in names), rules=(), always=())

    def read(self, entry: Any, reading: Reading = PLAIN) -> dict[str, Any]:
        """Return the given keys of an entry, in the form of the files.

        Raises:
            SchemaError: with all problems of the entry.
        """
        if not isinstance(entry, Mapping):
            raise wrong("is not a dictionary", f"Write it as {{{self.names[0]}: ...}}.")
        problems = list(self._unknown(entry))
        values: dict[str, Any] = {}
        for key in self._counting(entry):
            if not key.given(entry):
                if key.required:
                    problems.append(self._unset(key))
                continue
            value = entry[key.name]
            if key.required and (value is None or value == ""):
                problems.append(self._unset(key))
                continue
            try:
                values[key.name] = key.read(value, reading)
            except SchemaError as error:
                problems += [one.within(key.name) for one in error.problems]
        if not self.always or entry.get("state") != "absent":
            named = frozenset(re.split(r"[.\[]", problem.key)[0] for problem in problems)
            problems += [one for rule in self.rules for one in rule(values, named, reading)]
        if problems:
            raise SchemaError(problems)
        return values

    def problems(self, entry: Any, reading: Reading = PLAIN) -> list[Problem]:
        """Return the problems of an entry; empty if it is valid."""
        try:
            self.read(entry, reading)
        except SchemaError as error:
            return list(error.problems)
        return []

    def _counting(self, entry: Mapping[str, Any]) -> Iterator[Key]:
        absent = bool(self.always) and entry.get("state") == "absent"
        return (key for key in self.keys if not absent or key.name in self.always)

    def _unset(self, key: Key) -> Problem:
        return Problem(key.name, "is not set", key.unset or key.kind.fix)

    def _unknown(self, entry: Mapping[str, Any]) -> Iterator[Problem]:
        known = ", ".join(sorted(self.names))
        for name in sorted(set(map(str, entry)) - set(self.names)):
            yield Problem(
                name,
                "is not a key that anything reads",
                f"Correct its spelling or remove it. Known keys: {known}.",
            )


@dataclass(frozen=True)
class Group(Kind):
    """A nested dictionary with its own table of keys."""

    table: Table = Table("", ())

    ansible = "dict"

    def read(self, value: Any, reading: Reading = PLAIN) -> dict[str, Any]:
        """Return the dictionary."""
        if not isinstance(value, Mapping):
            raise wrong("is not a dictionary", self.fix, value)
        return self.table.read(value, reading)
