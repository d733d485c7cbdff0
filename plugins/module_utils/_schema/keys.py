# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key, and the table of an entry's keys."""

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
        name: as inventories and files have it.
        kind: which values it takes.
        en: what it is, in English; code stands in backquotes.
        fr: the same in French.
        required: whether it has to be there.
        default: its value where it is not there.
        nullable: whether null is the same as leaving it out. Ansible refuses null where an
            argument specification has a default or choices; so do we.
        empty: whether an empty text or dictionary is the same as leaving it out.
        secret: whether its value must not be shown.
        unset: what to do where it is required and not there; by default what the kind says.
        earlier: which values the hub took in an earlier release, where these were more. What is
            on a server stays readable; what is new has to be of `kind`.
        link: a page of ``docs/`` that says more.
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
        """Whether null stands for nothing."""
        if self.nullable is not None:
            return self.nullable
        return not self.required and self.default is None and not isinstance(self.kind, Choice)

    def given(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry has this key, with a value."""
        if self.name not in entry:
            return False
        value = entry[self.name]
        if value is None:
            return not self.takes_null
        if isinstance(value, (str, dict)) and not value:
            return not self.empty
        return True

    def read(self, value: Any, reading: Reading = PLAIN) -> Any:
        """Return the value as files have it.

        Raises:
            SchemaError: it is wrong; the problems do not name the key.
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
"""Looks at several keys of an entry: the values that are right, the names of the keys whose value
is wrong, about which enough was said, and how they are read."""


@dataclass(frozen=True)
class Table:
    """The keys of an entry.

    Attributes:
        name: what the entry is, such as ``course``.
        keys: its keys, in the order that documentation and files have.
        rules: what concerns several keys.
        always: keys that count where the entry has the state ``absent``; empty: all of them.
    """

    name: str
    keys: tuple[Key, ...]
    rules: tuple[Rule, ...] = ()
    always: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Key:
        """The key of that name."""
        return next(key for key in self.keys if key.name == name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a key of that name."""
        return any(key.name == name for key in self.keys)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its keys."""
        return tuple(key.name for key in self.keys)

    def default(self, name: str) -> Any:
        """What a key is where an entry does not have it."""
        return self[name].default

    def only(self, *names: str) -> Table:
        """A table of some of the keys, without rules."""
        return replace(self, keys=tuple(self[name] for name in names), rules=(), always=())

    def read(self, entry: Any, reading: Reading = PLAIN) -> dict[str, Any]:
        """Return the keys that an entry has, as files have them.

        Raises:
            SchemaError: it is wrong, with all that is.
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
        """Return what is wrong with an entry; nothing where it is right."""
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
    """A dictionary with keys of its own."""

    table: Table = Table("", ())

    ansible = "dict"

    def read(self, value: Any, reading: Reading = PLAIN) -> dict[str, Any]:
        """Return the dictionary."""
        if not isinstance(value, Mapping):
            raise wrong("is not a dictionary", self.fix, value)
        return self.table.read(value, reading)
