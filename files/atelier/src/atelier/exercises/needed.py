"""Finds the files that an answer needs when it runs: those that its code names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import PurePosixPath

MOST_FILES = 100
MOST_BYTES = 24 * 1024**2
"""Of all files together."""
CODE_ENDINGS = frozenset({".py", ".r", ".rmd", ".qmd", ".org", ".ipynb"})
_MODULE = re.compile(r"(?:^|[^\w.])(?:import|from)\s+([\w., \t]+)")


def named_files(texts: Iterable[str], listing: Collection[str]) -> list[str]:
    """Return the files of a repository that programs name.

    A file is named if its last part, such as ``series.csv``, occurs in a text; a Python module, if
    it is imported.

    Args:
        texts: the sources of the programs.
        listing: all paths of the repository.
    """
    whole = "\n".join(texts)
    modules = {
        word
        for found in _MODULE.finditer(whole)
        for word in re.findall(r"\w+", found[1].partition(" import ")[0])
    }
    found = []
    for path in sorted(listing):
        parts = PurePosixPath(path)
        is_module = parts.suffix == ".py" and parts.stem in modules
        package = parts.suffix == ".py" and bool(modules & set(parts.parts[:-1]))
        if is_module or package or _names(whole, parts.name):
            found.append(path)
    return found


def _names(text: str, name: str) -> bool:
    """Return whether a text has a file's name, not as a part of a longer name."""
    at = text.find(name)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (before.isalnum() or before in ("_", "-", ".")) and not (
            after.isalnum() or after == "_"
        ):
            return True
        at = text.find(name, at + 1)
    return False


def declared_files(data: Iterable[str], listing: Collection[str]) -> list[str]:
    """Return the files of a repository that a declaration lists, or that are in its folders."""
    wanted = tuple(data)
    return [
        path
        for path in sorted(listing)
        if any(path == one or path.startswith(f"{one}/") for one in wanted)
    ]


def source_of(path: str, content: bytes) -> str:
    """Return the text of a program; of a notebook, the text of its cells without their outputs."""
    text = content.decode("utf-8", "replace")
    if not path.lower().endswith(".ipynb"):
        return text
    try:
        cells = json.loads(text)["cells"]
        return "\n".join(
            "".join(source) if isinstance(source := cell.get("source", ""), list) else str(source)
            for cell in cells
        )
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""


def gather(
    start: str,
    texts: Iterable[str],
    listing: Collection[str],
    read: Callable[[str], bytes | None],
    data: Iterable[str] = (),
) -> dict[str, bytes]:
    """Return the needed files of a repository, with what programs among them need themselves.

    Args:
        start: path of the answer, which is not looked for.
        texts: sources of the answer, and of what runs with it.
        listing: all paths of the repository.
        read: returns a file's content.
        data: declared files and folders.

    Raises:
        TooMuchError: there are too many files, or they are too large.
    """
    found: dict[str, bytes] = {}
    waiting = [*declared_files(data, listing), *named_files(texts, listing)]
    size = 0
    while waiting:
        path = waiting.pop(0)
        if path == start or path in found:
            continue
        content = read(path)
        if content is None:
            continue
        found[path] = content
        size += len(content)
        if len(found) > MOST_FILES or size > MOST_BYTES:
            raise TooMuchError
        if PurePosixPath(path).suffix.lower() in CODE_ENDINGS:
            waiting += named_files([source_of(path, content)], listing)
    return found


class TooMuchError(Exception):
    """The files that an answer needs exceed the limits."""
