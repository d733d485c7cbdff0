# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generates Ansible's argument specifications and the documentation from a table of keys."""

from __future__ import annotations

import re
from typing import Any

from .keys import Group, Key, Table
from .kinds import Choice, Flag, Items, Kind

HEADS = {
    "en": ("key", "default, other values", "meaning"),
    "fr": ("clé", "par défaut, autres valeurs", "sens"),
}
REQUIRED = {"en": "(required)", "fr": "(obligatoire)"}
MORE = {"en": "more", "fr": "détails"}
CODE = re.compile(r"(`[^`]*`)")


def role_options(table: Table) -> dict[str, Any]:
    """Return the options of a role's argument specification.

    Ansible validates them when the role begins. A key that is required only if the state is not
    ``absent`` is optional here, as a specification cannot express that.
    """
    return {key.name: _role_option(key, table) for key in table.keys}


def _role_option(key: Key, table: Table) -> dict[str, Any]:
    option: dict[str, Any] = {"description": description(key), "type": key.kind.ansible}
    if isinstance(key.kind, Items):
        option["elements"] = key.kind.of.ansible
    if isinstance(key.kind, Choice):
        option["choices"] = list(key.kind.words)
    if key.required and (not table.always or key.name in table.always):
        option["required"] = True
    if key.default is not None and not isinstance(key.kind, Items):
        option["default"] = key.default
    if key.secret and key.kind.ansible == "str" and not key.empty:
        option["no_log"] = True
    inner = _inner(key.kind)
    if inner is not None:
        option["options"] = role_options(inner)
    return option


def _inner(kind: Kind) -> Table | None:
    """Return the table for the keys of a dictionary, or of a list's dictionaries."""
    kind = kind.of if isinstance(kind, Items) else kind
    return kind.table if isinstance(kind, Group) else None


def module_options(table: Table) -> dict[str, Any]:
    """Return the options of a module's argument specification.

    Most types are ``raw``: otherwise Ansible would convert lists to texts and texts to lists before
    the module could report them.
    """
    options: dict[str, Any] = {}
    for key in table.keys:
        as_is = isinstance(key.kind, (Choice, Flag))
        option: dict[str, Any] = {"type": key.kind.ansible if as_is else "raw"}
        if isinstance(key.kind, Choice):
            option["choices"] = list(key.kind.words)
        if key.required and (not table.always or key.name in table.always):
            option["required"] = True
        if key.default is not None:
            option["default"] = key.default
        if key.secret or key.name == "key":  # Ansible would hide a "key"
            option["no_log"] = key.secret
        options[key.name] = option
    return options


def description(key: Key) -> str:
    """Return a key's description for Ansible's documentation: a sentence, with code in ``C()``."""
    text = CODE.sub(lambda found: f"C({found[1][1:-1]})", key.en)
    text = re.sub(r"\*([^*]+)\*", r"I(\1)", text)
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def markdown(table: Table, language: str = "en") -> str:
    """Return the table of an entry's keys for the documentation.

    Args:
        table: the entry's keys.
        language: ``en`` or ``fr``.
    """
    lines = [HEADS[language], ("---",) * len(HEADS[language])]
    for key in table.keys:
        text = key.en if language == "en" else french(key.fr)
        if key.link:
            text += f" ([{MORE[language]}]({key.link}))"
        lines.append((f"`{key.name}`", _default(key, language), text))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _default(key: Key, language: str) -> str:
    if key.required:
        return REQUIRED[language]
    if key.default in (None, []):
        return ""
    text = str(key.default).lower() if isinstance(key.default, bool) else str(key.default)
    words = key.kind.words if isinstance(key.kind, Choice) else (text,)
    others = "".join(f", `{word}`" for word in words if word != text)
    return f"`{text}`{others}"


def french(text: str) -> str:
    """Return a French text with typographic apostrophes and non-breaking spaces before signs."""
    parts = CODE.split(text)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(" ([;:?!])", "\N{NO-BREAK SPACE}\\1", parts[index])
        parts[index] = parts[index].replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    return "".join(parts)
