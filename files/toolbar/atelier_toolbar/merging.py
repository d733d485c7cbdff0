"""Three-way merges of trees. Nothing is dropped: what contradicts is kept beside, both versions.

The rules are here, pure; who reads and writes git's objects is :mod:`atelier_toolbar.objects`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

FILES = ("100644", "100755")
NAME_BYTES = 255  # of one file name, on every file system in use
_YOURS = {"fr": "à vous", "en": "yours"}


class Entry(NamedTuple):
    """A file of a tree: git's mode and object name."""

    mode: str
    oid: str


Changes = Mapping[str, Entry | None]
"""Path -> what is there now; None: nothing any more."""
MergeContent = Callable[[str, Entry, Entry, Entry], str | None]
"""(path, base, ours, theirs) -> name of the merged object, or None when they contradict."""


@dataclass
class Merged:
    """What a merge came to: entries that differ from ours, and what was kept beside."""

    entries: dict[str, Entry | None] = field(default_factory=dict)
    kept: list[tuple[str, str]] = field(default_factory=list)
    """(path, name of the file that has our version)."""


def beside(path: str, lang: str, taken: Callable[[str], bool]) -> str:
    """Return a free name for our version of `path`: `name (yours).ipynb`, `name (yours 2).ipynb`.

    Args:
        path: the file both want, relative, with slashes.
        lang: `fr` or `en`.
        taken: whether a name cannot be used.
    """
    pure = PurePosixPath(path)
    number = 1
    while True:
        word = _YOURS.get(lang, _YOURS["en"])
        mark = f" ({word})" if number == 1 else f" ({word} {number})"
        end = mark + pure.suffix
        room = NAME_BYTES - len(end.encode("utf-8", "surrogateescape"))
        stem = pure.stem.encode("utf-8", "surrogateescape")[:room]
        # a character cut in two goes whole
        short = stem.decode("utf-8", "ignore") if len(stem) == room else pure.stem
        candidate = str(pure.with_name(short + end))
        if not taken(candidate):
            return candidate
        number += 1


def is_beside(name: str) -> str | None:
    """Return the file that a kept one belongs to, or None when the name is not of that kind."""
    pure = PurePosixPath(name)
    stem, bracket, rest = pure.stem.rpartition(" (")
    words = rest.removesuffix(")").rstrip("0123456789").rstrip()
    if stem and bracket and rest.endswith(")") and words in _YOURS.values():
        return str(pure.with_name(stem + pure.suffix))
    return None


def merge(
    base: Changes,
    ours: Changes,
    theirs: Changes,
    content: MergeContent,
    name_beside: Callable[[str], str],
) -> Merged:
    """Merge what two sides made of a tree.

    Args:
        base: for every path that either side changed, what was there.
        ours: the paths that we changed.
        theirs: the paths that they changed.
        content: merges a file that both changed.
        name_beside: gives a free name for our version of a path.
    """
    merged = Merged()
    state: dict[str, Entry | None] = dict(ours)

    def put(path: str, entry: Entry | None) -> None:
        merged.entries[path] = state[path] = entry

    for path, new in theirs.items():
        old = base.get(path)
        mine = ours.get(path, old) if path in ours else old
        if new == mine:
            continue
        if mine == old or mine is None:  # not changed here; or removed here, changed there
            put(path, new)
        elif new is None or new == old:  # removed there, changed here: it stays
            continue
        elif (oid := _both(path, old, mine, new, content)) is not None:
            put(path, Entry(new.mode if old is None or mine.mode == old.mode else mine.mode, oid))
        else:
            kept = name_beside(path)
            put(kept, mine)
            put(path, new)
            merged.kept.append((path, kept))
    _make_way(state, put, merged, name_beside)
    return merged


def _both(
    path: str, old: Entry | None, mine: Entry, new: Entry, content: MergeContent
) -> str | None:
    if old is None:
        return (
            mine.oid if mine.oid == new.oid and mine.mode in FILES and new.mode in FILES else None
        )
    if any(entry.mode not in FILES for entry in (old, mine, new)):
        return None
    if mine.oid == new.oid or new.oid == old.oid:
        return mine.oid
    return new.oid if mine.oid == old.oid else content(path, old, mine, new)


def _make_way(
    state: Mapping[str, Entry | None],
    put: Callable[[str, Entry | None], None],
    merged: Merged,
    name_beside: Callable[[str], str],
) -> None:
    """Where one side made a file of what the other made a folder, the file gets another name."""
    there = {path for path, entry in state.items() if entry is not None}
    folders = {str(parent) for path in there for parent in PurePosixPath(path).parents}
    for path in sorted(there & folders):
        kept = name_beside(path)
        put(kept, state[path])
        put(path, None)
        merged.kept.append((path, kept))
