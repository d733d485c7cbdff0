"""The learner's files: photographed before anything happens, changed one whole file at a time."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from atelier_toolbar import exchange, git
from atelier_toolbar.kept import keep
from atelier_toolbar.locks import FOLDER
from atelier_toolbar.merging import Changes, beside
from atelier_toolbar.objects import Objects
from atelier_toolbar.repository import Repository, is_safe

_AS_TOOLBAR = ("-c", "user.name=atelier-toolbar", "-c", "user.email=atelier-toolbar@localhost")
_STAGE = "stage-"


@dataclass
class Photograph:
    """The learner's files at a moment, as a tree; `digests` tells a later look from this one."""

    tree: str
    digests: dict[str, str | None]


@dataclass
class Applied:
    """Which files have another content now, and which of the learner's were put beside."""

    changed: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)


class Worktree:
    """The files of one clone. To be used by one command at a time."""

    def __init__(self, objects: Objects, lang: str) -> None:
        self.objects = objects
        self.repository: Repository = objects.repository
        self.top = self.repository.top
        self._lang = lang

    def photograph(self, commit: str | None, head: str, incoming: Changes) -> Photograph:
        """Store the files as they are now, and make that reachable (:mod:`atelier_toolbar.kept`).

        The digests come first: what is written after them is told from what was stored.

        Args:
            commit: HEAD, if there is one.
            head: its tree.
            incoming: what `head` has at the paths that are about to be changed.
        """
        digests = {path: exchange.digest(self.top / path) for path in sorted(incoming)}
        dirty = dirty_paths(self.repository)
        # what is about to be changed, too: git may have been told not to look at it
        here = {path for path in dirty | incoming.keys() if self._is_file(path)}
        gone = sorted(path for path in dirty - here)
        if not here and not gone:
            return Photograph(head, digests)
        with self.objects.index(head) as index:
            self._update(index, gone, "--force-remove")
            self._update(index, sorted(here), "--add", "--replace")
            tree = self.repository.must("write-tree", index=index).out.strip()
        self._keep(tree, commit, head)
        return Photograph(tree, digests)

    def _update(self, index: Path, paths: list[str], *options: str) -> None:
        if paths:
            words = ("update-index", *options, "-z", "--stdin")
            self.repository.must(*words, given=git.listed(paths), index=index)

    def _is_file(self, path: str) -> bool:
        """Whether `path` is a file or link here, reached without a link on the way."""
        place = self.top / path
        parents = [self.top / parent for parent in PurePosixPath(path).parents][:-1]
        if any(parent.is_symlink() for parent in parents):
            return False
        return place.is_symlink() or place.is_file()

    def _keep(self, tree: str, head: str | None, committed: str) -> None:
        """Make a tree reachable: what is on no branch, or staged and nowhere else."""
        parents = [head] if head else []
        staged = self.repository.run("write-tree")
        index = staged.out.strip() if staged.ok else committed
        if index not in (tree, committed):
            message = "Staged before a merge"
            parents.append(self.objects.commit(index, parents, message, *_AS_TOOLBAR))
        elif tree == committed:
            return
        commit = self.objects.commit(tree, parents, "Files before a merge", *_AS_TOOLBAR)
        keep(self.repository, commit)

    def recover(self) -> None:
        """Make reachable what a command that was killed had in its hands."""
        for place in (self.repository.common / FOLDER, self.top / f".{FOLDER}"):
            for leftover in place.glob("scratch-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            for stage in place.glob(f"{_STAGE}*"):
                self._recover(stage)

    def _recover(self, stage: Path) -> None:
        files = [path for path in stage.rglob("*") if path.is_symlink() or path.is_file()]
        if files:
            with self.objects.index() as index:
                entries = []
                for number, path in enumerate(files):
                    raw = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
                    entries.append(f"100644 {self.objects.write(raw)}\t{number}-{path.name}")
                self.repository.must(
                    "update-index", "-z", "--index-info", given=git.listed(entries), index=index
                )
                tree = self.repository.must("write-tree", index=index).out.strip()
            message = "In hand when a command was killed"
            keep(self.repository, self.objects.commit(tree, [], message, *_AS_TOOLBAR))
        shutil.rmtree(stage)

    def apply(self, seen: Photograph, wanted: str, applied: Applied) -> None:
        """Make the files what the tree `wanted` says, as far as it differs from the photograph.

        A file that is not as it was photographed any more (somebody saved it meanwhile) is kept
        beside. A kill leaves each file whole, old or new.

        Args:
            seen: the files as they were stored.
            wanted: a tree.
            applied: what is done is written there, as it is done.
        """
        _, after = self.objects.changes(seen.tree, wanted)
        if not after:
            return
        stage = self._stage()
        # submodules are left to those who use them
        after = {p: entry for p, entry in after.items() if not entry or entry.mode != "160000"}
        present = [path for path, entry in after.items() if entry is not None]
        if present:
            with self.objects.index(wanted) as index:
                self.repository.must(
                    "checkout-index", f"--prefix={stage}/new/", "-z", "--stdin",
                    given=git.listed(present), index=index,
                )  # fmt: skip
        for path in sorted((set(after) - set(present)), reverse=True):
            if is_safe(path):
                self._remove(stage, path, seen.digests.get(path), applied)
        for path in sorted(present):
            if is_safe(path):
                self._place(stage, path, seen.digests.get(path), applied)
        shutil.rmtree(stage)

    def _stage(self) -> Path:
        """Make a folder on the file system of the files, out of the learner's sight."""
        place = self.repository.common / FOLDER
        if place.stat().st_dev != self.top.stat().st_dev:
            place = self.top / f".{FOLDER}"
            place.mkdir(exist_ok=True)
        stage = place / f"{_STAGE}{time.time_ns()}"
        (stage / "new").mkdir(parents=True)
        (stage / "old").mkdir()
        return stage

    def _remove(self, stage: Path, path: str, expected: str | None, applied: Applied) -> None:
        place, old = self.top / path, stage / "old" / str(len(applied.changed))
        if not self._is_file(path) or exchange.digest(place) != expected:
            return  # not what was photographed: it stays
        exchange.move(place, old)
        if exchange.digest(old) != expected:  # saved in this very moment
            self._put_beside(old, path, applied)
            return
        applied.changed.append(path)
        for parent in list(PurePosixPath(path).parents)[:-1]:
            try:
                (self.top / parent).rmdir()
            except OSError:
                break

    def _place(self, stage: Path, path: str, expected: str | None, applied: Applied) -> None:
        new, place = stage / "new" / path, self.top / path
        self._make_parents(path, applied)
        while True:
            try:
                if place.is_dir() and not place.is_symlink():
                    self._clear_folder(place, path, applied)
                if os.path.lexists(place):
                    exchange.exchange(new, place)
                    if exchange.digest(new) != expected:
                        self._put_beside(new, path, applied)
                else:
                    exchange.move(new, place)
            except (FileExistsError, FileNotFoundError):
                if not os.path.lexists(new):
                    raise
                continue  # made or removed in this very moment: look again
            applied.changed.append(path)
            return

    def _make_parents(self, path: str, applied: Applied) -> None:
        for parent in reversed(list(PurePosixPath(path).parents)[:-1]):
            place = self.top / parent
            if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
                self._put_beside(place, str(parent), applied)
            place.mkdir(exist_ok=True)

    def _clear_folder(self, place: Path, path: str, applied: Applied) -> None:
        try:
            place.rmdir()
        except OSError:
            self._put_beside(place, path, applied)

    def _put_beside(self, what: Path, path: str, applied: Applied) -> None:
        """Give the learner's version (now called `what`) a free name beside `path`."""
        while True:
            kept = beside(path, self._lang, self.taken)
            try:
                exchange.move(what, self.top / kept)
            except FileExistsError:
                continue
            applied.kept.append((path, kept))
            return

    def taken(self, path: str) -> bool:
        """Whether the learner has something of that name."""
        return os.path.lexists(self.top / path)


def dirty_paths(repository: Repository) -> set[str]:
    """The tracked paths whose file or staged content differs from HEAD, as git lists them."""
    found = repository.must(
        "status", "--porcelain=v2", "-z", "--untracked-files=no", "--no-renames",
        "--ignore-submodules=all",
    ).names  # fmt: skip
    fields: dict[str, Callable[[str], str]] = {
        "1": lambda line: line.split(" ", 8)[8],
        "u": lambda line: line.split(" ", 10)[10],
    }
    return {fields[line[0]](line) for line in found if line[0] in fields}
