# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a value, in words that every side can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

HIDDEN: Any = type("Hidden", (), {"__repr__": lambda _: "(not shown)"})()
"""Stands for a value that messages must not show, or that says nothing."""
LONGEST = 80
"""Characters of a value that a message shows."""


@dataclass(frozen=True)
class Problem:
    """Something to put right in an entry.

    Attributes:
        key: where, such as ``title.de``; empty for the entry as a whole.
        problem: what is wrong, as the end of a sentence that begins with the key's name.
        fix: what to do, as a sentence.
        value: what was written there; `HIDDEN` where messages must not show it.
    """

    key: str
    problem: str
    fix: str
    value: Any = HIDDEN

    def within(self, outer: str) -> Problem:
        """The same problem, seen from the entry that holds this one under the key `outer`."""
        inner = self.key if not self.key or self.key.startswith("[") else f".{self.key}"
        return replace(self, key=f"{outer}{inner}")

    def hidden(self) -> Problem:
        """The same problem without the value."""
        return replace(self, value=HIDDEN)

    @property
    def shown(self) -> str:
        """The value as messages show it; empty where they do not."""
        if isinstance(self.value, bool) or not isinstance(self.value, (str, int, float)):
            return ""
        text = str(self.value)
        if not text.isprintable():
            text = ascii(text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


class SchemaError(ValueError):
    """A value or an entry is wrong.

    Attributes:
        problems: what is wrong with it, all of it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(sentence(one) for one in self.problems))


def wrong(problem: str, fix: str, value: Any = HIDDEN) -> SchemaError:
    """Make the error for one value."""
    return SchemaError([Problem("", problem, fix, value)])


def sentence(problem: Problem) -> str:
    """Write a problem as a line for logs and errors: ``pids 3 is too small: use 32 or more``."""
    shown = repr(problem.value[:LONGEST]) if isinstance(problem.value, str) else problem.shown
    subject = " ".join(filter(None, (problem.key, shown)))
    return f"{subject} {problem.problem}: {problem.fix}".strip()
