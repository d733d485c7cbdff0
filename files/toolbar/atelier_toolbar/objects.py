"""Trees, commits and merges made without touching the learner's files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from atelier_toolbar import git, notebooks
from atelier_toolbar.locks import FOLDER
from atelier_toolbar.merging import Changes, Entry, Merged, beside, merge
from atelier_toolbar.problems import Problem
from atelier_toolbar.repository import Repository, failure

_NOTHING = "0" * 6
MANY = 26
"""Objects in one of git's 256 folders, from which on they are packed; git's own measure."""
TIDYING = git.Limits(first_word=60, total=60)


class Objects:
    """Git's objects of one clone.

    Args:
        repository: the clone.
        merge_notebook: merges a notebook that both sides changed.
    """

    def __init__(self, repository: Repository, merge_notebook: notebooks.Merge) -> None:
        self.repository = repository
        self._merge_notebook = merge_notebook

    @contextlib.contextmanager
    def index(self, tree: str | None = None) -> Iterator[Path]:
        """Yield an index of its own, which knows `tree` and nothing of the files on disk.

        A copy of the clone's index would know their times. But git tells a file that was written
        in the second of its last look by the time of the index file itself, which a copy has not.
        """
        with self.scratch() as folder:
            index = folder / "index"
            self.repository.must("read-tree", tree or "--empty", index=index)
            yield index

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a new folder inside the git directory; it goes at the end."""
        place = self.repository.common / FOLDER
        with tempfile.TemporaryDirectory(prefix="scratch-", dir=place) as folder:
            yield Path(folder)

    def empty_tree(self) -> str:
        """The tree without a file."""
        return self.repository.must("mktree", given=b"").out.strip()

    def tree(self, revision: str | None) -> str:
        """The tree of a commit; the empty one for None."""
        if revision is None:
            return self.empty_tree()
        return self.repository.must("rev-parse", "--verify", f"{revision}^{{tree}}").out.strip()

    def changes(
        self, old: str, new: str
    ) -> tuple[dict[str, Entry | None], dict[str, Entry | None]]:
        """What differs between two trees: what was there, what is there."""
        found = self.repository.must("diff-tree", "-r", "-z", "--no-renames", "--raw", old, new)
        before: dict[str, Entry | None] = {}
        after: dict[str, Entry | None] = {}
        words = iter(found.names)
        for head in words:
            path = next(words)
            old_mode, new_mode, old_oid, new_oid, _ = head.removeprefix(":").split(" ")
            before[path] = Entry(old_mode, old_oid) if old_mode != _NOTHING else None
            after[path] = Entry(new_mode, new_oid) if new_mode != _NOTHING else None
        return before, after

    def with_entries(self, tree: str, entries: Changes) -> str:
        """Return the tree that has `entries` in place of what `tree` had there."""
        if not entries:
            return tree
        with self.index(tree) as index:
            put(self.repository, entries, len(tree), index)
            return self.repository.must("write-tree", index=index).out.strip()

    def base(self, one: str | None, other: str | None) -> str | None:
        """A best common ancestor of two commits, or None."""
        if one is None or other is None:
            return None
        found = self.repository.run("merge-base", one, other)
        return found.out.split()[0] if found.ok and found.out.strip() else None

    def merge(self, base: str, ours: str, theirs: str, lang: str) -> tuple[str, Merged]:
        """Merge trees; return the result and how it came to be.

        Raises:
            Problem: as :meth:`Repository.must`.
        """
        before, mine = self.changes(base, ours)
        also_before, new = self.changes(base, theirs)
        top = self.repository.top
        listed = set(self.repository.must("ls-tree", "-r", "-z", "--name-only", ours).names)
        given: set[str] = set()

        def taken(path: str) -> bool:
            used = path in listed or path in new or path in given
            return used or os.path.lexists(top / path)

        def name(path: str) -> str:
            found = beside(path, lang, taken)
            given.add(found)
            return found

        merged = merge({**before, **also_before}, mine, new, self._content, name)
        return self.with_entries(ours, merged.entries), merged

    def _content(self, path: str, base: Entry, ours: Entry, theirs: Entry) -> str | None:
        versions = tuple(self.blob(entry.oid) for entry in (base, ours, theirs))
        if path.endswith(notebooks.SUFFIX):
            merged = self._merge_notebook(*versions)
        else:
            merged = self._merge_text(*versions)
        return None if merged is None else self.write(merged)

    def _merge_text(self, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
        """Merge with git's own three-way merge of lines. Raises Problem."""
        with self.scratch() as folder:
            result = git.merge_lines(folder, base, ours, theirs)
        if result.code is None or result.disk_full or result.code < 0:
            raise failure(result)
        return result.raw if result.ok else None  # else: conflicts, or not text

    def blob(self, oid: str) -> bytes:
        """A file's content as git has it."""
        return self.repository.must("cat-file", "blob", oid).raw

    def write(self, raw: bytes) -> str:
        """Store a file's content as it is."""
        return self.repository.must("hash-object", "-w", "--stdin", given=raw).out.strip()

    def commit(self, tree: str, parents: list[str], message: str, *options: str) -> str:
        """Make a commit. Raises Problem, as :meth:`Repository.must`."""
        words = [word for parent in parents for word in ("-p", parent)]
        text = (message + "\n").encode("utf-8", "replace")
        return self.repository.must(
            *options, "commit-tree", "-F", "-", *words, tree, given=text
        ).out.strip()

    def settle(self, commit: str, ours: str | None) -> None:
        """Make index and branch what the files are now."""
        repository = self.repository
        self.reset_index(commit)
        repository.must(
            "update-ref", "-m", "atelier-toolbar: merge",
            f"refs/heads/{repository.branch}", commit, ours or "0" * len(commit),
        )  # fmt: skip
        repository.run("update-index", "-q", "--refresh")

    def reset_index(self, tree: str) -> None:
        """Make the clone's index what a commit or tree has."""
        kept = self.repository.run("read-tree", "--reset", tree)  # with what it knows of the files
        if not kept.ok:  # told not to look at one of them, it refuses
            if kept.locked or kept.disk_full:
                raise failure(kept)
            self.repository.must("read-tree", tree)

    def tidy(self) -> None:
        """Let git pack its objects when they are many (git-gc(1)); a kill meanwhile is harmless."""
        repository = self.repository
        if len(list((repository.common / "objects" / "17").glob("*"))) > MANY:
            settings = ("-c", f"gc.auto={MANY * 256}", "-c", "gc.autoDetach=false")
            repository.run(*settings, "gc", "--auto", "--quiet", limits=TIDYING)


def put(repository: Repository, entries: Changes, oid_length: int, index: Path | None) -> None:
    """Write entries into an index, removals first."""
    gone = [f"0 {'0' * oid_length}\t{path}" for path, entry in entries.items() if entry is None]
    new = [f"{e.mode} {e.oid}\t{path}" for path, e in entries.items() if e is not None]
    repository.must(
        "update-index", "--replace", "-z", "--index-info", given=git.listed(gone + new), index=index
    )


def require_identity(repository: Repository, environment: Mapping[str, str] = os.environ) -> None:
    """Raise Problem `no_identity` unless git knows the learner's name and address."""
    known = repository.settings
    for what, variable in (("name", "NAME"), ("email", "EMAIL")):
        if known.get(f"user.{what}") or environment.get(f"GIT_AUTHOR_{variable}"):
            continue
        if not repository.run("var", "GIT_COMMITTER_IDENT").ok:
            raise Problem("no_identity")
