"""Commit exactly the wanted files, and send them to GitLab."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atelier_toolbar import git, network, notebooks
from atelier_toolbar.changes import Change, changes, file_oid
from atelier_toolbar.merging import Entry
from atelier_toolbar.objects import put, require_identity
from atelier_toolbar.problems import Problem
from atelier_toolbar.pull import Puller, Say
from atelier_toolbar.repository import Repository

PUSHES = 5
"""How often GitLab may have moved on before the learner is told to try again."""


def _is_file_or_link(place: Path) -> bool:
    """Whether there is something that git stores: a link counts, even to a folder or to nothing."""
    return place.is_symlink() or (place.exists() and not place.is_dir())


@dataclass(frozen=True)
class Rules:
    """The course's rules for what is saved."""

    strip: bool
    max_bytes: int


class Saver:
    """Saves for one clone.

    Args:
        puller: merges when GitLab has moved on.
        rules: the course's.
        say: tells a step.
    """

    def __init__(self, puller: Puller, rules: Rules, say: Say) -> None:
        self.puller = puller
        self.objects = puller.objects
        self.repository: Repository = puller.repository
        self._rules = rules
        self._say = say

    def save(self, message: str, files: list[str] | None) -> dict[str, Any]:
        """Commit and push; return the answer's result.

        Args:
            message: one line.
            files: git's names of what is wanted; None for all that changed.

        Raises:
            Problem: the package's docstring lists them.
        """
        found = changes(self.repository, strip=self._rules.strip)
        wanted = self._wanted(found, files)
        self._check_sizes(wanted)
        committed, count = None, 0
        if wanted:
            require_identity(self.repository)
            self._say({"step": "commit"})
            before = self.repository.commit("HEAD")
            committed = self._commit(message, wanted)
            if committed is not None:
                count = self._count(before, committed, found)
        try:
            head = self._send(fresh=committed is not None)
        except Problem as problem:
            problem.details["committed"] = committed is not None
            raise
        brought = self.puller.brought
        commit = head if brought.merged else committed or head
        return {
            "commit": commit,
            "commit_url": self.repository.commit_url(commit),
            "pushed": True,
            "files": count,
            "merged": brought.merged,
            **brought.as_json(self.repository),
        }

    def _wanted(self, found: list[Change], files: list[str] | None) -> set[str]:
        """Paths to take into the commit: what changed, as far as it is asked for."""
        asked = None if files is None else set(files)
        wanted: set[str] = set()
        for change in found:
            names = {change.path, *([change.was] if change.was else [])}
            if asked is None or names & asked:
                wanted |= names
        for path in sorted((asked or set()) - wanted):
            place = self.repository.top / path
            if place.is_dir() and not place.is_symlink():
                raise Problem("bad_name", path=self.repository.contents_path(path))
            if self.repository.ignores(path):
                wanted.add(path)  # asked for by name
        return wanted

    def _check_sizes(self, wanted: set[str]) -> None:
        limit = self._rules.max_bytes
        large = []
        for path in sorted(wanted):
            place = self.repository.top / path
            if place.is_symlink() or not place.is_file():
                continue
            size = place.stat().st_size
            if size > limit and self._strips(path):
                size = len(notebooks.without_outputs(place.read_bytes()))
            if size > limit:
                name = self.repository.contents_path(path)
                large.append({"path": name, "size": size, "limit": limit})
        if large:
            raise Problem("too_large", files=large)

    def _strips(self, path: str) -> bool:
        return self._rules.strip and path.endswith(notebooks.SUFFIX)

    def _commit(self, message: str, wanted: set[str]) -> str | None:
        """Commit the wanted paths; None when that changes nothing.

        Git's index first, then the branch: what is staged and not committed after a kill is
        a change like any other.
        """
        repository = self.repository
        head = repository.commit("HEAD")
        self._stage(wanted)
        tree = self._tree(head, wanted)
        if tree == self.objects.tree(head):
            return None
        commit = self.objects.commit(tree, [head] if head else [], message)
        repository.must(
            "update-ref", "-m", "atelier-toolbar: save",
            f"refs/heads/{repository.branch}", commit, head or "0" * len(commit),
        )  # fmt: skip
        return commit

    def _count(self, before: str | None, after: str, found: list[Change]) -> int:
        """How many files a commit changed; a renamed one counts once."""
        names = self.objects.changes(self.objects.tree(before), self.objects.tree(after))[1].keys()
        return len(names) - sum({one.path, one.was} <= names for one in found)

    def _stage(self, wanted: set[str]) -> None:
        repository = self.repository
        here = {path for path in wanted if _is_file_or_link(repository.top / path)}
        stripped = {path for path in here if self._strips(path)}
        entries: dict[str, Entry | None] = dict.fromkeys(wanted - here)
        for path in sorted(stripped):
            oid = file_oid(repository, path, strip=True, write=True)
            if oid is None:
                raise Problem("failed", detail=path)
            executable = os.access(repository.top / path, os.X_OK)
            entries[path] = Entry("100755" if executable else "100644", oid)
        if entries:
            put(repository, entries, len(self.objects.empty_tree()), None)
        plain = sorted(here - stripped)
        if plain:
            options = ("--add", "--replace", "-z", "--stdin")
            repository.must("update-index", *options, given=git.listed(plain))

    def _tree(self, head: str | None, wanted: set[str]) -> str:
        """The tree of the commit: HEAD's, with the wanted paths as they are staged now."""
        repository = self.repository
        base = self.objects.tree(head)
        staged = repository.must("diff-index", "--cached", "-z", "--name-only", base).names
        if wanted.issuperset(staged):
            return repository.must("write-tree").out.strip()
        names = set(staged) & wanted
        entries: dict[str, Entry | None] = dict.fromkeys(names)
        for line in repository.must("ls-files", "--stage", "-z").names:
            head_part, _, path = line.partition("\t")
            if path in names:
                mode, oid, _ = head_part.split(" ")
                entries[path] = Entry(mode, oid)
        return self.objects.with_entries(base, entries)

    def _send(self, *, fresh: bool) -> str:
        """Push, merging as often as GitLab has moved on; return the commit GitLab has then."""
        repository = self.repository
        if not fresh and repository.commit(repository.remote_ref) == repository.commit("HEAD"):
            raise Problem("nothing", ahead=0)
        for _ in range(PUSHES):
            head = repository.commit("HEAD")
            if head is None:
                raise Problem("nothing", ahead=0)
            self._say({"step": "push"})
            if network.push(repository, head):
                return head
            self.puller.bring()
        raise Problem("moving")
