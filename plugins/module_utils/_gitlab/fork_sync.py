# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Brings a learner's fork to the state that a task wants, or predicts that in check mode."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .._run.changes import Changes
from . import fork_protection, fork_updates
from . import forks as _forks
from .calls import Calls, LearnerError, path_of
from .fork_updates import Pusher, Request, Versions
from .forks import Fork, Template
from .learners import PROVIDER, find_username

PRESENT, ARCHIVED, ABSENT = "present", "archived", "absent"
NONE, FAST_FORWARD, MERGE_REQUEST = "none", "fast_forward", "merge_request"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the staff, and their access level in every fork (``None``: no role)."""

    id: int
    username: str
    level: int | None


@dataclass(frozen=True)
class Plan:
    """The wanted state of forks, the same for every learner."""

    template: Template
    path: str
    name: str
    visibility: str
    state: str = PRESENT
    members: tuple[Member, ...] = ()
    protect: bool = True
    check_protection: bool = False
    update: str = NONE
    title: str = ""
    description: str = ""
    patience: float = 300.0
    foreseen: frozenset[str] = frozenset()
    """Usernames, in lower case, of accounts that a dry run would have created."""


@dataclass
class Existing:
    """The present state in GitLab, read with a few listings."""

    forks: dict[str, Fork] = field(default_factory=dict)
    """By the learner's username in lower case."""
    scheduled: dict[str, Fork] = field(default_factory=dict)
    """Forks whose deletion is scheduled, by the same key."""
    roles: dict[tuple[int, int], int] = field(default_factory=dict)
    """Access levels of the staff, by (project id, user id)."""
    requests: dict[int, list[Request]] = field(default_factory=dict)
    """Merge requests from the template, by the fork's project id."""


@dataclass
class Entry:
    """The result for one learner."""

    username: str
    done: str = "unchanged"
    fork: Fork | None = None
    update: str | None = None
    merge_request: str | None = None
    lost: dict[str, Any] | None = None

    def result(self) -> dict[str, Any]:
        """Return the learner's part of the module's result."""
        shown: dict[str, Any] = {"username": self.username, "done": self.done}
        if self.fork is not None:
            shown |= {"id": self.fork.id, "path": self.fork.full_path, "url": self.fork.web_url}
        for key in ("update", "merge_request"):
            if getattr(self, key) is not None:
                shown[key] = getattr(self, key)
        return shown


def read_forks(
    calls: Calls,
    template: Template,
    path: str,
    existing: Existing,
    seen: Callable[[int], None] = lambda _: None,
) -> None:
    """List all forks of the template: one request per hundred."""
    for page in calls.pages(path_of("projects", template.id, "forks"), keyset=False):
        for project in page:
            fork = _forks.fork_of(project)
            group = project["namespace"].get("kind") == "group"
            if group or fork.scheduled_path.lower() != path.lower():
                continue
            if fork.deletion_on is None:
                existing.forks[fork.owner.lower()] = fork
            elif fork.import_status not in _forks.IMPORT_FAILED:
                # Keep the newest if a learner's fork was deleted several times.
                existing.scheduled.setdefault(fork.owner.lower(), fork)
        seen(len(page))


def read_roles(
    calls: Calls,
    members: Iterable[Member],
    existing: Existing,
    seen: Callable[[int], None] = lambda _: None,
) -> None:
    """List the projects in which the staff have a role: one request per hundred."""
    for member in members:
        listing = calls.pages(
            path_of("users", member.id, "memberships"), keyset=False, type="Project"
        )
        for page in listing:
            for one in page:
                existing.roles[int(one["source_id"]), member.id] = int(one["access_level"])
            seen(len(page))


class ForkSync:
    """Brings forks to the state of the plan, one learner at a time. Thread-safe."""

    def __init__(
        self,
        calls: Calls,
        plan: Plan,
        existing: Existing,
        changes: Changes,
        *,
        check: bool,
        versions: Versions | None,
        pusher: Pusher | None,
    ) -> None:
        self._calls = calls
        self._plan = plan
        self._existing = existing
        self._changes = changes
        self._check = check
        self._versions = versions
        self._pusher = pusher
        self._lock = threading.Lock()
        self.entries: dict[str, Entry] = {}

    def update(self, username: str) -> None:
        """Apply the plan to one learner's fork."""
        entry = Entry(username, fork=self._existing.forks.get(username.lower()))
        with self._lock:
            self.entries[username] = entry
        before = self._shown(entry.fork)
        after = dict(before) if before is not None else None
        try:
            if self._plan.state == PRESENT:
                after = self._present(entry, after or {})
            elif entry.fork is not None and self._plan.state == ARCHIVED:
                self._archive(entry, after or {})
            elif entry.fork is not None:
                after = self._absent(entry)
        finally:
            # Changes before a failure are recorded, too.
            if entry.done != "unchanged":
                self._changes.note(username, entry.done, before, after)

    def _shown(self, fork: Fork | None) -> dict[str, Any] | None:
        if fork is None:
            return None
        return {
            "path": fork.full_path,
            "visibility": fork.visibility,
            "archived": fork.archived,
            "import": fork.import_status,
            **self._roles_shown(fork.id),
        }

    def _roles_shown(self, project_id: int) -> dict[str, Any]:
        roles = {
            member.username: self._existing.roles[project_id, member.id]
            for member in self._plan.members
            if (project_id, member.id) in self._existing.roles
        }
        return {"members": roles} if self._plan.members else {}

    # -- present --

    def _present(self, entry: Entry, after: dict[str, Any]) -> dict[str, Any]:
        fresh = self._get_or_create(entry, after)
        if entry.fork is None:  # check mode: the fork does not exist yet
            after |= {"visibility": self._plan.visibility, "archived": False, "import": "finished"}
            if self._plan.members:
                after["members"] = {m.username: m.level for m in self._plan.members if m.level}
            return after
        if entry.fork.archived:
            if not self._check:
                self._calls.act(path_of("projects", entry.fork.id, "unarchive"))
            self._did(entry, "unarchived", after, archived=False)
        if entry.fork.visibility != self._plan.visibility:
            if not self._check:
                self._calls.put(
                    path_of("projects", entry.fork.id), {"visibility": self._plan.visibility}
                )
            self._did(entry, "updated", after, visibility=self._plan.visibility)
        if self._plan.protect and (fresh or self._plan.check_protection):
            self._protect(entry, after, fresh)
        self._members(entry, after)
        self._update(entry, after, fresh)
        return after

    @staticmethod
    def _did(entry: Entry, done: str, after: dict[str, Any], **values: Any) -> None:
        if entry.done == "unchanged":
            entry.done = done
        after.update(values)

    def _get_or_create(self, entry: Entry, after: dict[str, Any]) -> bool:
        """Set ``entry.fork`` to a usable fork; return whether it is new."""
        waiting = self._existing.scheduled.get(entry.username.lower())
        if entry.fork is None and waiting is not None:
            self._restore(entry, waiting, after)
            return False
        if entry.fork is None and not self._has_account(entry.username):
            # A group may have that name: GitLab would create the fork in it.
            raise LearnerError("GitLab has no account with this username: make the account first")
        if self._check:
            done = self._foreseen(entry.fork)
        else:
            entry.fork, done = _forks.get_or_create(
                self._calls, self._plan.template.id, entry.username, self._plan.path, entry.fork,
                name=self._plan.name, visibility=self._plan.visibility,
                patience=self._plan.patience,
            )  # fmt: skip
        if done != "unchanged":
            self._did(entry, done, after, **(self._shown(entry.fork) or {}))
        after["path"] = f"{entry.username}/{self._plan.path}"
        after["import"] = "finished"
        return done != "unchanged" and not self._check

    def _has_account(self, username: str) -> bool:
        foreseen = self._check and username.lower() in self._plan.foreseen
        return foreseen or find_username(self._calls, PROVIDER, username) is not None

    @staticmethod
    def _foreseen(fork: Fork | None) -> str:
        if fork is None:
            return "created"
        return "repaired" if fork.import_status in _forks.IMPORT_FAILED else "unchanged"

    def _restore(self, entry: Entry, waiting: Fork, after: dict[str, Any]) -> None:
        """Cancel a scheduled deletion, which keeps the learner's work."""
        if not self._check:
            self._calls.act(path_of("projects", waiting.id, "restore"))
            fork = _forks.fork_of(self._calls.get(path_of("projects", waiting.id)))
            if fork.deletion_on is not None or fork.path.lower() != self._plan.path.lower():
                raise LearnerError(f"GitLab did not give the deleted fork {fork.full_path} back")
            entry.fork = fork
        self._did(entry, "restored", after, **(self._shown(entry.fork) or {}))
        after["path"] = f"{entry.username}/{self._plan.path}"

    def _protect(self, entry: Entry, after: dict[str, Any], fresh: bool) -> None:
        fork, branch = entry.fork, self._plan.template.branch
        if fork is None or (fresh and self._check):
            return
        rule = fork_protection.protection_of(self._calls, fork, branch)
        if fork_protection.is_protected(rule):
            return
        if not self._check:
            fork_protection.protect(self._calls, fork, branch, rule)
        self._did(entry, "updated", after, protected=True)

    def _members(self, entry: Entry, after: dict[str, Any]) -> None:
        fork = entry.fork
        if fork is None:
            return
        for member in self._plan.members:
            has = self._existing.roles.get((fork.id, member.id))
            # The owner of a personal project already has all rights in it.
            if has == member.level or member.username.lower() == fork.owner.lower():
                continue
            if not self._check:
                _forks.set_member(self._calls, fork, member.id, has, member.level)
            roles = {**after.get("members", {}), member.username: member.level}
            members = {name: level for name, level in roles.items() if level is not None}
            self._did(entry, "updated", after, members=members)

    # -- updates from the template --

    def _update(self, entry: Entry, after: dict[str, Any], fresh: bool) -> None:
        if self._versions is None or self._plan.update == NONE or entry.fork is None:
            return
        if fresh:
            entry.update = "current"
            return
        standing = self._versions.standing(entry.fork)
        if standing.kind == fork_updates.BEHIND:
            if self._pusher is not None and not self._check:
                try:
                    self._pusher.fast_forward(entry.fork, self._versions.head)
                except fork_updates.MovedError:
                    standing = self._versions.standing(entry.fork)
            if standing.kind == fork_updates.BEHIND:
                entry.update = "fast_forwarded"
                self._did(entry, "updated", after, commit=self._versions.head)
                return
        if standing.kind != fork_updates.DIVERGED:
            entry.update = standing.kind
        elif self._plan.update == FAST_FORWARD:
            entry.update = "touched"
        else:
            self._propose(entry, entry.fork, after)

    def _propose(self, entry: Entry, fork: Fork, after: dict[str, Any]) -> None:
        head = self._versions.head if self._versions else ""
        past = fork_updates.answered(self._existing.requests.get(fork.id, []), head)
        if past is not None:
            entry.merge_request = past.web_url
            entry.update = {"merged": "merged", "closed": "declined"}.get(
                past.state, "merge_request_open"
            )
            return
        new = True
        if not self._check:
            request, new = fork_updates.open_request(
                self._calls, self._plan.template, fork, self._plan.title, self._plan.description
            )
            entry.merge_request = request.web_url
        entry.update = "merge_request_opened" if new else "merge_request_open"
        if new:
            self._did(entry, "updated", after, merge_request="opened")

    # -- archived, absent --

    def _archive(self, entry: Entry, after: dict[str, Any]) -> None:
        if entry.fork is None or entry.fork.archived:
            return
        if not self._check:
            self._calls.act(path_of("projects", entry.fork.id, "archive"))
        self._did(entry, "archived", after, archived=True)

    def _absent(self, entry: Entry) -> dict[str, Any] | None:
        fork = entry.fork
        if fork is None or self._versions is None:
            return None
        touched = _forks.holds_work(self._calls, fork, self._versions.includes)
        entry.lost = {
            "username": entry.username,
            "path": fork.full_path,
            "own_commits": touched,
            "last_activity_at": fork.last_activity_at,
        }
        left = None
        if not self._check:
            left = _forks.delete_project(self._calls, fork, self._plan.patience)
            if left is not None:
                entry.lost["deleted_for_good_on"] = left.deletion_on
        entry.done = "deletion_scheduled" if left is not None else "deleted"
        entry.fork = left
        return None
