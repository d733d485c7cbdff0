#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Manages the forks of a template for a whole class."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_forks
short_description: Forks of a template project for a whole class of learners
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Makes sure that every learner of a list has a fork of a template in their personal namespace,
    waits until GitLab has copied
    it, and repairs forks whose copying failed.
  - Keeps forks current with the template without ever losing a learner's commit, see O(update).
  - Archives or deletes them at a course's end.
  - Forks, and the staff's roles in them, are listed once, a hundred with each request, and only
    what differs is written.
options:
  template:
    description: Path of the template project, for example C(rr1/template).
    type: str
    required: true
  path:
    description: Path of the fork in the learner's namespace. The first part of O(template) when
      not given, C(rr1) in the example.
    type: str
  name:
    description: Name of new forks; O(path) when not given. Learners may change it afterwards.
    type: str
  learners:
    description: GitLab usernames of the learners. Their accounts must exist, see
      M(mooc.atelier.gitlab_learners).
    type: list
    elements: str
    required: true
  accounts_foreseen:
    description:
      - Learners whose accounts an earlier task of the same dry run would have made. Counts in check
        mode only.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) makes the forks, and takes back their archiving or a deletion that GitLab has
        only scheduled.
      - V(archived) makes those that exist read-only, for everybody.
      - V(absent) deletes them, which needs O(confirm_absent=true). GitLab 18 and later keep a
        deleted project for some days, under
        another name; until then V(present) brings it back with the learner's work.
    type: str
    choices: [present, archived, absent]
    default: present
  visibility:
    description: Who sees the forks. GitLab lets no fork be more visible than its template.
    type: str
    choices: [private, internal, public]
    default: private
  members:
    description: People of the staff and their role in every fork. Others are left alone.
    type: list
    elements: dict
    default: []
    suboptions:
      username:
        description: GitLab username.
        type: str
        required: true
      access_level:
        description: Role. V(none) takes the role away.
        type: str
        choices: [none, guest, planner, reporter, developer, maintainer]
        default: developer
  protect_default_branch:
    description:
      - Protect the default branch of new forks. The learner (as owner) and maintainers push and
        merge, nobody forces.
    type: bool
    default: true
  check_protection:
    description:
      - Look at the protection of forks that exist already, too. It takes one more request for
        each fork, GitLab has no listing of it.
      - Done in any case where this GitLab's own default leaves new branches unprotected.
    type: bool
    default: false
  update:
    description:
      - What to do about forks that lack the template's latest commits. It takes one or two
        reading requests for each fork.
      - V(none) does nothing.
      - V(fast_forward) brings those forward whose learner has committed nothing to the default
        branch, by a plain C(git push)
        without force, which Git refuses should the learner be quicker. Others are left as they are.
      - V(merge_request) does that, and proposes the news to the others by one merge request.
        While one is open, or when the learner has
        merged or closed one about the same version, there is no other.
    type: str
    choices: [none, fast_forward, merge_request]
    default: none
  merge_request_title:
    description: Title of the merge requests.
    type: str
    default: Mise à jour du cours / Course update
  merge_request_description:
    description: Text of the merge requests.
    type: str
    default: >-
      Le cours a changé depuis la création de votre espace. Fusionnez cette demande pour recevoir
      les nouveautés ; votre travail est conservé.
      / The course has changed since your space was made. Merge this request to get the news;
      your work is kept.
  confirm_absent:
    description:
      - Must be true for anything to be deleted. Without it the module says what would be lost,
        deletes nothing and fails.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait for GitLab to copy, or delete, one fork.
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
requirements:
  - git, where O(update) is not V(none)
"""

EXAMPLES = r"""
- name: Everybody has a fork of the course, and the latest version where they have not begun
  mooc.atelier.gitlab_forks:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    template: rr1/template
    learners: "{{ learners | map(attribute='username') }}"
    members:
      - username: camille.teacher
        access_level: developer
    update: fast_forward

- name: The course is over
  mooc.atelier.gitlab_forks:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    template: rr1/template
    learners: "{{ learners | map(attribute='username') }}"
    state: archived
"""

RETURN = r"""
forks:
  description:
    - For each learner, what was done (or would be, in check mode), where the fork is, and how it
      stands to the template.
    - C(done) is one of created, repaired, restored, unarchived, updated, archived, deleted,
      deletion_scheduled, unchanged, failed, untried.
    - C(update), with O(update), is one of current, fast_forwarded, ahead (own commits on top of
      the latest version), touched (own commits,
      and lacking the latest ones), merge_request_opened, merge_request_open, merged, declined
      (merged or closed by the learner), no_branch.
  returned: when GitLab could be read
  type: list
  elements: dict
  sample:
    - username: u2k7m4qzsbhd6xw3n
      done: updated
      id: 812
      path: u2k7m4qzsbhd6xw3n/rr1
      url: https://gitlab.mooc.example.org/u2k7m4qzsbhd6xw3n/rr1
      update: fast_forwarded
summary:
  description: How many forks each thing was done for.
  returned: when GitLab could be read
  type: dict
  sample: {created: 20, unchanged: 580}
updates:
  description: How many forks stand how to the template.
  returned: when O(update) is not V(none)
  type: dict
  sample: {current: 560, fast_forwarded: 30, merge_request_opened: 10}
failed_learners:
  description: Learners for whom it failed, with the reason.
  returned: when some failed
  type: list
  elements: dict
untried_learners:
  description: Learners not tried because the run stopped early.
  returned: when some failed
  type: list
  elements: str
lost:
  description: The forks that are deleted, whether they hold commits of the learner's own, and
    until when GitLab keeps them.
  returned: when forks are to be deleted
  type: list
  elements: dict
  sample:
    - username: u2k7m4qzsbhd6xw3n
      path: u2k7m4qzsbhd6xw3n/rr1
      own_commits: true
      last_activity_at: "2026-03-01T10:00:00.000Z"
      deleted_for_good_on: "2026-04-01"
requests:
  description: How many requests were sent to GitLab.
  returned: when GitLab could be read
  type: dict
  sample: {read: 103, write: 0}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import (
    connection,
    fork_protection,
    fork_report,
    fork_sync,
    fork_updates,
    forks,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import session as _session
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.fork_sync import (
    ABSENT,
    MERGE_REQUEST,
    NONE,
    PRESENT,
    Existing,
    ForkSync,
    Member,
    Plan,
)
from ansible_collections.mooc.atelier.plugins.module_utils._run.changes import Changes

TITLE = "Mise à jour du cours / Course update"
DESCRIPTION = (
    "Le cours a changé depuis la création de votre espace. Fusionnez cette demande pour recevoir "
    "les nouveautés ; votre travail est conservé. / The course has changed since your space was "
    "made. Merge this request to get the news; your work is kept."
)


def staff(session: _session.Session, params: dict[str, Any]) -> tuple[Member, ...]:
    """Return the staff with their ids in GitLab.

    Raises:
        InstanceError: GitLab does not know an account.
    """
    _session.check_once((item["username"] for item in params["members"]), "Staff")
    members = []
    for item in params["members"]:
        users = session.calls.get("/users", username=item["username"])
        if not users:
            raise connection.InstanceError(
                f"GitLab has no account {item['username']}, named in members. Nothing was changed."
            )
        level = forks.LEVELS.get(item["access_level"])
        members.append(Member(int(users[0]["id"]), users[0]["username"], level))
    return tuple(members)


def may_lack_protection(session: _session.Session, params: dict[str, Any]) -> bool:
    """Return whether existing forks may lack the protection that an interrupted run owed them."""
    wanted = params["state"] == PRESENT and params["protect_default_branch"]
    return wanted and not fork_protection.protected_by_gitlab(session.calls)


def plan_of(session: _session.Session, params: dict[str, Any]) -> Plan:
    """Return the plan of a task, with the template and the staff as read from GitLab."""
    template = forks.read_template(session.calls, params["template"])
    path = params["path"] or template.path.partition("/")[0]
    return Plan(
        template=template,
        path=path,
        name=params["name"] or path,
        visibility=forks.allowed_visibility(params["visibility"], template),
        state=params["state"],
        members=staff(session, params),
        protect=params["protect_default_branch"],
        check_protection=params["check_protection"] or may_lack_protection(session, params),
        update=params["update"],
        title=params["merge_request_title"],
        description=params["merge_request_description"],
        patience=params["wait_timeout"],
        foreseen=frozenset(map(str.lower, params["accounts_foreseen"])),
    )


def read_existing(session: _session.Session, plan: Plan) -> Existing:
    """Read the existing forks, roles and merge requests."""
    existing = Existing()
    session.progress.begin("forks read")
    step = session.progress.step
    fork_sync.read_forks(session.calls, plan.template, plan.path, existing, step)
    if plan.state == PRESENT:
        fork_sync.read_roles(session.calls, plan.members, existing, step)
        if plan.update == MERGE_REQUEST:
            existing.requests = fork_updates.read_requests(session.calls, plan.template)
    return existing


def apply(params: dict[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """Apply the task to all learners; return the module's result."""
    learners = params["learners"]
    _session.check_once(learners, "Learners")
    _session.check_usernames(learners, "learners")
    if params["path"]:
        _session.check_usernames([params["path"]], "path")
    session = _session.Session(params)
    session.check_access(writes=True)
    plan = plan_of(session, params)
    existing = read_existing(session, plan)
    versions = pusher = None
    if plan.state == ABSENT or (plan.state == PRESENT and plan.update != NONE):
        versions = fork_updates.Versions(session.calls, plan.template)
    if versions is not None and plan.state == PRESENT and not check:
        pusher = fork_updates.Pusher(
            session.calls, plan.template, params["api_url"], params["token_file"],
            params["ca_file"],
        )  # fmt: skip
    changes = Changes(detailed=diff)
    confirmed = params["confirm_absent"]
    keeper = ForkSync(
        session.calls, plan, existing, changes,
        check=check or (plan.state == ABSENT and not confirmed), versions=versions, pusher=pusher,
    )  # fmt: skip
    session.progress.begin("forks", len(learners))
    try:
        outcome = session.for_each(learners, str, keeper.update)
    finally:
        if pusher is not None:
            pusher.close()
    return fork_report.result_of(session, plan, keeper, changes, outcome, len(learners), confirmed)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **_session.BULK_ARGUMENTS,
            "template": {"type": "str", "required": True},
            "path": {"type": "str"},
            "name": {"type": "str"},
            "learners": {"type": "list", "elements": "str", "required": True},
            "accounts_foreseen": {"type": "list", "elements": "str", "default": []},
            "state": {
                "type": "str",
                "choices": ["present", "archived", "absent"],
                "default": "present",
            },
            "visibility": {
                "type": "str",
                "choices": list(forks.VISIBILITIES),
                "default": "private",
            },
            "members": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "username": {"type": "str", "required": True},
                    "access_level": {
                        "type": "str",
                        "choices": ["none", *forks.LEVELS],
                        "default": "developer",
                    },
                },
            },
            "protect_default_branch": {"type": "bool", "default": True},
            "check_protection": {"type": "bool", "default": False},
            "update": {
                "type": "str",
                "choices": ["none", "fast_forward", "merge_request"],
                "default": "none",
            },
            "merge_request_title": {"type": "str", "default": TITLE},
            "merge_request_description": {"type": "str", "default": DESCRIPTION},
            "confirm_absent": {"type": "bool", "default": False},
            "wait_timeout": {"type": "float", "default": 300.0},
        },
        supports_check_mode=True,
    )
    connection.serve(
        module, lambda: apply(module.params, module.check_mode, module._diff), _session.explain
    )


if __name__ == "__main__":
    main()
