#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Fetches, checks and publishes a course with the server's command `atelier-course`."""

from __future__ import annotations

DOCUMENTATION = r"""
module: course_update
short_description: Fetch, check and publish a course
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Runs C(atelier-course update) on the server. It fetches what the course's source has, checks it,
    and only then pushes it to GitLab and moves the mirror that learners' servers read.
  - A source with a mistake, or one that cannot be reached, changes nothing. The failure names file
    and line of each mistake.
options:
  slug:
    description: The course's short name.
    type: str
    required: true
  settings:
    description:
      - What C(/etc/atelier/sources.d/<slug>.yml) says, or will say. It holds no secret.
    type: dict
    required: true
  command:
    description: The command on the server. Role C(jupyterhub) installs it.
    type: path
    default: /opt/atelier/venv/bin/atelier-course
  state_directory:
    description: Where mirrors and what is known of them are.
    type: path
    default: /var/lib/atelier
attributes:
  check_mode:
    support: full
    description: >-
      Fetches into a temporary directory and checks, so that it fails as the run itself would. Where
      the command is not installed yet it says that all would change.
  diff_mode:
    support: full
    description: Shows the commits and projects before and after.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Publish the course
  mooc.atelier.course_update:
    slug: rr1
    settings:
      slug: rr1
      template:
        repository: https://git.example.org/mooc/rr1-template.git
      gitlab:
        api_url: https://gitlab.mooc.example.org
        token_file: /etc/atelier/secrets/gitlab_admin_token
"""

RETURN = r"""
changes:
  description: What was changed, or would be, in order.
  type: list
  elements: dict
  returned: success
  sample: [{what: template on the server, before: 0a1b2c, after: 3d4e5f}]
missing_staff:
  description: Listed accounts that GitLab does not have.
  type: list
  elements: str
  returned: success
  sample: [bob]
status:
  description: What C(atelier-course status --json) says.
  type: dict
  returned: when the command could be run
"""

import json
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule


def arguments(params: dict[str, Any], check_mode: bool) -> list[str]:
    """Return the command line; the settings are passed on standard input."""
    words = [params["command"], "update", params["slug"], "--json", "--lang", "en"]
    words += ["--settings", "-", "--state", params["state_directory"]]
    return [*words, "--dry-run"] if check_mode else words


def diff(changes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the changes in Ansible's format of differences."""
    return {
        side: {one["what"]: one[side] for one in changes if one[side] is not None}
        for side in ("before", "after")
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "slug": {"type": "str", "required": True},
            "settings": {"type": "dict", "required": True},
            "command": {"type": "path", "default": "/opt/atelier/venv/bin/atelier-course"},
            "state_directory": {"type": "path", "default": "/var/lib/atelier"},
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    if not Path(params["command"]).exists():
        if module.check_mode:
            slug = params["slug"]
            changes = [{"what": f"course {slug}", "before": None, "after": "published"}]
            module.exit_json(changed=True, changes=changes, missing_staff=[], diff=diff(changes))
        module.fail_json(
            msg=f"There is no {params['command']} on the server: role jupyterhub installs it, and "
            "comes before role course. Playbook mooc.atelier.site runs both."
        )
    try:
        code, out, said = module.run_command(
            arguments(params, module.check_mode),
            data=json.dumps(params["settings"]),
            handle_exceptions=False,
        )
    except BrokenPipeError:
        module.fail_json(
            msg=f"{params['command']} ended before it read the course's settings. To see why, run "
            f"`{params['command']} status {params['slug']}` on the server."
        )
    try:
        answer: dict[str, Any] = json.loads(out)
    except ValueError:
        answer = {}
    status = answer.get("status", {})
    if code != 0 or not answer:
        changes = answer.get("changes", [])
        module.fail_json(
            msg=said.strip() or f"{params['command']} ends with code {code} and says nothing.",
            changed=bool(changes) and not module.check_mode,
            changes=changes,
            status=status,
        )
    module.exit_json(
        changed=answer["changed"],
        changes=answer["changes"],
        missing_staff=answer["missing_staff"],
        status=status,
        diff=diff(answer["changes"]),
    )


if __name__ == "__main__":
    main()
