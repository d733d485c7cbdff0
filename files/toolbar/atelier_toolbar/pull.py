"""Bringing what is newer in GitLab, without losing a line of what is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from atelier_toolbar import network
from atelier_toolbar.objects import Objects, require_identity
from atelier_toolbar.repository import Repository
from atelier_toolbar.worktree import Applied, Worktree

Say = Callable[[dict[str, Any]], None]
MESSAGE = {"fr": "Réunit avec GitLab", "en": "Merge with GitLab"}


@dataclass
class Brought:
    """What a command changed in the learner's files, in git's names."""

    changed: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    merged: bool = False

    def add(self, other: Brought) -> None:
        """Count what happened since, too."""
        self.changed += [path for path in other.changed if path not in self.changed]
        self.kept += [pair for pair in other.kept if pair not in self.kept]
        self.merged = self.merged or other.merged

    def as_json(self, repository: Repository) -> dict[str, Any]:
        """Return the part of an answer that says what to reload and what was kept."""
        name = repository.contents_path
        return {
            "reload": [name(path) for path in self.changed],
            "kept_beside": [{"path": name(path), "kept": name(kept)} for path, kept in self.kept],
        }


class Puller:
    """Merges for one clone.

    The order makes a kill harmless at any moment: first everything that is here is stored and
    reachable, then the files change, one whole file at a time, then git's index, then the
    branch. A pull that is begun again after a kill finds on the way what it already did.
    """

    def __init__(self, objects: Objects, lang: str, say: Say) -> None:
        self.objects = objects
        self.repository = objects.repository
        self.brought = Brought()
        """What has changed in the learner's files since the command began."""
        self._lang = lang
        self._say = say

    def bring(self) -> None:
        """Fetch, and merge when there is something.

        Raises:
            Problem: as :func:`network.fetch`; `no_identity`; as :meth:`Repository.must`.
        """
        self._say({"step": "fetch"})
        if network.fetch(self.repository) == "empty":
            return
        theirs = self.repository.commit(self.repository.remote_ref)
        ours = self.repository.commit("HEAD")
        base = self.objects.base(ours, theirs)
        if theirs is None or (ours is not None and base == theirs):
            return
        self._say({"step": "merge"})
        self._merge(base, ours, theirs)

    def _merge(self, base: str | None, ours: str | None, theirs: str) -> None:
        forward = ours is None or base == ours
        if not forward:
            require_identity(self.repository)
        trees = self.objects
        head, new = trees.tree(ours), trees.tree(theirs)
        kept: list[tuple[str, str]] = []
        if forward:
            commit, tree = theirs, new
        else:
            tree, merged = trees.merge(trees.tree(base), head, new, self._lang)
            kept += merged.kept
            commit = trees.commit(tree, [str(ours), theirs], MESSAGE.get(self._lang, MESSAGE["en"]))
        files = Worktree(trees, self._lang)
        seen = files.photograph(ours, head, trees.changes(head, tree)[0])
        wanted = tree
        if seen.tree != head:
            wanted, also = trees.merge(head, seen.tree, tree, self._lang)
            kept += also.kept
        applied = Applied()
        try:
            files.apply(seen, wanted, applied)
        finally:  # also what a full disk cut short is to be reloaded
            self.brought.add(Brought(applied.changed, kept + applied.kept, merged=not forward))
        trees.settle(commit, ours)
