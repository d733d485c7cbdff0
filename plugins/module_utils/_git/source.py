# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Gets a course's commits from a branch of a git repository, or makes them from a directory.

This file is shared: module ``git_mirror`` uses it as ``module_utils``, the server's command
``atelier-course`` as ``atelier.courses.source``. No function here updates a branch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .git import GitError, Repository, check_address


@dataclass(frozen=True)
class Author:
    """Author and message of commits that are made from a directory."""

    name: str = "Atelier"
    email: str = "atelier@localhost"
    message: str = "Update the course's files"

    def environment(self) -> dict[str, str]:
        """Return environment variables for ``git commit-tree``."""
        return {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self.name), ("EMAIL", self.email))
        }


def branch_tip(repository: Repository, address: str, branch: str) -> str:
    """Return the head commit of the source's branch.

    Raises:
        GitError: the source cannot be read, or has no such branch.
    """
    check_address(address)
    tip = repository.remote_tip(address, branch)
    if tip is None:
        raise GitError(
            f"The repository {address} has no branch {branch}.",
            "no_branch",
            address=address,
            branch=branch,
        )
    return tip


def fetch_branch(
    repository: Repository, address: str, branch: str, before: str | None, published: Path
) -> str:
    """Fetch the source's branch into ``repository``; return its commit.

    Args:
        repository: receives the objects; its branches stay unchanged.
        address: the source.
        branch: its branch.
        before: the published commit, which the source must still contain.
        published: path of the repository that has ``before``, for the error message.

    Raises:
        GitError: the source cannot be read, or its history was rewritten.
    """
    tip = repository.fetch(address, branch, "source")
    if before is not None and not repository.is_ancestor(before, tip):
        raise GitError(
            f"The branch {branch} of {address} does not contain commit {before[:12]} any more, "
            "which learners' forks were made from: its history was rewritten, or the course "
            "changed its source. Bring that commit back into the branch (merge it, do not "
            f"rebase), for example from {published}.",
            "rewritten",
            branch=branch,
            address=address,
            commit=before[:12],
            path=str(published),
        )
    return tip


def newer_tip(
    repository: Repository, address: str, branch: str, before: str | None, options: list[str]
) -> str | None:
    """Return the commit published at ``address`` if it is newer than ``before``, else ``None``."""
    check_address(address)
    tip = repository.remote_tip(address, branch, options)
    if tip is None or tip == before:
        return None
    if not repository.has(tip):
        # Also in check mode: the fetched objects are only referenced by a private name.
        repository.fetch(address, branch, "base", options)
    newer = before is None or repository.is_ancestor(before, tip)
    return tip if newer else None


def directory_tree(repository: Repository, directory: Path, dry_run: bool = False) -> str:
    """Write the directory's files as a git tree; return its id. A dry run keeps no objects.

    Raises:
        GitError: the directory does not exist or is empty.
    """
    if not directory.is_dir():
        raise GitError(
            f"There is no directory {directory} on the server.",
            "no_directory",
            directory=str(directory),
        )
    with tempfile.TemporaryDirectory() as scratch:
        env = {"GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": f"{scratch}/index"}
        if dry_run:
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(repository.path / "objects")
            env["GIT_OBJECT_DIRECTORY"] = f"{scratch}/objects"
            Path(scratch, "objects").mkdir()
        # git add needs a work tree, which a bare repository refuses.
        options = ["-c", "core.bare=false"]
        repository.run("add", "--all", "--", str(directory), options=options, env=env)
        if not repository.run("ls-files", options=options, env=env)[1]:
            raise GitError(
                f"The directory {directory} holds no file for the course.",
                "empty_directory",
                directory=str(directory),
            )
        return repository.run("write-tree", env=env)[1]


@dataclass(frozen=True)
class Step:
    """The commit with a directory's files: an existing one, or a new one on top of ``parent``."""

    commit: str | None
    parent: str | None = None
    tree: str = ""

    def make(self, repository: Repository, author: Author) -> str:
        """Return the commit, which is created if needed; no branch refers to it yet."""
        if self.commit is not None:
            return self.commit
        parents = ["-p", self.parent] if self.parent else []
        env: Mapping[str, str] = author.environment()
        return repository.run("commit-tree", self.tree, *parents, "-m", author.message, env=env)[1]


def directory_step(
    repository: Repository,
    directory: Path,
    before: str | None,
    newer: Callable[[], str | None],
    address: str | None,
    dry_run: bool = False,
) -> Step:
    """Find or prepare the commit with a directory's files.

    Args:
        repository: receives the objects; has ``before``.
        directory: the files.
        before: the commit that is published in ``repository``.
        newer: returns a newer commit that is published at ``address``; see :func:`newer_tip`.
        address: the other repository, for the error message.
        dry_run: keep no objects.

    Raises:
        GitError: the directory is unusable, or both the directory and the repository at ``address``
            have changed.
    """
    tree = directory_tree(repository, directory, dry_run)
    if before is not None and repository.tree_of(before) == tree:
        return Step(before)
    published = newer()
    if published is None:
        return Step(None, before, tree)
    if repository.tree_of(published) == tree:
        return Step(published)
    if before is not None:
        raise GitError(
            f"The template at {address} has commits that the course's directory "
            f"has not (the latest is {published[:12]}), and the directory has changed too. "
            "Nothing was published and nothing is lost. Copy the template's files into the "
            "directory, run this again, then make your changes.",
            "directory_behind",
            address=str(address),
            commit=published[:12],
        )
    return Step(None, published, tree)
