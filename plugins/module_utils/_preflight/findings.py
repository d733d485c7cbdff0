"""Findings of the preflight, and functions for its rules, without input or output.

Each rule takes plain data and yields findings. The action plugin calls them with the settings and
with files of the controller, the module with data of the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._schema.problems import Problem

Settings = Mapping[str, Any]

# RFC 1123, section 2.1: letters, digits, hyphens; a label has 63 characters at most, a name 253.
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Finding:
    """A problem to fix.

    Attributes:
        variable: name of the setting that the operator has to edit.
        problem: the problem, as the end of a sentence that begins with this name.
        fix: how to fix it, as a sentence.
        grave: whether it prevents the installation.
    """

    variable: str
    problem: str
    fix: str
    grave: bool = True

    def as_dict(self) -> dict[str, str]:
        """Return the fields that are shown to the operator."""
        return {"variable": self.variable, "problem": self.problem, "fix": self.fix}


def is_name(value: Any) -> bool:
    """Return whether a value is a full host name: lower case, two or more labels, not an address.

    >>> is_name("hub.mooc.example.org"), is_name("Hub.example.org"), is_name("10.0.0.1")
    (True, False, False)
    """
    if not isinstance(value, str) or len(value) > 253:
        return False
    labels = value.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return False
    return all(LABEL.fullmatch(label) for label in labels)


def duplicates(values: Iterable[str]) -> list[str]:
    """Return the values that occur more than once, in the order of their second occurrence."""
    seen: set[str] = set()
    again: dict[str, None] = {}
    for value in values:
        if value in seen:
            again[value] = None
        seen.add(value)
    return list(again)


def dictionaries(
    value: Any, variable: str, example: str
) -> tuple[list[tuple[str, dict[str, Any]]], list[Finding]]:
    """Read a list of dictionaries; return them with their names in messages, and the findings."""
    if not isinstance(value, (list, tuple)):
        return [], [Finding(variable, "is not a list", f"Write it as a list: {example}")]
    items: list[tuple[str, dict[str, Any]]] = []
    findings: list[Finding] = []
    for number, item in enumerate(value):
        name = f"{variable}[{number}]"
        if isinstance(item, Mapping):
            items.append((name, dict(item)))
        else:
            findings.append(
                Finding(name, "is not a dictionary", f"Write it as a dictionary: {example}")
            )
    return items, findings


def entry_findings(
    value: Any, variable: str, example: str, check: Callable[[Any], Any]
) -> Iterator[Finding]:
    """Check each entry of a list; `check` raises a ValueError with the problem of an entry."""
    if not isinstance(value, (list, tuple)):
        yield Finding(variable, "is not a list", f"Write it as a list: {example}")
        return
    for number, entry in enumerate(value):
        try:
            check(entry)
        except ValueError as error:
            yield Finding(f"{variable}[{number}]", f"{error} ({entry})", f"Example: {example}")


def schema_findings(variable: str, problems: Iterable[Problem]) -> Iterator[Finding]:
    """Convert the schema's problems of an entry to findings; `variable` is the entry's name."""
    for one in problems:
        shown = f" ({one.shown})" if one.shown else ""
        name = f"{variable}.{one.key}" if one.key else variable
        yield Finding(name, f"{one.problem}{shown}", one.fix)


def reference_findings(
    variable: str, value: Any, known: list[str], what: str, where: str
) -> Iterator[Finding]:
    """Check a list of names that must be defined elsewhere in the settings.

    Args:
        variable: name of the list in messages.
        value: the list.
        known: the defined names.
        what: what a name stands for.
        where: the setting that defines the names.
    """
    if value is None:
        return
    listed = ", ".join(filter(None, known)) or "none"
    if not isinstance(value, (list, tuple)):
        yield Finding(variable, "is not a list", f"Write it as a list. There are: {listed}.")
        return
    for name in value:
        if str(name) not in known:
            yield Finding(
                variable,
                f"names a {what} that {where} does not have ({name})",
                f"Correct it, or add it to {where}. There are: {listed}.",
            )


def report(findings: Iterable[Finding]) -> str:
    """Return one message with all grave findings; empty if there are none."""
    grave = [finding for finding in findings if finding.grave]
    if not grave:
        return ""
    thing = "thing has" if len(grave) == 1 else "things have"
    lines = [f"{len(grave)} {thing} to be put right. Nothing has been changed on the server.", ""]
    for number, finding in enumerate(grave, 1):
        lines.append(f"{number:3}. {finding.variable} {finding.problem}.")
        lines.append(f"     {finding.fix}")
    return "\n".join(lines)
