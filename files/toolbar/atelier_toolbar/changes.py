"""What the learner changed since the last save, seen from the files (not from git's index)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

from atelier_toolbar import notebooks
from atelier_toolbar.repository import Repository

Kind = Literal["new", "modified", "deleted", "renamed"]
_NOTHING = "000000"


@dataclass(frozen=True)
class Change:
    """One file that differs from HEAD. `was` is the name before, of a renamed one."""

    path: str
    kind: Kind
    was: str | None = None

    def as_json(self, repository: Repository) -> dict[str, Any]:
        """Return the change with Jupyter's names."""
        found = {"path": repository.contents_path(self.path), "change": self.kind}
        return found | ({"was": repository.contents_path(self.was)} if self.was else {})


def changes(repository: Repository, *, strip: bool) -> list[Change]:
    """List what a save could save, sorted by name. A clone inside the clone is not looked into.

    Args:
        repository: the clone.
        strip: whether outputs of notebooks do not count.
    """
    status = repository.must(
        "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames",
        "--ignore-submodules=all",
    ).names  # fmt: skip
    kinds: dict[str, Kind] = {}
    before: dict[str, str] = {}
    doubtful: set[str] = set()
    for line in status:
        kind = line[0]
        if kind == "1":
            _, states, _, mode_head, _, mode_file, oid_head, _, path = line.split(" ", 8)
            if mode_head == _NOTHING:
                if mode_file != _NOTHING:
                    kinds[path] = "new"
                continue
            before[path] = oid_head
            kinds[path] = "deleted" if mode_file == _NOTHING else "modified"
            if mode_file != _NOTHING and "." not in states and mode_head == mode_file:
                doubtful.add(path)  # staged and changed again: perhaps back to what it was
        elif kind == "u":
            path = line.split(" ", 10)[10]
            kinds[path] = "modified" if os.path.lexists(repository.top / path) else "deleted"
        elif kind == "?":
            path = line[2:]
            if path.endswith("/"):
                continue
            if path in before:  # taken out of git's index, but still there
                kinds[path] = "modified"
                doubtful.add(path)
            else:
                kinds[path] = "new"
    if strip:
        doubtful |= {
            p for p, k in kinds.items() if k == "modified" and p.endswith(notebooks.SUFFIX)
        }
    for path in doubtful & before.keys():
        if file_oid(repository, path, strip=strip) == before[path]:
            del kinds[path]
    return _with_renames(repository, kinds, before, strip)


def file_oid(repository: Repository, path: str, *, strip: bool, write: bool = False) -> str | None:
    """The name git would give to a file's content; None when it cannot be read."""
    options = ("-w",) if write else ()
    place = repository.top / path
    try:
        if place.is_symlink():
            raw = os.fsencode(place.readlink())
            result = repository.must("hash-object", *options, "--stdin", given=raw)
        elif strip and path.endswith(notebooks.SUFFIX):
            raw = notebooks.without_outputs(place.read_bytes())
            result = repository.must("hash-object", *options, "--stdin", given=raw)
        else:
            result = repository.run("hash-object", *options, "--", path)
    except OSError:
        return None
    return result.out.strip() if result.ok else None


def _with_renames(
    repository: Repository, kinds: dict[str, Kind], before: dict[str, str], strip: bool
) -> list[Change]:
    """Pair what went with what came, when the content is the very same."""
    gone = {before[p]: p for p in sorted(kinds) if kinds[p] == "deleted" and p in before}
    new = sorted(p for p in kinds if kinds[p] == "new")
    found = []
    if gone and new:
        sizes = _sizes(repository, list(gone))
        for path in new:
            place = repository.top / path
            stripped = strip and path.endswith(notebooks.SUFFIX)
            if place.is_symlink() or (not stripped and place.stat().st_size not in sizes):
                continue
            was = gone.pop(str(file_oid(repository, path, strip=strip)), None)
            if was is not None:
                del kinds[path], kinds[was]
                found.append(Change(path, "renamed", was))
    found += [Change(path, kind) for path, kind in kinds.items()]
    return sorted(found, key=lambda change: change.path)


def _sizes(repository: Repository, oids: list[str]) -> set[int]:
    given = "".join(f"{oid}\n" for oid in oids).encode()
    result = repository.must("cat-file", "--batch-check=%(objectsize)", given=given)
    return {int(size) for size in result.out.split() if size.isdigit()}
