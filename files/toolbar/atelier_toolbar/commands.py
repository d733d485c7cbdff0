"""The commands of the toolbar, each for one request. They block: run them in a thread."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from atelier_toolbar import locks, notebooks
from atelier_toolbar.changes import changes
from atelier_toolbar.objects import Objects
from atelier_toolbar.problems import Problem
from atelier_toolbar.proposal import message as proposed
from atelier_toolbar.proposal import one_line
from atelier_toolbar.pull import Puller, Say
from atelier_toolbar.repository import Repository, find
from atelier_toolbar.resume import resume
from atelier_toolbar.save import Rules, Saver
from atelier_toolbar.settings import Toolbar
from atelier_toolbar.status import entry
from atelier_toolbar.status import status as status_of
from atelier_toolbar.usage import full_space
from atelier_toolbar.worktree import Worktree

NO_REPOSITORY: dict[str, Any] = {
    "repository": None, "gitlab": "not asked", "ahead": 0, "behind": 0,
    "file": None, "changes": [], "busy": False, "check": None,
}  # fmt: skip


def language(asked: str) -> str:
    """`fr` or `en`: what is asked for, else what the machine's locale says."""
    lang = asked or os.environ.get("LANG", "")
    return "fr" if lang.lower().startswith("fr") else "en"


def status(root: Path, path: str, toolbar: Toolbar, *, ask: bool) -> dict[str, Any]:
    """Return the answer to `GET status`. Raises Problem."""
    try:
        repository, own = find(root, path)
    except Problem as problem:
        if problem.code == "not_a_clone":
            return {**NO_REPOSITORY, "space": full_space(root)}
        raise
    found = status_of(repository, own, ask=ask, strip=toolbar.strip)
    return {**found, "space": full_space(root)}


def proposal(root: Path, path: str, toolbar: Toolbar, lang: str) -> dict[str, Any]:
    """Return the answer to `GET proposal`. Raises Problem."""
    repository, own = find(root, path)
    found = changes(repository, strip=toolbar.strip)
    return {"message": proposed(found, own, language(lang))}


def view(root: Path, path: str) -> dict[str, Any]:
    """Return the answer to `GET view`. Raises Problem."""
    repository, own = find(root, path)
    remote = repository.commit(repository.remote_ref) if repository.branch else None
    saved = remote is not None if own == "" else entry(repository, remote, own) is not None
    return {"url": repository.file_url(own), "saved": saved}


@contextlib.contextmanager
def _at_work(root: Path, asked: Mapping[str, Any], say: Say) -> Iterator[tuple[Puller, str]]:
    """Be alone on the clone that the request names, with what killed commands left cleared.

    Raises:
        Problem: `bad_name`, `not_a_clone`, `busy`, `no_branch`, `unfinished`.
    """
    repository, _ = find(root, asked["path"])
    lang = language(asked.get("lang", ""))
    try:
        with locks.operation(repository.common) as lock:
            repository.held = (lock,)
            locks.clear(repository.git_dir, repository.common, repository.top)
            if repository.remote is None:
                raise Problem("not_a_clone", path=asked["path"])
            if repository.branch is None:
                begun = repository.unfinished  # a rebase takes HEAD off its branch meanwhile
                raise Problem("unfinished", operation=begun) if begun else Problem("no_branch")
            objects = Objects(repository, merge_notebook())
            Worktree(objects, lang).recover()
            puller = Puller(objects, lang, say)
            try:
                puller.brought = resume(objects, lang)
                yield puller, lang
            except Problem as problem:
                problem.details |= puller.brought.as_json(repository)
                raise
            objects.tidy()
    except OSError as error:
        if error.errno in locks.FULL:
            raise Problem("disk_full") from None
        raise


def merge_notebook() -> notebooks.Merge:
    """How notebooks are merged: in a process of their own."""
    return notebooks.merge_apart


def save(root: Path, asked: Mapping[str, Any], toolbar: Toolbar, say: Say) -> dict[str, Any]:
    """Do what `POST save` asks and return its result. Raises Problem."""
    with _at_work(root, asked, say) as (puller, lang):
        repository: Repository = puller.repository
        files = asked.get("files")
        wanted = None if files is None else [repository.own_path(name) for name in files]
        message = one_line(asked.get("message", ""))
        if not message:
            found = changes(repository, strip=toolbar.strip)
            if wanted is not None:
                found = [one for one in found if {one.path, one.was} & set(wanted)]
            message = proposed(found, repository.own_path(asked["path"]), lang)
        saver = Saver(puller, Rules(toolbar.strip, toolbar.max_bytes), say)
        return saver.save(message, wanted)


def pull(root: Path, asked: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Do what `POST pull` asks and return its result. Raises Problem."""
    with _at_work(root, asked, say) as (puller, _):
        puller.bring()
        brought = puller.brought
        told = brought.as_json(puller.repository)
        up_to_date = not brought.changed and not brought.merged and not brought.kept
        return {"updated": told["reload"], "up_to_date": up_to_date, **told}
