# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Creates learners' forks of a template, one at a time.

No Ansible import: the desk uses this file, too.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

with contextlib.suppress(ImportError):  # reported by connection.library_problem()
    import gitlab.exceptions

from .calls import CONFLICT, Calls, LearnerError, path_of

LEVELS = {"guest": 10, "planner": 15, "reporter": 20, "developer": 30, "maintainer": 40}
"""GitLab's roles that staff may have in a fork."""

VISIBILITIES = ("private", "internal", "public")
IMPORT_DONE = frozenset({"finished", "none"})
IMPORT_FAILED = frozenset({"failed", "canceled"})

FIRST_LOOK = 0.15
LONGEST_PAUSE = 3.0

_SCHEDULED = re.compile(r"(?P<path>.+)-(?:deletion_scheduled|deleted)-\d+")


class TookTooLongError(LearnerError):
    """GitLab did not finish within the time limit; nothing is lost, and a later run continues."""


@dataclass(frozen=True, slots=True)
class Template:
    """The project that is forked."""

    id: int
    path: str
    visibility: str
    branch: str


@dataclass(frozen=True, slots=True)
class Fork:
    """The relevant properties of a fork in GitLab."""

    id: int
    owner: str
    """Path of the namespace: the learner's username."""
    path: str
    full_path: str
    visibility: str
    archived: bool
    import_status: str
    import_error: str
    deletion_on: str | None
    """Day of the final deletion, if one is scheduled."""
    branch: str
    web_url: str
    last_activity_at: str

    @property
    def scheduled_path(self) -> str:
        """The path before its deletion was scheduled, when GitLab 18 adds a suffix."""
        match = _SCHEDULED.fullmatch(self.path)
        return match["path"] if match and self.deletion_on else self.path


def fork_of(project: Mapping[str, Any]) -> Fork:
    """Read GitLab's JSON of a project."""
    return Fork(
        id=int(project["id"]),
        owner=project["namespace"]["full_path"],
        path=project["path"],
        full_path=project["path_with_namespace"],
        visibility=project.get("visibility") or "private",
        archived=bool(project.get("archived")),
        import_status=project.get("import_status") or "none",
        import_error=project.get("import_error") or "",
        deletion_on=project.get("marked_for_deletion_on") or project.get("marked_for_deletion_at"),
        branch=project.get("default_branch") or "",
        web_url=project.get("web_url") or "",
        last_activity_at=project.get("last_activity_at") or "",
    )


def read_template(calls: Calls, path: str) -> Template:
    """Read the template project.

    Raises:
        LearnerError: the project does not exist or is empty.
    """
    project = calls.find(path_of("projects", path)) if path.strip("/ ") else None
    if project is None:
        raise LearnerError(
            f"GitLab has no project {path!r}: add the course first, or check the name"
        )
    if not project.get("default_branch") or project.get("empty_repo"):
        raise LearnerError(f"the project {path} has no commit yet: there is nothing to fork")
    return Template(
        id=int(project["id"]),
        path=project["path_with_namespace"],
        visibility=project.get("visibility") or "private",
        branch=project["default_branch"],
    )


def allowed_visibility(asked: str, template: Template) -> str:
    """Limit the visibility to the template's, as GitLab requires for forks."""
    return min(asked, template.visibility, key=VISIBILITIES.index)


def is_fork_of(project: Mapping[str, Any], template_id: int) -> bool:
    """Return whether a project was forked from the template."""
    source = project.get("forked_from_project") or {}
    return source.get("id") == template_id


def find_fork(calls: Calls, template_id: int | None, owner: str, path: str) -> Fork | None:
    """Return the learner's fork by its path, or None; sends one request.

    With ``template_id`` None any project at that path is accepted, also one whose owner has removed
    the fork relationship.

    Raises:
        LearnerError: another project has that path.
    """
    project = calls.find(path_of("projects", f"{owner}/{path}"))
    # GitLab redirects the old path of a renamed project to the new one.
    if project is None or project["path_with_namespace"].lower() != f"{owner}/{path}".lower():
        return None
    if template_id is not None and not is_fork_of(project, template_id):
        raise LearnerError(
            f"the project {owner}/{path} exists and is not a fork of the template: "
            "it is left alone; rename it, or choose another path"
        )
    return fork_of(project)


def make_fork(
    calls: Calls, template: int | str, owner: str, path: str, *, name: str, visibility: str
) -> Fork:
    """Create a fork, or find one that was created concurrently.

    The fork is usable only after :func:`await_import`. ``template`` is the project's id or path;
    with an id, an existing project must be a fork of it.

    Raises:
        LearnerError: the account or the template does not exist, or another project has that path.
    """
    found: list[Fork] = []

    def present() -> Any:
        fork = find_fork(calls, template if isinstance(template, int) else None, owner, path)
        if fork is not None:
            found.append(fork)
        return fork

    data = {"namespace_path": owner, "path": path, "name": name, "visibility": visibility}
    try:
        made, _new = calls.make(path_of("projects", template, "fork"), data, present)
    except gitlab.exceptions.GitlabHttpError as error:
        if error.response_code != 404:
            raise
        if "Namespace" in str(error.error_message):
            why = f"GitLab finds no place for the fork ({error.error_message}): no such account?"
        else:
            why = f"there is no template {template}"
        raise LearnerError(why) from error
    return found[-1] if found else fork_of(made)


def await_import(
    calls: Calls, fork: Fork, patience: float, waiting: Callable[[], None] = lambda: None
) -> Fork:
    """Wait until GitLab has copied the repository, at most ``patience`` seconds.

    Returns:
        The fork; its ``import_status`` is in ``IMPORT_DONE`` or ``IMPORT_FAILED``.

    Raises:
        TookTooLongError: the import did not end in that time.
    """
    until = calls.clock() + patience
    pause = FIRST_LOOK
    while fork.import_status not in IMPORT_DONE | IMPORT_FAILED:
        if calls.clock() + pause > until:
            raise TookTooLongError(
                f"GitLab has not finished copying the fork after {patience:.0f} s "
                f"({fork.import_status}): run again later, it goes on"
            )
        waiting()
        calls.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.6)
        project = calls.find(path_of("projects", fork.id))
        if project is None:
            raise LearnerError("the fork disappeared while GitLab was copying it: run again")
        fork = fork_of(project)
    return fork


def holds_work(calls: Calls, fork: Fork, known: Callable[[str], bool]) -> bool:
    """Return whether the head of any branch of a fork is not ``known`` to the template."""
    branches = path_of("projects", fork.id, "repository", "branches")
    try:
        # GitLab refuses the usual sort parameters for branches.
        for page in calls.pages(branches, keyset=False, order_by=None, sort=None):
            if not all(known(sha) for sha in {branch["commit"]["id"] for branch in page}):
                return True
    except gitlab.exceptions.GitlabHttpError as error:
        if error.response_code not in CONFLICT | {404}:
            raise
    return False


def delete_project(calls: Calls, fork: Fork, patience: float) -> Fork | None:
    """Delete a project and wait until its path is free.

    Before version 18, GitLab deletes it in the background. Since then GitLab renames and archives
    it, and deletes it some days later.

    Returns:
        ``None`` if the project is gone, else the project whose deletion is scheduled.

    Raises:
        TookTooLongError: the project still has its path.
    """
    path = path_of("projects", fork.id)
    calls.remove(path)
    until = calls.clock() + patience
    pause = FIRST_LOOK
    while True:
        project = calls.find(path)
        if project is None:
            return None
        left = fork_of(project)
        if left.deletion_on:
            return left
        if calls.clock() + pause > until:
            raise TookTooLongError(
                f"GitLab has not deleted {fork.full_path} after {patience:.0f} s: it goes on"
            )
        calls.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.6)


def remove_failed(calls: Calls, template: int | str, fork: Fork, patience: float) -> None:
    """Delete a fork whose import failed, so that it can be created again.

    Raises:
        LearnerError: the fork has commits that the template does not have; it is kept.
    """

    def known(sha: str) -> bool:
        commit = path_of("projects", template, "repository", "commits", sha)
        return calls.find(commit) is not None

    if holds_work(calls, fork, known):
        raise LearnerError(
            f"copying {fork.full_path} failed ({fork.import_error or 'no reason given'}), yet it "
            "holds commits of the learner's own: look at it in GitLab, nothing was touched"
        )
    left = delete_project(calls, fork, patience)
    if left is not None:
        # The fork is empty, so delete it at once. Some instances forbid this: then it remains
        # until its scheduled day.
        try:
            calls.remove(
                path_of("projects", fork.id), permanently_remove="true", full_path=left.full_path
            )
        except gitlab.exceptions.GitlabHttpError as error:
            if error.response_code not in CONFLICT | {403}:
                raise


def get_or_create(
    calls: Calls,
    template: int | str,
    owner: str,
    path: str,
    fork: Fork | None,
    *,
    name: str,
    visibility: str,
    patience: float,
    step: Callable[[str], None] = lambda _: None,
) -> tuple[Fork, str]:
    """Return a usable fork: create it if needed, wait for it, and retry once if the import failed.

    Args:
        calls: requests to GitLab.
        template: the template's id or path.
        owner: the learner's username.
        path: path of the fork in their namespace.
        fork: the existing fork, or None.
        name: name of a new fork.
        visibility: visibility of a new fork.
        patience: seconds for each wait.
        step: called with ``fork`` when one is created and ``import`` while GitLab copies.

    Returns:
        The fork, and the action: ``created``, ``repaired`` or ``unchanged``.

    Raises:
        LearnerError: the fork cannot be created.
        TookTooLongError: GitLab has not finished in that time.
    """

    def make() -> Fork:
        step("fork")
        return make_fork(calls, template, owner, path, name=name, visibility=visibility)

    def wait(made: Fork) -> Fork:
        return await_import(calls, made, patience, lambda: step("import"))

    done = "unchanged"
    if fork is None:
        fork, done = make(), "created"
    fork = wait(fork)
    if fork.import_status in IMPORT_FAILED:
        remove_failed(calls, template, fork, patience)
        fork, done = wait(make()), "repaired" if done == "unchanged" else done
        if fork.import_status in IMPORT_FAILED:
            raise LearnerError(
                "GitLab failed to copy the template, twice: "
                f"{fork.import_error or 'it gives no reason'}"
            )
    return fork, done


def set_member(calls: Calls, fork: Fork, user_id: int, has: int | None, wanted: int | None) -> None:
    """Add, change or remove a user's role in the fork (``None``: no role)."""
    base = path_of("projects", fork.id, "members")
    one = base + path_of(user_id)
    if wanted is None:
        calls.remove(one)
    elif has is None:
        found, new = calls.make(
            base, {"user_id": user_id, "access_level": wanted}, lambda: calls.find(one)
        )
        if not new and int(found["access_level"]) != wanted:
            calls.put(one, {"access_level": wanted})
    else:
        calls.put(one, {"access_level": wanted})
