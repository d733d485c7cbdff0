#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Manages GitLab's application settings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_settings
short_description: Application settings of a GitLab instance
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Reads the application settings of a self-managed GitLab, writes those that differ from what is
    given, in one request, and reads them again to see that GitLab kept them.
  - Settings that are not named are left alone.
options:
  settings:
    description:
      - Names and values as in GitLab's settings API, for example C(signup_enabled=false).
      - Lists are compared without regard to order. Null and the empty string mean the same.
      - A name that this GitLab does not have is an error, so that a renamed setting or a slip of
        the pen is noticed.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    description: Values of settings whose name says that they are secret are not shown.
extends_documentation_fragment:
  - mooc.atelier.attributes
  - mooc.atelier.gitlab
"""

EXAMPLES = r"""
- name: Nobody signs up by themself
  mooc.atelier.gitlab_settings:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    settings:
      signup_enabled: false
      default_project_visibility: private
      import_sources: []
"""

RETURN = r"""
settings:
  description: The settings named in the task, as they are after it (or would be, in check mode).
  type: dict
  returned: success
  sample:
    signup_enabled: false
changed_settings:
  description: Names of the settings that were (or would be) written.
  type: list
  elements: str
  returned: success
  sample: [signup_enabled]
"""

import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import connection
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import session as _session
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.calls import as_object

SECRET_NAME = re.compile(r"(password|secret|token|private_key|credential)(?!.*_(enabled|expir))")
HIDDEN = "VALUE_NOT_SHOWN"


def canonical(value: Any) -> Any:
    """Normalize a setting, so that different spellings of the same value are equal.

    GitLab's specification declares most settings as strings, its answers have JSON types, and YAML
    allows further spellings. Booleans and numbers become their JSON text; lists are sorted.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, str):
        return value.lower() if value.lower() in {"true", "false"} else value
    if isinstance(value, list):
        return sorted((canonical(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {str(key): canonical(item) for key, item in value.items()}
    return value


def same(wanted: Any, present: Any) -> bool:
    """Return whether a setting has the wanted value; in mappings, compare only the wanted keys."""
    if isinstance(wanted, dict) and isinstance(present, dict):
        return all(same(value, present.get(key)) for key, value in wanted.items())
    return bool(canonical(wanted) == canonical(present))


def differing(wanted: dict[str, Any], present: dict[str, Any]) -> dict[str, Any]:
    """Return the settings to change.

    Raises:
        InstanceError: GitLab does not know a setting.
    """
    unknown = sorted(set(wanted) - set(present))
    if unknown:
        raise connection.InstanceError(
            f"This GitLab has no application setting named {', '.join(unknown)}: "
            "look the name up in its settings API, or leave it out."
        )
    return {name: value for name, value in wanted.items() if not same(value, present[name])}


def shown(name: str, value: Any) -> Any:
    """Return a value for results and diffs; secrets are masked."""
    return HIDDEN if SECRET_NAME.search(name) and isinstance(value, str) and value else value


def apply(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Write the differing settings and read them back; return the module's result."""
    calls = _session.Session(params).calls
    path = "/application/settings"
    wanted: dict[str, Any] = params["settings"]
    present = as_object(calls.get(path))
    changes = differing(wanted, present)
    after = {name: present[name] for name in wanted} | changes
    if changes and not check_mode:
        calls.put(path, changes)
        kept = as_object(calls.get(path))
        ignored = sorted(name for name in changes if not same(changes[name], kept.get(name)))
        if ignored:
            raise connection.InstanceError(
                f"GitLab accepted but did not keep the setting {', '.join(ignored)}: "
                "its edition or another setting may not allow the value."
            )
        after = {name: kept[name] for name in wanted}
    names = sorted(changes)
    return {
        "changed": bool(changes),
        "settings": {name: shown(name, value) for name, value in after.items()},
        "changed_settings": names,
        "diff": {
            "before": {name: shown(name, present[name]) for name in names},
            "after": {name: shown(name, after[name]) for name in names},
        },
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection.CONNECTION_ARGUMENTS,
            "settings": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    connection.serve(module, lambda: apply(module.params, module.check_mode), _session.explain)


if __name__ == "__main__":
    main()
