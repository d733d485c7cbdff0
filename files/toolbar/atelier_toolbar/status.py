"""How the clone, and the open file, stand to GitLab."""

from __future__ import annotations

import os
from typing import Any, Literal

from atelier_toolbar import locks, network
from atelier_toolbar.changes import Change, changes
from atelier_toolbar.exercises import check_address
from atelier_toolbar.merging import is_beside
from atelier_toolbar.problems import Problem
from atelier_toolbar.repository import Repository

State = Literal["saved", "here", "newer", "both", "new", "ignored", "kept_beside"]
ASK_WAIT_SECONDS = 5.0


def status(repository: Repository, path: str, *, ask: bool, strip: bool) -> dict[str, Any]:
    """Return the answer to `GET status`; `path` is git's name, empty or a folder's for no file."""
    gitlab, busy = _ask(repository) if ask else ("not asked", locks.is_busy(repository.common))
    found = changes(repository, strip=strip)
    head = repository.commit("HEAD")
    remote = repository.commit(repository.remote_ref) if repository.branch else None
    ahead, behind = _distance(repository, head, remote)
    is_file = path and not (repository.top / path).is_dir()
    state = _state(repository, path, found, head, remote) if is_file else None
    return {
        "repository": {
            "path": repository.contents_path(""),
            "branch": repository.branch,
            "web_url": repository.web_url,
        },
        "gitlab": gitlab,
        "ahead": ahead,
        "behind": behind,
        "file": {"path": repository.contents_path(path), "state": state} if state else None,
        "changes": [change.as_json(repository) for change in found],
        "busy": busy,
        "check": check_address(repository, path),
    }


def _ask(repository: Repository) -> tuple[str, bool]:
    """Ask GitLab: how that went, and whether another command kept us from it.

    The bar asks by itself too: what it has just begun is waited for.
    """
    if repository.branch is None or repository.remote is None:
        return "not asked", locks.is_busy(repository.common)
    try:
        with locks.operation(repository.common, wait=ASK_WAIT_SECONDS) as lock:
            repository.held = (lock,)
            try:
                network.fetch(repository, network.ASK)
            finally:
                repository.held = ()
    except Problem as problem:
        told = {"offline": "unreachable", "too_often": "unreachable", "denied": "denied"}
        return told.get(problem.code, "not asked"), problem.code == "busy"
    return "reached", False


def _distance(repository: Repository, head: str | None, remote: str | None) -> tuple[int, int]:
    """How many commits GitLab does not have, and how many we do not have."""
    if head == remote or head is None:
        return 0, 0
    if remote is None:
        return int(repository.must("rev-list", "--count", head).out), 0
    counts = repository.must("rev-list", "--left-right", "--count", f"{head}...{remote}")
    ahead, behind = counts.out.split()
    return int(ahead), int(behind)


def entry(repository: Repository, revision: str | None, path: str) -> str | None:
    """What a commit has at `path`: mode, kind and object, or None."""
    if revision is None:
        return None
    listed = repository.must("ls-tree", "-z", "--full-tree", revision, "--", path).out
    return listed.partition("\t")[0] or None


def _state(
    repository: Repository, path: str, found: list[Change], head: str | None, remote: str | None
) -> State:
    here = entry(repository, head, path)
    there = here if remote == head else entry(repository, remote, path)
    changed = any(path in (change.path, change.was) for change in found)
    if here is None and there is None:
        return _unsaved(repository, path)
    if head == remote:
        return "here" if changed else "saved"
    base = repository.run("merge-base", str(head), str(remote)).out.strip() if remote else None
    before = entry(repository, base or None, path)
    mine = changed or here != before
    newer = there != before and there != here
    if mine and here == there and not changed:  # the same on both sides
        mine = False
    if newer:
        return "both" if mine else "newer"
    return "here" if mine else "saved"


def _unsaved(repository: Repository, path: str) -> State:
    of = is_beside(path)
    if of is not None and os.path.lexists(repository.top / of):
        return "kept_beside"
    return "ignored" if repository.ignores(path) else "new"
