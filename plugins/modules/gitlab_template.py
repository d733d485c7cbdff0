#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Manages a course's group in GitLab, its template project, and its staff."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_template
short_description: A course's group, template project and staff in GitLab
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Makes the group of a course and in it the project that learners' forks are made from, and keeps
    their visibility and description, and the members given.
  - Nothing is ever deleted, and members who are not listed stay.
options:
  group:
    description: Path of the group, the course's slug.
    type: str
    required: true
  project:
    description: Path of the project in it.
    type: str
    default: template
  description:
    description: Description of both, the course's title.
    type: str
    default: ""
  visibility:
    description: Who sees group and project. Learners' forks are private whatever is said here.
    type: str
    choices: [private, internal, public]
    default: internal
  group_visibility:
    description:
      - Who sees the group, where that is not who sees the project. Other projects of the group,
        such as the template, may be more visible than this one.
    type: str
    choices: [private, internal, public]
  private_projects:
    description: Paths of more projects in the group, private whatever O(visibility) says.
    type: list
    elements: str
    default: []
  staff:
    description:
      - Accounts to have as members of the group. One that GitLab does not have (yet) is not an
        error, but returned. Teachers often sign in for the first time after their course was made.
    type: list
    elements: dict
    default: []
    suboptions:
      username:
        description: Name of the account.
        type: str
        required: true
      access:
        description: What they may do.
        type: str
        choices: [reporter, developer, maintainer, owner]
        default: maintainer
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
extends_documentation_fragment:
  - mooc.atelier.attributes
  - mooc.atelier.gitlab
"""

EXAMPLES = r"""
- name: Have the course's template project
  mooc.atelier.gitlab_template:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    group: rr1
    description: Recherche reproductible / Reproducible research
    staff:
      - username: alice
"""

RETURN = r"""
path:
  description: Full path of the project.
  type: str
  returned: success
  sample: rr1/template
web_url:
  description: Address of the project; empty in check mode before it is made.
  type: str
  returned: success
  sample: https://gitlab.mooc.example.org/rr1/template
empty:
  description: Whether the project's repository has no commit yet.
  type: bool
  returned: success
empty_projects:
  description: Those of O(project) and O(private_projects) that have no commit yet.
  type: list
  elements: str
  returned: success
  sample: [expected]
missing_staff:
  description: Listed accounts that GitLab does not have.
  type: list
  elements: str
  returned: success
  sample: [bob]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import connection, template
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import session as _session


def explain(error: Exception, params: dict[str, Any]) -> str:
    """Describe a failure in one sentence."""
    if isinstance(error, template.TemplateError):
        return str(error)
    return _session.explain(error, params)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection.CONNECTION_ARGUMENTS,
            "group": {"type": "str", "required": True},
            "project": {"type": "str", "default": "template"},
            "description": {"type": "str", "default": ""},
            "visibility": {
                "type": "str",
                "choices": list(template.VISIBILITY),
                "default": "internal",
            },
            "group_visibility": {"type": "str", "choices": list(template.VISIBILITY)},
            "private_projects": {"type": "list", "elements": "str", "default": []},
            "staff": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "username": {"type": "str", "required": True},
                    "access": {
                        "type": "str",
                        "choices": list(template.ACCESS),
                        "default": "maintainer",
                    },
                },
            },
        },
        supports_check_mode=True,
    )
    if module.params["project"] in module.params["private_projects"]:
        module.fail_json(msg=f"{module.params['project']} is both project and a private project.")

    def work() -> dict[str, Any]:
        calls = _session.Session(module.params).calls
        return template.CourseProjects(calls, module.params, module.check_mode).run()

    connection.serve(module, work, explain)


if __name__ == "__main__":
    main()
