"""Making commits in a bare repository, without a work tree."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitlab_standin.git.command import GitError
from gitlab_standin.git.repository import Repository

ZERO = "0" * 40


class ChangeError(Exception):
    """A change that cannot be made; the text is GitLab's."""


@dataclass(frozen=True)
class Action:
    """One file's change, as in the commits API."""

    action: str
    path: str
    content: bytes = b""
    previous_path: str | None = None
    last_commit_id: str | None = None
    executable: bool | None = None


@dataclass(frozen=True)
class Person:
    """Author or committer."""

    name: str
    email: str


def _check_path(path: str) -> None:
    parts = path.split("/")
    if (
        not path
        or path.startswith("/")
        or any(p in {"", ".", "..", ".git"} for p in parts)
        or "\0" in path
    ):
        raise ChangeError("invalid path")


def _forget(repo: Repository, env: dict[str, str], path: str) -> None:
    line = f"0 {ZERO}\t{path}\0".encode()
    repo.git("update-index", "-z", "--index-info", stdin=line, env=env)


def _apply(repo: Repository, index: dict[str, str], action: Action, base: str | None) -> None:
    env = index
    _check_path(action.path)
    present = repo.git("--literal-pathspecs", "ls-files", "-z", "-s", "--", action.path, env=env)
    mode = present.split(b" ", 1)[0].decode() if present else "100644"
    exists = present.endswith(b"\t" + action.path.encode() + b"\0")
    if action.last_commit_id and base and action.action in {"update", "delete", "move"}:
        latest = repo.log(base, path=action.path, limit=1)
        if latest and not latest[0].id.startswith(action.last_commit_id):
            raise ChangeError(
                "You are attempting to update a file that has changed since you started editing it."
            )
    if action.action == "create" and present:
        raise ChangeError("A file with this name already exists")
    if action.action in {"update", "delete", "chmod"} and not exists:
        raise ChangeError("A file with this name doesn't exist")
    content: bytes | None = action.content
    if action.action == "move":
        previous = action.previous_path or ""
        _check_path(previous)
        old = repo.git("--literal-pathspecs", "ls-files", "-z", "-s", "--", previous, env=env)
        if not old:
            raise ChangeError("A file with this name doesn't exist")
        mode, sha = old.split(b" ")[0].decode(), old.split(b" ")[1].decode()
        if not action.content:
            content = None
        _forget(repo, env, previous)
    if action.action == "delete":
        _forget(repo, env, action.path)
        return
    if action.action == "chmod":
        mode = "100755" if action.executable else "100644"
        sha = present.split(b" ")[1].decode()
    elif content is not None:
        sha = repo.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
    line = f"{mode} {sha}\t{action.path}\0".encode()
    repo.git("update-index", "--add", "-z", "--index-info", stdin=line, env=env)


def update_ref(repo: Repository, branch: str, new: str, old: str | None) -> None:
    """Move a branch, only if it is still where it was."""
    try:
        repo.git("update-ref", f"refs/heads/{branch}", new, old or ZERO)
    except GitError as error:
        raise ChangeError("Could not update branch. Please try again.") from error


def commit_tree(
    repo: Repository,
    tree: str,
    parents: Sequence[str],
    message: str,
    author: Person,
    committer: Person,
) -> str:
    """Write a commit object; returns its id."""
    arguments = ["commit-tree", tree]
    for parent in parents:
        arguments += ["-p", parent]
    env = {
        "GIT_AUTHOR_NAME": author.name or author.email,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": committer.name or committer.email,
        "GIT_COMMITTER_EMAIL": committer.email,
    }
    return repo.git(*arguments, stdin=message.encode(), env=env).decode().strip()


def commit_actions(
    repo: Repository,
    *,
    branch: str,
    base: str | None,
    old: str | None,
    actions: Sequence[Action],
    message: str,
    author: Person,
    committer: Person,
) -> str:
    """Apply actions on top of ``base`` and move ``branch`` (now at ``old``) there.

    Returns the commit's id.
    """
    with tempfile.TemporaryDirectory(prefix="gitlab-index-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        repo.git("read-tree", base or "--empty", env=env)
        for action in actions:
            _apply(repo, env, action, base)
        tree = repo.git("write-tree", env=env).decode().strip()
    parents = [base] if base else []
    commit = commit_tree(repo, tree, parents, message, author, committer)
    update_ref(repo, branch, commit, old)
    return commit


def merge_tree(repo: Repository, ours: str, theirs: str) -> str | None:
    """Tree of the merge, None when it conflicts."""
    try:
        return repo.git("merge-tree", "--write-tree", ours, theirs).decode().split("\n")[0]
    except GitError:
        return None
