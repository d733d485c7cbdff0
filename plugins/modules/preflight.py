#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Target's half of `mooc.atelier.preflight`: checks the server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Find everything that stands in the way of installing the site
description:
  - Looks at the settings and at files on the controller, then at the server, and returns all
    that has to be put right.
  - Changes nothing. Secrets stay on the controller.
author: The Atelier maintainers (@mooc)
version_added: 0.1.0
options:
  settings:
    description: Variables of the role C(preflight), without their prefix.
    type: dict
    required: true
  ports:
    description: TCP ports the site needs. Given by the action plugin.
    type: list
    elements: dict
    default: []
  repositories:
    description: Template repositories to try. Given by the action plugin.
    type: list
    elements: dict
    default: []
  platform_hosts:
    description: Hosts of course platforms that the site will ask. Given by the action plugin.
    type: list
    elements: dict
    default: []
  authorities:
    description: Certificate authorities to trust meanwhile, in PEM. Given by the action plugin.
    type: str
    default: ""
  names:
    description: Host names to look up. Given by the action plugin.
    type: list
    elements: str
    default: []
  strict:
    description: What Python 3.13 and later refuse in certificates. Given by the action plugin.
    type: list
    elements: dict
    default: []
  now:
    description: Time on the controller, in seconds since 1970. Given by the action plugin.
    type: float
attributes:
  check_mode:
    description: Can run in check mode and return what it would without it.
    support: full
  diff_mode:
    description: Returns no difference, as nothing changes.
    support: none
"""

EXAMPLES = r"""
- name: Look at the settings and at the server
  mooc.atelier.preflight:
    settings:
      domain: "{{ atelier_domain | default('') }}"
      # ... the role gives all of them
  register: looked
"""

RETURN = r"""
failures:
  description: What must be put right first.
  returned: always
  type: list
  elements: dict
  contains:
    variable:
      description: What the operator edits.
      type: str
    problem:
      description: What is wrong with it.
      type: str
    fix:
      description: What to do.
      type: str
advice:
  description: What would better be put right, in the same form.
  returned: always
  type: list
  elements: dict
report:
  description: The failures as one message; empty when there is none.
  returned: always
  type: str
"""

import sys
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.machine import (
    Port,
    machine_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    private_hosts,
    private_platform_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.server import (
    addresses,
    check_repository,
    read_server,
    strictly,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.tls import (
    context_of,
    gitlab_certificate_findings,
)


def main() -> None:
    """Check the server; the action plugin of the same name does the other checks."""
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "required": True},
            "ports": {"type": "list", "elements": "dict", "default": []},
            "repositories": {"type": "list", "elements": "dict", "default": []},
            "platform_hosts": {"type": "list", "elements": "dict", "default": []},
            "authorities": {"type": "str", "default": ""},
            "names": {"type": "list", "elements": "str", "default": []},
            "strict": {"type": "list", "elements": "dict", "default": []},
            "now": {"type": "float"},
        },
        supports_check_mode=True,
    )
    settings = module.params["settings"]
    ports = [Port(**port) for port in module.params["ports"]]
    machine = read_server(settings["disk_paths"], module.params["now"] or time.time())
    findings = list(machine_findings(machine, settings, ports))
    findings += private_platform_findings(module.params["platform_hosts"], private_hosts(settings))
    findings += gitlab_certificate_findings(settings, context_of(module.params["authorities"]))
    findings += strictly(module.params["strict"], sys.version_info)
    unreached = []
    for repository in module.params["repositories"]:
        if module.get_bin_path("git") is None:
            unreached.append(repository)
            continue
        findings += check_repository(repository, settings, module.params["authorities"])
    module.exit_json(
        changed=False,
        findings=[{**finding.as_dict(), "grave": finding.grave} for finding in findings],
        unreached=unreached,
        addresses=addresses(module.params["names"]),
        installed=machine.installed,
    )


if __name__ == "__main__":
    main()
