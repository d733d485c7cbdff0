"""The clone a file lies in: where it is, its branch, its GitLab project, names of its files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from atelier_toolbar import git
from atelier_toolbar.problems import Problem

_HEAD = re.compile(rb"(ref: refs/\S+|[0-9a-f]{40}([0-9a-f]{24})?)\s*\Z")
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^/:]+):(?P<path>(?!//).+)")
_UNFINISHED = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


@dataclass
class Repository:
    """A clone, and how its files are called in Jupyter whose root folder is `root`."""

    root: Path
    top: Path
    git_dir: Path
    common: Path
    held: tuple[int, ...] = field(default=())
    """The operation's lock, which every git we start keeps open too."""

    def run(
        self,
        *arguments: str,
        given: bytes | None = None,
        index: Path | None = None,
        limits: git.Limits = git.LOCAL,
    ) -> git.Result:
        """Run git at the top of the clone, on an index of its own when given one."""
        extra = {"GIT_INDEX_FILE": str(index)} if index else None
        return git.run(
            self.top, *arguments, given=given, limits=limits, extra=extra, held=self.held
        )

    def must(
        self,
        *arguments: str,
        given: bytes | None = None,
        index: Path | None = None,
        limits: git.Limits = git.LOCAL,
    ) -> git.Result:
        """Run a git command that can only fail for reasons of the machine's.

        Raises:
            Problem: `disk_full`, `busy` or `failed`.
        """
        result = self.run(*arguments, given=given, index=index, limits=limits)
        if not result.ok:
            raise failure(result)
        return result

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """Git's settings here, the last value of each; sections and names in small letters."""
        found = {}
        for item in self.must("config", "--list", "-z").names:
            name, _, value = item.partition("\n")
            found[name] = value
        return found

    @cached_property
    def branch(self) -> str | None:
        """The branch HEAD is on, or None when it is on none."""
        name = self.run("symbolic-ref", "--quiet", "HEAD").out.rstrip("\n")
        return name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else None

    @property
    def remote(self) -> str | None:
        """The remote that the branch goes to: its own, else `origin`, else None."""
        own = self.settings.get(f"branch.{self.branch}.remote", "origin")
        return next((r for r in (own, "origin") if f"remote.{r}.url" in self.settings), None)

    @property
    def remote_branch(self) -> str:
        """What the branch is called in GitLab."""
        merge = self.settings.get(f"branch.{self.branch}.merge", "")
        own = self.settings.get(f"branch.{self.branch}.remote") == self.remote
        return merge.removeprefix("refs/heads/") if own and merge else str(self.branch)

    @property
    def remote_ref(self) -> str:
        """The reference that holds what was last known of GitLab's branch."""
        return f"refs/remotes/{self.remote}/{self.remote_branch}"

    @property
    def web_url(self) -> str | None:
        """The project's page in GitLab, or None when there is none to be known."""
        return web_address(self.settings.get(f"remote.{self.remote}.url", ""))

    def file_url(self, path: str) -> str | None:
        """The file's page in GitLab, at the branch."""
        base = self.web_url
        if base is None or self.branch is None:
            return None
        kind = "blob" if path else "tree"
        return f"{base}/-/{kind}/{_in_address(self.remote_branch)}/{_in_address(path)}".rstrip("/")

    def commit_url(self, commit: str) -> str | None:
        """The commit's page in GitLab."""
        return f"{self.web_url}/-/commit/{commit}" if self.web_url else None

    def commit(self, revision: str) -> str | None:
        """The commit a reference points to, or None."""
        result = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return result.out.strip() if result.ok else None

    @property
    def unfinished(self) -> str | None:
        """What somebody began in a terminal and has not ended: `merge`, `rebase`, ..."""
        for name, operation in _UNFINISHED.items():
            if os.path.lexists(self.git_dir / name):
                return operation
        return None

    def ignores(self, path: str) -> bool:
        """Whether a file is there that git is told not to see."""
        options = ("--others", "--ignored", "--exclude-standard", "-z")
        return path in self.run("ls-files", *options, "--", path).names

    def contents_path(self, path: str) -> str:
        """What Jupyter calls a file of the clone."""
        return os.path.relpath(self.top / path, self.root)

    def own_path(self, contents_path: str) -> str:
        """What git calls a file that Jupyter calls `contents_path`; empty for the clone's top.

        Raises:
            Problem: `bad_name`, it is not in this clone.
        """
        place = Path(os.path.normpath(self.root / contents_path.strip("/")))
        return self._own(place, contents_path)

    def _own(self, place: Path, contents_path: str) -> str:
        try:
            parent = Path(os.path.realpath(place.parent))
            whole = parent / place.name if place != self.top else self.top
            path = "" if whole == self.top else str(whole.relative_to(self.top))
        except ValueError:
            raise Problem("bad_name", path=contents_path) from None
        if not is_safe(path):
            raise Problem("bad_name", path=contents_path)
        return path


def is_safe(path: str) -> bool:
    """Whether git would take `path` (relative, with slashes) for a file of a work tree."""
    parts = path.split("/")
    return path == "" or not any(
        part in ("", ".", "..") or part.lower() == ".git" or "\0" in part for part in parts
    )


def _in_address(path: str) -> str:
    return quote(os.fsencode(path), safe="/")


def web_address(remote_url: str) -> str | None:
    """The page of the project that git reaches at `remote_url`, without user name or password.

    >>> web_address("https://oauth2:secret@gitlab.example.org/u1/demo.git")
    'https://gitlab.example.org/u1/demo'
    >>> web_address("git@gitlab.example.org:u1/demo.git")
    'https://gitlab.example.org/u1/demo'
    """
    parts = urlsplit(remote_url)
    if parts.scheme in ("http", "https") and parts.hostname:
        host, path, scheme = parts.netloc.rpartition("@")[2], parts.path, parts.scheme
    elif parts.scheme == "ssh" and parts.hostname:
        host, path, scheme = parts.hostname, parts.path, "https"
    elif not parts.scheme and (short := _SCP.fullmatch(remote_url)):
        host, path, scheme = short["host"], short["path"], "https"
    else:
        return None
    return f"{scheme}://{host}/{path.strip('/').removesuffix('.git')}"


def failure(result: git.Result) -> Problem:
    """What to say of a git command that failed though nothing was wrong with what it was told."""
    if result.disk_full:
        return Problem("disk_full")
    if result.locked:
        return Problem("busy", detail=result.reason)
    return Problem("failed", detail=result.reason)


def _is_git_dir(inside: Path) -> bool:
    """The rule git itself uses (setup.c)."""
    try:
        head = (inside / "HEAD").read_bytes()
    except OSError:
        return False
    return bool(_HEAD.match(head)) and (inside / "objects").is_dir() and (inside / "refs").is_dir()


def find(root: Path, contents_path: str) -> tuple[Repository, str]:
    """Return the clone that Jupyter's file or folder lies in, and what git calls it there.

    Args:
        root: Jupyter's root folder.
        contents_path: relative to it, as the contents API gives it.

    Raises:
        Problem: `bad_name` for a path out of `root`, `not_a_clone`.
    """
    asked = PurePosixPath(contents_path.strip("/"))
    if ".." in asked.parts or "\0" in contents_path:
        raise Problem("bad_name", path=contents_path)
    root = Path(os.path.realpath(root))
    place = root / asked
    folder = place if place.is_dir() and not place.is_symlink() else place.parent
    folder = Path(os.path.realpath(folder))
    for top in (folder, *folder.parents):
        inside = top / ".git"
        if inside.is_dir() and _is_git_dir(inside):
            repository = Repository(root, top, inside, inside)
            break
        if inside.is_file():  # a worktree or a submodule
            repository = _of_file(root, top)
            break
    else:
        raise Problem("not_a_clone", path=contents_path)
    return repository, repository.own_path(contents_path)


def _of_file(root: Path, top: Path) -> Repository:
    absolute = ("rev-parse", "--path-format=absolute")
    git_dir = git.lines(top, *absolute, "--git-dir")
    common = git.lines(top, *absolute, "--git-common-dir")
    if not git_dir or not common:
        raise Problem("not_a_clone", path=os.path.relpath(top, root))
    return Repository(root, top, Path(git_dir[0]), Path(common[0]))
