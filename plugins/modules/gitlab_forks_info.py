#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Lists the forks of a template."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_forks_info
short_description: Forks of a template project
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Lists the forks of a template, for reports. One request for each hundred forks, and one or
    two more for each fork when they are compared.
options:
  template:
    description: Path of the template project.
    type: str
    required: true
  path:
    description: Only forks at this path in their owner's namespace; all when not given.
    type: str
  compare:
    description: Tell how each fork stands to the template.
    type: bool
    default: false
  workers:
    description: How many forks are compared at the same time, from 1 to 64.
    type: int
    default: 8
extends_documentation_fragment:
  - mooc.atelier.attributes.info_module
  - mooc.atelier.gitlab
"""

EXAMPLES = r"""
- name: Who has begun?
  mooc.atelier.gitlab_forks_info:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    template: rr1/template
    compare: true
  register: course

- name: Tell
  ansible.builtin.debug:
    msg: "{{ course.forks | selectattr('standing', 'in', ['ahead', 'diverged']) |
      map(attribute='owner') }}"
"""

RETURN = r"""
template:
  description: The template's path, default branch and, when compared, its latest commit.
  returned: success
  type: dict
  sample: {path: rr1/template, branch: main}
forks:
  description:
    - The forks, in the order of their paths.
    - C(standing), with O(compare), is current, behind (untouched, the template has moved on),
      ahead (own commits on top of the latest
      version), diverged (own commits, and the template has moved on) or no_branch.
  returned: success
  type: list
  elements: dict
  sample:
    - owner: u2k7m4qzsbhd6xw3n
      path: u2k7m4qzsbhd6xw3n/rr1
      id: 812
      url: https://gitlab.mooc.example.org/u2k7m4qzsbhd6xw3n/rr1
      visibility: private
      archived: false
      import_status: finished
      deleted_for_good_on: null
      last_activity_at: "2026-03-01T10:00:00.000Z"
      standing: ahead
standings:
  description: How many forks stand how.
  returned: when O(compare=true)
  type: dict
  sample: {current: 560, ahead: 40}
"""

from collections import Counter
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import connection, fork_updates
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import forks as _forks
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import session as _session
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.forks import Fork


def shown(fork: Fork) -> dict[str, Any]:
    """Return a fork for the result."""
    return {
        "owner": fork.owner,
        "path": fork.full_path,
        "id": fork.id,
        "url": fork.web_url,
        "visibility": fork.visibility,
        "archived": fork.archived,
        "import_status": fork.import_status,
        "deleted_for_good_on": fork.deletion_on,
        "last_activity_at": fork.last_activity_at,
    }


def list_forks(params: dict[str, Any]) -> dict[str, Any]:
    """List the forks; return the module's result."""
    session = _session.Session(params)
    session.check_access(writes=False)
    template = _forks.read_template(session.calls, params["template"])
    forks = [
        fork
        for page in session.calls.pages(f"/projects/{template.id}/forks", keyset=False)
        for fork in map(_forks.fork_of, page)
        if params["path"] is None or fork.scheduled_path.lower() == params["path"].lower()
    ]
    result: dict[str, Any] = {"template": {"path": template.path, "branch": template.branch}}
    listed = {fork.id: shown(fork) for fork in forks}
    if params["compare"]:
        versions = fork_updates.Versions(session.calls, template)
        result["template"]["commit"] = versions.head

        def compare(fork: Fork) -> None:
            listed[fork.id]["standing"] = versions.standing(fork).kind

        outcome = session.for_each(forks, lambda fork: fork.full_path, compare)
        result["standings"] = dict(
            Counter(one["standing"] for one in listed.values() if "standing" in one)
        )
        result |= _session.failure(outcome, len(forks), session.explain)
    result["forks"] = sorted(listed.values(), key=lambda one: str(one["path"]))
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection.CONNECTION_ARGUMENTS,
            "template": {"type": "str", "required": True},
            "path": {"type": "str"},
            "compare": {"type": "bool", "default": False},
            "workers": {"type": "int", "default": 8},
        },
        supports_check_mode=True,
    )
    connection.serve(
        module, lambda: {"changed": False, **list_forks(module.params)}, _session.explain
    )


if __name__ == "__main__":
    main()
