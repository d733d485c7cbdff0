"""Talking to GitLab: fetch and push, and what went wrong in terms of the front's codes."""

from __future__ import annotations

from typing import Literal

from atelier_toolbar import git
from atelier_toolbar.problems import Code, Problem
from atelier_toolbar.repository import Repository

FETCH = git.Limits(first_word=8, total=120)
PUSH = git.Limits(first_word=15, total=300)  # GitLab's own checks are silent for a while
ASK = git.Limits(first_word=8, total=30)  # the helper may need five to ask for a credential

_DENIED = (
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "told us to quit",
    "Access denied",
    "You are not allowed to",
    "don't have permission",
    "Permission denied (publickey",
    "returned error: 401",
    "returned error: 403",
    "returned error: 404",
)
_OFFLINE = (
    "unable to access",
    "Could not resolve host",
    "Failed to connect",
    "Couldn't connect",
    "Connection refused",
    "Connection reset",
    "timed out",
    "Operation too slow",
    "RPC failed",
    "early EOF",
    "hung up",
    "unexpected disconnect",
    "Empty reply",
    "transfer closed",
    "does not appear to be a git repository",  # a file system that is not there
)
_MOVED = (
    "(fetch first)",
    "(non-fast-forward)",
    "(stale info)",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
)
# Words of git's helper in the course image, which then tells git to quit.
_HELPER_AWAY = "GitLab does not answer at the moment"
_HELPER_TOO_OFTEN = "Too many requests to GitLab"
_TOO_MUCH = "pack exceeds maximum allowed size"
_NO_BRANCH = "couldn't find remote ref"

Fetched = Literal["reached", "empty"]


def words(result: git.Result) -> str:
    """What the server said, else git's last line; never with a user name or password."""
    said = [
        line.partition("remote:")[2].strip()
        for line in result.err.replace("\r", "\n").splitlines()
        if line.startswith("remote:") and not line.rstrip().endswith("%")
    ]
    text = " ".join(line for line in said if line) or result.reason
    return git.without_user(text)[:1000]


def problem(result: git.Result) -> Problem:
    """Say why git could not do what needs GitLab."""
    code: Code
    text = result.err + result.out
    if result.code is None:
        code = "offline"
    elif result.disk_full:
        return Problem("disk_full")
    elif _TOO_MUCH in text:
        code = "too_much"
    elif "[remote rejected]" in text or "pre-receive hook declined" in text:
        code = "refused"  # whoever is refused a push has been let in
    elif _HELPER_TOO_OFTEN in text:
        code = "too_often"
    elif _HELPER_AWAY in text:
        code = "offline"
    elif any(sign in text for sign in _DENIED):
        code = "denied"
    elif any(sign in text for sign in _OFFLINE):
        code = "offline"
    elif result.locked:
        code = "busy"
    else:
        code = "failed"
    return Problem(code, detail=words(result))


def fetch(repository: Repository, limits: git.Limits = FETCH) -> Fetched:
    """Bring what GitLab has of the branch; `empty` when it has no such branch.

    Raises:
        Problem: `offline`, `too_often`, `denied`, `busy`, `disk_full`, `failed`.
    """
    ref = f"+refs/heads/{repository.remote_branch}:{repository.remote_ref}"
    result = repository.run(
        "fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--",
        str(repository.remote), ref, limits=limits,
    )  # fmt: skip
    if result.ok:
        return "reached"
    if _NO_BRANCH in result.err:
        return "empty"
    raise problem(result)


def push(repository: Repository, commit: str) -> bool:
    """Send a commit to GitLab's branch, never by force; False when GitLab has moved on.

    Raises:
        Problem: `offline`, `too_often`, `denied`, `refused`, `too_much`, `disk_full`, `failed`.
    """
    result = repository.run(
        "push", "--porcelain", "--progress", "--no-verify", "--",
        str(repository.remote), f"{commit}:refs/heads/{repository.remote_branch}",
        limits=PUSH,
    )  # fmt: skip
    if result.ok:
        # also where the clone's own settings would not have it noted
        repository.must("update-ref", repository.remote_ref, commit)
        return True
    text = result.out + result.err
    if any(sign in text for sign in _MOVED):
        return False
    raise problem(result)
