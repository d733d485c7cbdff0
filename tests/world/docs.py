"""`make docs`: what is generated from the schema of courses, consumers and registrations.

The generated parts stand between a line that begins them and one that ends them, in files that
people write otherwise. A test compares them with what the schema says.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from world import paths
from world.run import WorldError, say

SPECS = paths.ROOT / "roles/course/meta/argument_specs.yml"
ENGLISH = paths.ROOT / "docs/configuration.md"
FRENCH = paths.ROOT / "docs/cles.md"
TABLES = {
    "course": ("course", "COURSE"),
    "consumer": ("consumer", "LISTED_CONSUMER"),
    "registration": ("registration", "REGISTRATION"),
}
WIDTH = 150
PART = "{begin}keys of a {name}: made by `make docs`{end}\n"


def _schema(name: str) -> Any:
    """A module of the schema, which needs nothing but Python's own library."""
    folder = str(paths.ROOT / "plugins/module_utils")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(f"_schema.{name}")


def _yaml(value: dict[str, Any]) -> Iterator[str]:
    """A dictionary's lines as this repository writes YAML."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield f"{key}:"
            yield from (f"  {line}" for line in _yaml(inner))
        elif isinstance(inner, list):
            yield f"{key}: [{', '.join(map(str, inner))}]"
        elif isinstance(inner, str) and len(inner) > WIDTH - 40:
            yield f"{key}: >-"
            yield from (f"  {line}" for line in textwrap.wrap(inner, WIDTH - 40))
        elif isinstance(inner, str) and not re.fullmatch(r"[A-Za-z][^:#]*", inner):
            yield f"{key}: {json.dumps(inner, ensure_ascii=False)}"
        else:
            yield f"{key}: {str(inner).lower() if isinstance(inner, bool) else inner}"


def _replaced(text: str, name: str, made: str, comment: tuple[str, str]) -> str:
    """A file's text with the generated part of a table in it."""
    begin = PART.format(begin=f"{comment[0]} ", name=name, end=comment[1])
    end = f"{comment[0]} end of keys{comment[1]}\n"
    found = re.search(
        rf"^( *){re.escape(begin)}(.*?)^ *{re.escape(end)}", text, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise WorldError(f"There is no part for the keys of a {name}, which begins with: {begin}")
    indented = textwrap.indent(made, found[1])
    return f"{text[: found.start()]}{found[1]}{begin}{indented}{found[1]}{end}{text[found.end() :]}"


def made() -> dict[Path, str]:
    """What the files have to hold."""
    specs = _schema("specs")
    texts = {path: path.read_text(encoding="utf-8") for path in (SPECS, ENGLISH, FRENCH)}
    for name, (module, table) in TABLES.items():
        keys = getattr(_schema(module), table)
        options = "".join(f"{line}\n" for line in _yaml(specs.role_options(keys)))
        texts[SPECS] = _replaced(texts[SPECS], name, options, ("#", ""))
        for path, language in ((ENGLISH, "en"), (FRENCH, "fr")):
            shown = specs.markdown(keys, language)
            texts[path] = _replaced(texts[path], name, shown, ("<!--", " -->"))
    return texts


def write() -> int:
    """Write what is generated from the schema. Returns an exit code."""
    for path, text in made().items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            say(f"==> {path.relative_to(paths.ROOT)}")
    return 0
