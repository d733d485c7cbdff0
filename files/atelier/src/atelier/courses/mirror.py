"""A course's repositories on the server: the live mirror, and the staging repository.

Learners' servers read the mirror. A source is fetched into the staging repository, which uses the
mirror's objects as alternates. The mirror's branch moves to a checked commit in one transaction.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atelier.courses.git import PRIVATE, GitError, Repository

BRANCH = "main"
HEAD = f"refs/heads/{BRANCH}"
NEXT = f"{PRIVATE}/next"
_LOCKS = ("HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock")
# Run git's maintenance in the foreground, so that it ends before the run releases its lock.
_FOREGROUND = ["-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"]


@dataclass(frozen=True)
class Git:
    """Settings for running git.

    Attributes:
        lock: file of the run's lock, which git inherits.
        proxies: environment variables for external sources; not used for the site's GitLab.
    """

    lock: int | None = None
    proxies: Mapping[str, str] | None = None

    def repository(self, path: Path, *, outside: bool = False) -> Repository:
        """Return a repository for git commands within the site or (``outside``) with proxies."""
        repository = Repository(path, env=self.proxies if outside else None, lock=self.lock)
        repository.options += _FOREGROUND
        return repository


@dataclass(frozen=True)
class CommitFiles:
    """Files of a commit."""

    repository: Repository
    commit: str
    most: int
    """Files larger than this are cut at ``most + 1`` bytes."""
    paths: frozenset[str]

    @classmethod
    def of(cls, repository: Repository, commit: str, most: int) -> CommitFiles:
        """List a commit's files."""
        listed = repository.run("ls-tree", "-r", "-z", "--name-only", commit)[1]
        return cls(repository, commit, most, frozenset(filter(None, listed.split("\0"))))

    def has(self, path: str) -> bool:
        """Return whether the commit has the file."""
        return path in self.paths

    def read(self, path: str) -> bytes | None:
        """Return the first ``most + 1`` bytes of a file; None if there is no such file."""
        if path not in self.paths:
            return None
        process = subprocess.Popen(  # noqa: S603 (a fixed program, no shell)
            ["git", "--git-dir", str(self.repository.path), "cat-file", "blob",  # noqa: S607
             f"{self.commit}:{path}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with process:
            assert process.stdout is not None  # noqa: S101 (PIPE, see above)
            content = process.stdout.read(self.most + 1)
            if len(content) > self.most:
                process.kill()
        return content


class Mirror:
    """The live repository.

    Args:
        path: path of the bare repository.
        git: settings for running git.
    """

    def __init__(self, path: Path, git: Git) -> None:
        self.path = path
        self._git = git
        self.repository = git.repository(path)

    @property
    def objects(self) -> Path:
        """Folder of the repository's objects."""
        return self.path / "objects"

    def commit(self) -> str | None:
        """Return the live commit, or None."""
        return self.repository.tip(HEAD) if self.repository.exists() else None

    def tidy(self) -> None:
        """Remove git's lock files and unfinished mirrors of a killed run.

        Call it only with the run's lock held, which guarantees that no git process uses them.
        """
        _remove_locks(self.path)
        for left in self.path.parent.glob(f".{self.path.name}.*"):
            shutil.rmtree(left, ignore_errors=True)

    def move(self, staging: Path, commit: str, before: str | None) -> None:
        """Move the mirror's branch to a staged commit.

        Args:
            staging: path of the repository whose branch points to the commit.
            commit: the commit.
            before: the live commit; None: there is no mirror yet.

        Raises:
            GitError: git fails, or ``before`` is no longer the live commit.
        """
        if before is None:
            self._make(staging)
            return
        if not self.repository.has(commit):
            self.repository.run(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(staging),
                f"+{HEAD}:{NEXT}",
            )  # fmt: skip
        commands = ["start", f"update {HEAD} {commit} {before}"]
        if self.repository.tip(NEXT) is not None:
            commands.append(f"delete {NEXT}")
        commands += ["prepare", "commit"]
        self.repository.run("update-ref", "--stdin", stdin="\n".join(commands) + "\n")

    def _make(self, staging: Path) -> None:
        """Create the mirror in a temporary folder, then rename it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():  # it has no branch, so it is not in use
            shutil.rmtree(self.path)
        folder = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=self.path.parent))
        try:
            new = self._git.repository(folder / "new")
            new.create(BRANCH)
            new.run(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(staging),
                f"{HEAD}:{HEAD}",
            )  # fmt: skip
            new.path.chmod(0o755)
            new.path.rename(self.path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Staging:
    """The repository into which commits are fetched and in which they are checked.

    Args:
        path: path of the bare repository.
        git: settings for running git.
    """

    def __init__(self, path: Path, git: Git) -> None:
        self.path = path
        self.here = git.repository(path)
        """For commands on this server and with the site's GitLab."""
        self.outside = git.repository(path, outside=True)
        """For commands with the source."""

    @property
    def objects(self) -> Path:
        """Folder of the repository's objects."""
        return self.path / "objects"

    def commit(self) -> str | None:
        """Return the staged commit, or None."""
        return self.here.tip(HEAD) if self.here.exists() else None

    def open(self, borrowed: Iterable[Path]) -> None:
        """Create the repository, or prepare the existing one.

        Args:
            borrowed: folders of objects to use as alternates; missing ones are ignored.
        """
        there = [str(one) for one in borrowed if one.is_dir()]
        alternates = self.objects / "info" / "alternates"
        was = _lines(alternates)
        if self.here.exists() and set(was) <= set(there):
            _remove_locks(self.path)
        else:  # the repository or a folder that it borrowed from is missing
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True, mode=0o700)
            self.here.create(BRANCH)
        if was != there or not alternates.exists():
            alternates.parent.mkdir(exist_ok=True)
            alternates.write_text("".join(f"{one}\n" for one in there), encoding="utf-8")

    def stage(self, commit: str) -> None:
        """Set the branch to a commit."""
        self.here.run("update-ref", HEAD, commit)

    def forget_borrowed(self) -> None:
        """Delete the objects that the mirror also has."""
        with suppress(GitError):
            self.here.run("repack", "-a", "-d", "-l", "-q")


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text(encoding="utf-8").splitlines()
    return []


def _remove_locks(path: Path) -> None:
    with suppress(OSError):
        for name in _LOCKS:
            (path / name).unlink(missing_ok=True)
        for folder, _names, files in os.walk(path / "refs"):
            for name in files:
                if name.endswith(".lock"):
                    (Path(folder) / name).unlink(missing_ok=True)
