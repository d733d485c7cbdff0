#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Returns GitLab's version, and whether the administrator's token has the needed rights."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_instance_info
short_description: Version of a GitLab, and the state of the administrator's token
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Asks GitLab who the token in a file belongs to, what it may do and until when.
  - A token that is refused, missing or not an administrator's is not a failure of the module but
    an answer, so that a playbook can decide what to do about it. Not reaching GitLab is a failure.
options:
  minimum_days:
    description: The token counts as good only when it lives at least this many days more.
    type: int
    default: 0
  scopes:
    description: Scopes that the token must have to count as good.
    type: list
    elements: str
    default: [api]
extends_documentation_fragment:
  - mooc.atelier.attributes.info_module
  - mooc.atelier.gitlab
"""

EXAMPLES = r"""
- name: Is the token still good for two months?
  mooc.atelier.gitlab_instance_info:
    api_url: https://gitlab.mooc.example.org
    token_file: /etc/atelier/secrets/gitlab_admin_token
    minimum_days: 60
  register: instance
"""

RETURN = r"""
token_good:
  description:
    - Whether the token is accepted, an administrator's, has the scopes wanted and lives long
      enough.
  type: bool
  returned: success
reason:
  description: Why the token is not good; empty when it is.
  type: str
  returned: success
  sample: expires in 12 days, fewer than 60
version:
  description: GitLab's version; empty when the token is not accepted.
  type: str
  returned: success
  sample: 19.3.2
username:
  description: The token's owner.
  type: str
  returned: when the token is accepted
  sample: root
scopes:
  description: What the token may do.
  type: list
  elements: str
  returned: when the token is accepted
  sample: [api, write_repository]
expires_at:
  description: First day on which the token is dead (from 00:00 UTC); null when it does not expire.
  type: str
  returned: when the token is accepted
  sample: "2027-11-20"
"""

import datetime as dt
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import connection
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import session as _session
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.calls import Calls, as_object


def days_left(expires_at: str | None, today: dt.date) -> int | None:
    """Return the whole days until the token expires; ``None`` if it never does.

    A token expires at 00:00 UTC of GitLab's date.
    """
    if not expires_at:
        return None
    return (dt.date.fromisoformat(expires_at[:10]) - today).days


def judge(
    owner: str,
    is_admin: bool,
    token: dict[str, Any],
    wanted_scopes: list[str],
    minimum_days: int,
    today: dt.date,
) -> str:
    """Return why the token is insufficient; empty if it is not."""
    missing = sorted(set(wanted_scopes) - set(token["scopes"]))
    if missing:
        return f"lacks the scope {', '.join(missing)}"
    if not is_admin:
        return f"belongs to {owner}, who is not an administrator"
    left = days_left(token.get("expires_at"), today)
    if left is not None and left < max(minimum_days, 1):
        return f"expires in {left} days, fewer than {minimum_days}"
    return ""


def may_administer(calls: Calls) -> bool:
    """Return whether the token can read settings that only administrators can read."""
    try:
        calls.get("/application/settings")
    except connection.gitlab.exceptions.GitlabHttpError as error:
        if error.response_code == 403:
            return False
        raise
    return True


def version_of(calls: Calls) -> tuple[int, int, int]:
    """Return GitLab's version as numbers."""
    return connection.parse_version(str(as_object(calls.get("/version")).get("version", "")))


def examine(params: dict[str, Any]) -> dict[str, Any]:
    """Check token and version; return the module's result."""
    try:
        calls = _session.Session(params).calls
    except connection.InstanceError as problem:
        return {"token_good": False, "reason": str(problem), "version": ""}
    try:
        user = as_object(calls.get("/user"))
    except connection.gitlab.exceptions.GitlabAuthenticationError:
        return {"token_good": False, "reason": "is refused by GitLab (401)", "version": ""}
    except connection.gitlab.exceptions.GitlabHttpError as error:
        if error.response_code != 403:
            raise
        reason = f"may not use the API (403): {error.error_message}"
        return {"token_good": False, "reason": reason, "version": ""}
    token = as_object(calls.get("/personal_access_tokens/self"))
    today = dt.datetime.now(dt.UTC).date()
    owner = str(user["username"])
    reason = judge(
        owner, may_administer(calls), token, params["scopes"], params["minimum_days"], today
    )
    return {
        "token_good": not reason,
        "reason": reason,
        "version": ".".join(map(str, version_of(calls))),
        "username": owner,
        "scopes": sorted(token["scopes"]),
        "expires_at": token.get("expires_at"),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection.CONNECTION_ARGUMENTS,
            "minimum_days": {"type": "int", "default": 0},
            "scopes": {"type": "list", "elements": "str", "default": ["api"]},
        },
        supports_check_mode=True,
    )
    connection.serve(module, lambda: {"changed": False, **examine(module.params)}, _session.explain)


if __name__ == "__main__":
    main()
