#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Manages the GitLab accounts of a whole class."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_learners
short_description: GitLab accounts of a whole class of learners
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Makes sure that every learner of a list has a GitLab account that the hub signs them in to.
  - Accounts are made with an identity, confirmed, with a random password that nobody knows, and
    may not create groups.
  - People are found by their identity, never by their e-mail address. An account that has a
    learner's username and not the
    identity is somebody else's, which is an error for that learner; it is never taken over.
  - GitLab's accounts are listed once, compared in memory, and only what differs is written.
    Where asking one by one takes
    fewer requests than listing, that is done.
options:
  learners:
    description: The accounts. No two may have the same username, identity or e-mail address.
    type: list
    elements: dict
    required: true
    suboptions:
      username:
        description: GitLab username. An account found by its identity is renamed when its
          username differs.
        type: str
        required: true
      name:
        description: Name shown to others. Left alone when not given; a new account then shows
          its username.
        type: str
      email:
        description: E-mail address. Left alone when not given; see O(fallback_email_domain) for
          new accounts.
        type: str
      identity:
        description: What the account is found by, and signs in with.
        type: dict
        suboptions:
          provider:
            description: Name of the sign-in provider in GitLab's settings; O(provider) when not
              given.
            type: str
          extern_uid:
            description: The person's id at that provider; the username when not given.
            type: str
      state:
        description:
          - V(present) makes the account, or lifts its block.
          - V(blocked) makes it too, and blocks it, so that nobody signs in. Nothing is lost.
          - V(absent) deletes it with all its personal projects, which needs O(confirm_absent=true).
          - When not given, O(state).
        type: str
        choices: [present, blocked, absent]
  state:
    description: State of the learners that do not say their own.
    type: str
    choices: [present, blocked, absent]
    default: present
  provider:
    description: Sign-in provider of the learners that do not say their own.
    type: str
    default: oauth2_generic
  external:
    description:
      - Whether the accounts are external in GitLab's sense, seeing only projects that they are
        members of.
      - Left alone when not given.
    type: bool
  fallback_email_domain:
    description: New accounts of learners without e-mail address get C(<username>@<this domain>).
    type: str
  confirm_absent:
    description:
      - Must be true for anything to be deleted. Without it the module says what would be lost,
        deletes nothing and fails.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait, for all together, until deleted accounts are gone; GitLab
      deletes in the background.
    type: float
    default: 300.0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
extends_documentation_fragment:
  - mooc.atelier.attributes
  - mooc.atelier.gitlab
  - mooc.atelier.bulk
"""

EXAMPLES = r"""
- name: Accounts for a class
  mooc.atelier.gitlab_learners:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    fallback_email_domain: users.noreply.mooc.example.org
    learners:
      - username: u2k7m4qzsbhd6xw3n
        name: Camille Durand
        email: camille.durand@example.org
      - username: uq5pa7vtre3lmzk2j
        name: Sasha Petit
        state: blocked

- name: Connection settings once for several tasks
  module_defaults:
    group/mooc.atelier.gitlab:
      api_url: https://gitlab.mooc.example.org
      token_file: /etc/atelier/secrets/gitlab_admin_token
  block:
    - name: Learners of a CSV file
      mooc.atelier.gitlab_learners:
        learners: "{{ lookup('mooc.atelier.learners_csv', 'class.csv') }}"

- name: Delete what a course has left, after looking with --check
  mooc.atelier.gitlab_learners:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    learners: "{{ leavers }}"
    state: absent
    confirm_absent: true
"""

RETURN = r"""
learners:
  description: What was done (or would be, in check mode) for each learner, by username.
  returned: when GitLab could be read
  type: dict
  sample: {u2k7m4qzsbhd6xw3n: created, uq5pa7vtre3lmzk2j: unchanged}
summary:
  description: How many learners each thing was done for.
  returned: when GitLab could be read
  type: dict
  sample: {created: 580, updated: 12, unchanged: 8}
failed_learners:
  description: Learners for whom it failed, with the reason.
  returned: when some failed
  type: list
  elements: dict
  sample:
    - username: uq5pa7vtre3lmzk2j
      reason: "GitLab refuses (409): Email has already been taken"
untried_learners:
  description: Learners not tried because the run stopped early.
  returned: when some failed
  type: list
  elements: str
lost:
  description: What goes (or went) with the accounts that are deleted.
  returned: when accounts are to be deleted
  type: list
  elements: dict
  sample: [{username: uq5pa7vtre3lmzk2j, projects: [uq5pa7vtre3lmzk2j/rr1]}]
still_being_deleted:
  description: Accounts that GitLab was still deleting when O(wait_timeout) ran out.
  returned: when accounts were deleted
  type: list
  elements: str
requests:
  description: How many requests were sent to GitLab.
  returned: when GitLab could be read
  type: dict
  sample: {read: 103, write: 0}
"""

from collections import Counter
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import connection
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import learners as _learners
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import session as _session
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.bulk import Outcome
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.learners import (
    ABSENT,
    Account,
    Directory,
    Wanted,
)
from ansible_collections.mooc.atelier.plugins.module_utils._run.changes import Changes

STATES = ["present", "blocked", "absent"]


def wanted_learners(params: dict[str, Any]) -> list[Wanted]:
    """Return the wanted learners.

    Raises:
        InstanceError: a username is invalid, or two learners have the same one, or the same
            identity or e-mail address.
    """
    learners = []
    for item in params["learners"]:
        identity = item["identity"] or {}
        learners.append(
            Wanted(
                username=item["username"],
                extern_uid=identity.get("extern_uid") or item["username"],
                # GitLab strips spaces, so that unstripped values would always differ.
                name=(item["name"] or "").strip() or None,
                email=(item["email"] or "").strip() or None,
                provider=identity.get("provider") or params["provider"],
                state=item["state"] or params["state"],
                external=params["external"],
                fallback_domain=params["fallback_email_domain"],
            )
        )
    _session.check_usernames(one.username for one in learners)
    for what, keys in (
        ("username", [one.username.lower() for one in learners]),
        ("identity", [f"{one.provider}:{one.extern_uid.lower()}" for one in learners]),
        ("e-mail address", [one.email.lower() for one in learners if one.email]),
    ):
        twice = sorted(key for key, count in Counter(keys).items() if count > 1)
        if twice:
            raise connection.InstanceError(
                f"The same {what} is given to two learners: {', '.join(twice[:10])}. "
                "Nothing was changed."
            )
    return learners


class Class:
    """The accounts of one task's learners."""

    def __init__(self, session: _session.Session, params: dict[str, Any], check: bool, diff: bool):
        self.session = session
        self.confirmed: bool = params["confirm_absent"]
        self.patience: float = params["wait_timeout"]
        self.check = check
        self.changes = Changes(detailed=diff)
        self.learners = wanted_learners(params)
        self.directories: dict[str, Directory] = {}
        self.lost: list[dict[str, Any]] = []
        self.deleted: dict[str, Account] = {}

    def read(self) -> None:
        """List GitLab's accounts, once for each provider."""
        self.session.progress.begin("accounts read")
        for provider in sorted({one.provider for one in self.learners}):
            mine = [one for one in self.learners if one.provider == provider]
            self.directories[provider] = _learners.read_directory(
                self.session.calls, mine, provider, self.session.progress.step
            )

    def found(self, wanted: Wanted) -> tuple[Account | None, Account | None]:
        """Return the account with the learner's identity, and the one with the username."""
        return self.directories[wanted.provider].of(wanted)

    def work(self, wanted: Wanted) -> None:
        """Bring one learner's account to the wanted state."""
        found, namesake = self.found(wanted)
        if wanted.state == ABSENT:
            self._delete(wanted, found, namesake)
            return
        before = _learners.shown(wanted, found)
        if self.check:
            _learners.check_owner(wanted, found, namesake)
            account = _learners.predicted(wanted, found)
            done = _learners.predicted_action(wanted, found)
        else:
            account, done = _learners.ensure_account(self.session.calls, wanted, found, namesake)
        if done != "unchanged":
            self.changes.note(wanted.username, done, before, _learners.shown(wanted, account))

    def _delete(self, wanted: Wanted, found: Account | None, namesake: Account | None) -> None:
        _learners.check_owner(wanted, found, namesake)
        if found is None:
            return
        projects = _learners.projects_of(self.session.calls, found)
        self.lost.append({"username": wanted.username, "projects": projects})
        if self.confirmed and not self.check:
            self.session.calls.remove(f"/users/{found.id}")
            self.deleted[wanted.username] = found
        if self.confirmed:
            self.changes.note(wanted.username, "deleted", _learners.shown(wanted, found), None)

    def run(self) -> Outcome:
        """Bring all accounts to the wanted state."""
        self.session.check_access(writes=True)
        self.read()
        todo = [
            wanted
            for wanted in self.learners
            if _learners.needs_work(wanted, self.directories[wanted.provider])
        ]
        self.session.progress.begin("learners", len(todo))
        return self.session.for_each(todo, lambda wanted: wanted.username, self.work)

    def wait(self) -> list[str]:
        """Wait for deletions; return the usernames that still exist."""
        if not self.deleted:
            return []
        self.session.progress.begin("deleted accounts gone", len(self.deleted))
        return _learners.wait_until_deleted(
            self.session.calls, self.deleted, self.patience, self.session.progress.step
        )


def result_of(group: Class, outcome: Outcome) -> dict[str, Any]:
    """Return the module's result."""
    done = {one.username: "unchanged" for one in group.learners} | group.changes.done
    for name in outcome.failed:
        done[name] = "failed"
    for name in outcome.untried:
        done[name] = "untried"
    result: dict[str, Any] = {
        "changed": group.changes.changed,
        "learners": done,
        "summary": dict(Counter(done.values())),
        "requests": group.session.requests(),
        "diff": group.changes.diff(),
    }
    if group.lost:
        result["lost"] = sorted(group.lost, key=lambda item: str(item["username"]))
    result |= _session.failure(outcome, len(group.learners), group.session.explain)
    if group.lost and not group.confirmed:
        count = sum(len(item["projects"]) for item in group.lost)
        names = ", ".join(item["username"] for item in result["lost"][:10])
        names += ", ..." if len(group.lost) > 10 else ""
        result["failed"] = True
        result["msg"] = (
            f"Deleting {len(group.lost)} accounts ({names}) "
            f"would delete {count} projects with the learners' work, see `lost`. Nothing was "
            f"deleted: set confirm_absent to true if that is meant. {result.get('msg', '')}"
        ).strip()
    return result


def apply(params: dict[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """Apply the task; return the module's result."""
    group = Class(_session.Session(params), params, check, diff)
    outcome = group.run()
    waiting = group.wait()
    result = result_of(group, outcome)
    if group.deleted:
        result["still_being_deleted"] = waiting
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **_session.BULK_ARGUMENTS,
            "learners": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "username": {"type": "str", "required": True},
                    "name": {"type": "str"},
                    "email": {"type": "str"},
                    "identity": {
                        "type": "dict",
                        "options": {"provider": {"type": "str"}, "extern_uid": {"type": "str"}},
                    },
                    "state": {"type": "str", "choices": STATES},
                },
            },
            "state": {"type": "str", "choices": STATES, "default": "present"},
            "provider": {"type": "str", "default": _learners.PROVIDER},
            "external": {"type": "bool"},
            "fallback_email_domain": {"type": "str"},
            "confirm_absent": {"type": "bool", "default": False},
            "wait_timeout": {"type": "float", "default": 300.0},
        },
        supports_check_mode=True,
        # Ansible writes a module's arguments to the system's log; these would be the names and
        # e-mail addresses of a whole class.
        no_log=True,
    )
    connection.serve(
        module,
        lambda: apply(module.params, module.check_mode, module._diff),
        _session.explain,
    )


if __name__ == "__main__":
    main()
