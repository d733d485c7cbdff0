"""Finds the files that an answer needs when it runs: those that its code names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import PurePosixPath

MOST_FILES = 100
MOST_BYTES = 24 * 1024**2
"""Of all files together."""
CODE_ENDINGS = frozenset({".py", ".r", ".rmd", ".qmd", ".org", ".ipynb"})
_WORD = re.compile(r"[\w.-]+")
_MODULE = re.compile(r"(?:^|[^\w.])(?:import|from)\s+([\w., \t]+)")


def named_files(texts: Iterable[str], listing: Collection[str]) -> list[str]:
    """Return the files of a repository that programs name.

    A file is named if its last part, such as ``series.csv``, stands in a text; a Python module, if
    it is imported.

    Args:
        texts: the sources of the programs.
        listing: all paths of the repository.
    """
    words: set[str] = set()
    modules: set[str] = set()
    wholes = list(texts)
    for text in wholes:
        words.update(_WORD.findall(text))
        for found in _MODULE.finditer(text):
            modules.update(re.findall(r"\w+", found[1].partition(" import ")[0]))
    named = []
    for path in sorted(listing):
        parts = PurePosixPath(path)
        in_package = not modules.isdisjoint((*parts.parts[:-1], parts.stem))
        if _WORD.fullmatch(parts.name):
            is_named = parts.name in words
        else:  # with a space, for instance
            is_named = any(parts.name in text for text in wholes)
        if is_named or (parts.suffix == ".py" and in_package):
            named.append(path)
    return named


def declared_files(data: Iterable[str], listing: Collection[str]) -> list[str]:
    """Return the files of a repository that a declaration lists, or that are in its folders."""
    wanted = tuple(data)
    return [
        path
        for path in sorted(listing)
        if any(path == one or path.startswith(f"{one}/") for one in wanted)
    ]


def source_of(path: str, content: bytes) -> str:
    """Return the text of a program. A notebook is not parsed: it may be large, and anything."""
    text = content.decode("utf-8", "replace")
    return text.replace("\\n", "\n") if path.lower().endswith(".ipynb") else text


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
