#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Lists learners' GitLab accounts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_learners_info
short_description: Accounts that GitLab has for learners
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Lists the GitLab accounts that have an identity with a sign-in provider, for reports. One
    request for each hundred accounts.
options:
  provider:
    description: Name of the sign-in provider.
    type: str
    default: oauth2_generic
  usernames:
    description: Only these; all when not given.
    type: list
    elements: str
extends_documentation_fragment:
  - mooc.atelier.attributes.info_module
  - mooc.atelier.gitlab
"""

EXAMPLES = r"""
- name: Who has never signed in?
  mooc.atelier.gitlab_learners_info:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
  register: class

- name: Tell
  ansible.builtin.debug:
    msg: "{{ class.learners | selectattr('last_sign_in_at', 'none') | map(attribute='username') }}"
"""

RETURN = r"""
learners:
  description: The accounts, in the order of their usernames.
  returned: success
  type: list
  elements: dict
  sample:
    - username: u2k7m4qzsbhd6xw3n
      id: 212
      name: Camille Durand
      email: camille.durand@example.org
      identity: {provider: oauth2_generic, extern_uid: u2k7m4qzsbhd6xw3n}
      state: active
      external: false
      can_create_group: false
      confirmed: true
      created_at: "2026-01-05T09:12:00.000Z"
      last_sign_in_at: null
      last_activity_on: null
missing:
  description: Usernames of O(usernames) that no such account has.
  returned: success
  type: list
  elements: str
states:
  description: How many accounts are in which state.
  returned: success
  type: dict
  sample: {active: 598, blocked: 2}
"""

from collections import Counter
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import connection
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import learners as _learners
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import session as _session


def shown(user: dict[str, Any], provider: str) -> dict[str, Any] | None:
    """Return an account for the result; ``None`` if it has no identity with the provider."""
    account = _learners.account_of(user, provider)
    if account.extern_uid is None:
        return None
    return {
        "username": account.username,
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "identity": {"provider": provider, "extern_uid": account.extern_uid},
        "state": account.state,
        "external": account.external,
        "can_create_group": account.can_create_group,
        "confirmed": bool(user.get("confirmed_at")),
        "created_at": user.get("created_at"),
        "last_sign_in_at": user.get("last_sign_in_at"),
        "last_activity_on": user.get("last_activity_on"),
    }


def list_learners(params: dict[str, Any]) -> dict[str, Any]:
    """List the accounts; return the module's result."""
    session = _session.Session(params)
    session.check_access(writes=False)
    names = params["usernames"]
    chosen = {name.lower() for name in names} if names is not None else None
    learners = []
    for page in session.calls.pages("/users", keyset=True):
        for user in page:
            one = shown(user, params["provider"])
            if one is not None and (chosen is None or one["username"].lower() in chosen):
                learners.append(one)
    found = {one["username"].lower() for one in learners}
    return {
        "learners": sorted(learners, key=lambda one: str(one["username"])),
        "missing": sorted(name for name in names or [] if name.lower() not in found),
        "states": dict(Counter(one["state"] for one in learners)),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection.CONNECTION_ARGUMENTS,
            "provider": {"type": "str", "default": _learners.PROVIDER},
            "usernames": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    connection.serve(
        module, lambda: {"changed": False, **list_learners(module.params)}, _session.explain
    )


if __name__ == "__main__":
    main()
