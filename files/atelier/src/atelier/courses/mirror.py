"""A course's repositories on the server: the mirror that is live, and where commits are staged.

Learners' servers read the mirror. A source is fetched into the staging repository, which borrows
the mirror's objects; the mirror's branch moves in one transaction, to a commit that has passed.
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
# git tidies the repository before it ends, not after: the run's lock is held as long.
_FOREGROUND = ["-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"]


@dataclass(frozen=True)
class Git:
    """How git is run.

    Attributes:
        lock: the run's lock, which git inherits.
        proxies: variables for sources that are elsewhere; the site's own GitLab is reached without.
    """

    lock: int | None = None
    proxies: Mapping[str, str] | None = None

    def repository(self, path: Path, *, outside: bool = False) -> Repository:
        """A repository on this server, for what is on the site or (``outside``) elsewhere."""
        repository = Repository(path, env=self.proxies if outside else None, lock=self.lock)
        repository.options += _FOREGROUND
        return repository


@dataclass(frozen=True)
class CommitFiles:
    """Files of a commit."""

    repository: Repository
    commit: str
    most: int
    """Larger files are cut, one byte after."""
    paths: frozenset[str]

    @classmethod
    def of(cls, repository: Repository, commit: str, most: int) -> CommitFiles:
        """List a commit's files."""
        listed = repository.run("ls-tree", "-r", "-z", "--name-only", commit)[1]
        return cls(repository, commit, most, frozenset(filter(None, listed.split("\0"))))

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return path in self.paths

    def read(self, path: str) -> bytes | None:
        """What is in a file, ``most`` bytes of it and one more; None when there is none."""
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
    """The repository that is live.

    Args:
        path: where it is.
        git: how git is run.
    """

    def __init__(self, path: Path, git: Git) -> None:
        self.path = path
        self._git = git
        self.repository = git.repository(path)

    @property
    def objects(self) -> Path:
        """Where its objects are."""
        return self.path / "objects"

    def commit(self) -> str | None:
        """The commit that is live; None when there is none."""
        return self.repository.tip(HEAD) if self.repository.exists() else None

    def tidy(self) -> None:
        """Remove what a run that was killed left: git's locks, and a mirror half made.

        Only the holder of the run's lock may: git's locks are then nobody's.
        """
        _remove_locks(self.path)
        for left in self.path.parent.glob(f".{self.path.name}.*"):
            shutil.rmtree(left, ignore_errors=True)

    def move(self, staging: Path, commit: str, before: str | None) -> None:
        """Make a staged commit the live one.

        Args:
            staging: the repository whose branch leads to it.
            commit: the commit.
            before: the one that is live.

        Raises:
            GitError: git fails, or another commit is live by now.
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
        """Make the mirror beside its place, then rename it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():  # without a branch: nobody can have used it
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
    """The repository that commits are fetched into and checked in.

    Args:
        path: where it is.
        git: how git is run.
    """

    def __init__(self, path: Path, git: Git) -> None:
        self.path = path
        self.here = git.repository(path)
        """For this server and the site's own GitLab."""
        self.outside = git.repository(path, outside=True)
        """For the source."""

    @property
    def objects(self) -> Path:
        """Where its objects are."""
        return self.path / "objects"

    def commit(self) -> str | None:
        """The staged commit; None when there is none."""
        return self.here.tip(HEAD) if self.here.exists() else None

    def open(self, borrowed: Iterable[Path]) -> None:
        """Make the repository, or the one there ready.

        Args:
            borrowed: folders of objects that need not be fetched.
        """
        there = [str(one) for one in borrowed if one.is_dir()]
        alternates = self.objects / "info" / "alternates"
        was = _lines(alternates)
        if self.here.exists() and set(was) <= set(there):
            _remove_locks(self.path)
        else:  # what it had borrowed is gone
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True, mode=0o700)
            self.here.create(BRANCH)
        if was != there or not alternates.exists():
            alternates.parent.mkdir(exist_ok=True)
            alternates.write_text("".join(f"{one}\n" for one in there), encoding="utf-8")

    def stage(self, commit: str) -> None:
        """Make the branch lead to a commit."""
        self.here.run("update-ref", HEAD, commit)

    def forget_borrowed(self) -> None:
        """Drop the objects that the mirror has by now."""
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
