# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of values, with messages for users."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

HIDDEN: Any = type("Hidden", (), {"__repr__": lambda _: "(not shown)"})()
"""Replaces a value that messages must not show, or that would not help."""
LONGEST = 80
"""Most characters of a value in a message."""


@dataclass(frozen=True)
class Problem:
    """A problem in an entry.

    Attributes:
        key: its place, such as ``title.de``; empty for the entry as a whole.
        problem: the problem, as the end of a sentence that begins with the key's name.
        fix: how to fix it, as a sentence.
        value: the invalid value; `HIDDEN` if messages must not show it.
    """

    key: str
    problem: str
    fix: str
    value: Any = HIDDEN

    def within(self, outer: str) -> Problem:
        """Return the problem with its key relative to the outer entry's key `outer`."""
        inner = self.key if not self.key or self.key.startswith("[") else f".{self.key}"
        return replace(self, key=f"{outer}{inner}")

    def hidden(self) -> Problem:
        """Return the problem without the value."""
        return replace(self, value=HIDDEN)

    @property
    def shown(self) -> str:
        """The value for messages; empty if they must not show it."""
        if isinstance(self.value, bool) or not isinstance(self.value, (str, int, float)):
            return ""
        text = str(self.value)
        if not text.isprintable():
            text = ascii(text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


class SchemaError(ValueError):
    """A value or an entry is invalid.

    Attributes:
        problems: all its problems.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(sentence(one) for one in self.problems))


def wrong(problem: str, fix: str, value: Any = HIDDEN) -> SchemaError:
    """Return the error for one value."""
    return SchemaError([Problem("", problem, fix, value)])


def sentence(problem: Problem) -> str:
    """Format a problem for logs and errors: ``pids 3 is too small: use 32 or more``."""
    shown = repr(problem.value[:LONGEST]) if isinstance(problem.value, str) else problem.shown
    subject = " ".join(filter(None, (problem.key, shown)))
    return f"{subject} {problem.problem}: {problem.fix}".strip()
