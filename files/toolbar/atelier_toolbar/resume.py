"""What was begun in a terminal, and left or lost to a kill, is brought to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from atelier_toolbar.merging import Entry, beside
from atelier_toolbar.objects import Objects, require_identity
from atelier_toolbar.problems import Problem
from atelier_toolbar.pull import MESSAGE, Brought
from atelier_toolbar.worktree import Applied, Worktree, dirty_paths

_FILES = ("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "AUTO_MERGE")


def resume(objects: Objects, lang: str) -> Brought:
    """End a merge with the files as they are, and return what that changed in them.

    A file in which git's conflict marks still stand is kept twice, as by a pull: the other
    side's version, and ours beside. What it was with its marks stays reachable. The same holds
    for files that `git stash pop` could not join: the stashed version is beside.

    Raises:
        Problem: `unfinished`, a rebase or another operation waits; `no_identity`; as
            :meth:`Repository.must`.
    """
    repository = objects.repository
    operation = repository.unfinished
    if operation is None:
        return _settle_conflicts(objects, lang)
    if operation != "merge":
        raise Problem("unfinished", operation=operation)
    ours = repository.commit("HEAD")
    merged = (repository.git_dir / "MERGE_HEAD").read_text().split()
    new = [head for head in merged if objects.base(ours, head) != head]
    brought = Brought(merged=bool(new))
    if new:
        require_identity(repository)
        contradicting = _contradicting(objects)
        brought.changed, brought.kept, tree = _end(objects, ours, lang, contradicting)
        parents = [*([ours] if ours else []), *new]
        commit = objects.commit(tree, parents, MESSAGE.get(lang, MESSAGE["en"]))
        objects.settle(commit, ours)
    for name in _FILES:
        with contextlib.suppress(FileNotFoundError):
            (repository.git_dir / name).unlink()
    return brought


def _settle_conflicts(objects: Objects, lang: str) -> Brought:
    """Settle what git left undecided in its index without an operation to end."""
    repository = objects.repository
    undecided = _contradicting(objects)
    if not undecided:
        return Brought()
    head = repository.commit("HEAD")
    # git calls what was stashed "theirs": it is the learner's.
    swapped = {path: (theirs, mine) for path, (mine, theirs) in undecided.items()}
    changed, kept, _ = _end(objects, head, lang, swapped)
    objects.reset_index(objects.tree(head))
    repository.run("update-index", "-q", "--refresh")
    return Brought(changed, kept)


def _end(
    objects: Objects,
    ours: str | None,
    lang: str,
    contradicting: Mapping[str, tuple[Entry | None, Entry | None]],
) -> tuple[list[str], list[tuple[str, str]], str]:
    """Make the files what the merge comes to; return what changed, what was kept, the tree."""
    repository = objects.repository
    files = Worktree(objects, lang)
    seen = files.photograph(ours, objects.tree(ours), dict.fromkeys(dirty_paths(repository)))
    entries: dict[str, Entry | None] = {}
    kept = []
    for path, (mine, theirs) in contradicting.items():
        place = repository.top / path
        if place.is_symlink() or not place.is_file() or b"\n>>>>>>> " not in place.read_bytes():
            continue  # somebody has decided
        if mine is not None and theirs is not None:
            name = beside(path, lang, lambda p: p in entries or files.taken(p))
            entries[name] = mine
            kept.append((path, name))
        entries[path] = theirs or mine
    tree = objects.with_entries(seen.tree, entries)
    applied = Applied()
    files.apply(seen, tree, applied)
    return applied.changed, kept + applied.kept, tree


def _contradicting(objects: Objects) -> dict[str, tuple[Entry | None, Entry | None]]:
    """The paths that git could not merge: our version and theirs."""
    found: dict[str, tuple[Entry | None, Entry | None]] = {}
    for line in objects.repository.must("ls-files", "--unmerged", "-z").names:
        head, _, path = line.partition("\t")
        mode, oid, stage = head.split(" ")
        mine, theirs = found.get(path, (None, None))
        if stage == "2":
            mine = Entry(mode, oid)
        elif stage == "3":
            theirs = Entry(mode, oid)
        found[path] = mine, theirs
    return found
