#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Target's half of `mooc.atelier.packages`: finds missing Debian packages."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packages
short_description: Have Debian packages installed, also after an installation that was cut short
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Asks dpkg, which answers at once, whether all of the packages are installed, and calls
    M(ansible.builtin.apt) only when some are not.
  - Finishes first what an interrupted installation has left half done, and waits for whoever still
    holds dpkg's database while it does.
options:
  name:
    description: Names of packages, as dpkg has them; of an architecture as in C(libc6:i386).
    type: list
    elements: str
    required: true
  fail_on_autoremove:
    description: Whether to fail when the installation would remove other packages, as
      M(ansible.builtin.apt) has it.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description:
      - Says what would be installed. A machine that has never fetched package lists does not know
        the packages, and is not asked to.
  diff_mode:
    support: partial
    description: As far as M(ansible.builtin.apt) does.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Install the web server
  mooc.atelier.packages:
    name: [nginx, python3-cryptography]
"""

RETURN = r"""
missing:
  description: The packages that were not installed when the task began.
  returned: success
  type: list
  elements: str
usable:
  description: Whether all of them are installed now; false only in check mode.
  returned: success
  type: bool
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

LISTS = Path("/var/lib/apt/lists")
PAUSE_SECONDS = 5
TRIES = 30
TRIES_UNLOCKED = 3
FORM = "${Package} ${Architecture} ${db:Status-Status}\n"


def missing(module: AnsibleModule) -> list[str]:
    """Return the packages that are not installed, according to dpkg."""
    names: list[str] = module.params["name"]
    if not names:
        return []
    command = ["dpkg-query", "--show", f"--showformat={FORM}", "--", *names]
    code, out, error = module.run_command(command)
    if code > 1:  # 1: dpkg does not know one of them
        module.fail_json(msg=f"dpkg-query cannot tell what is installed: {error.strip()}")
    installed = set()
    for line in out.splitlines():
        if line.endswith(" installed"):
            name, architecture, _status = line.split(" ")
            installed |= {name, f"{name}:{architecture}"}
    return [name for name in names if name not in installed]


def finish(module: AnsibleModule) -> bool:
    """Finish an interrupted installation; return whether there was one."""
    _code, unfinished, _error = module.run_command(["dpkg", "--audit"], check_rc=True)
    if not unfinished.strip() or module.check_mode:
        return bool(unfinished.strip())
    command = ["dpkg", "--configure", "-a", "--force-confold"]
    environment = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C", "LANGUAGE": "C"}
    tried = 0
    while True:
        code, out, error = module.run_command(command, environ_update=environment)
        if code == 0:
            # dpkg prints nothing about errors that it cannot fix, such as a missing file list.
            return bool(out.strip())
        tried += 1
        # The installation of a run that was killed may still be active.
        if tried >= (TRIES if "locked by" in error else TRIES_UNLOCKED):
            module.fail_json(
                msg=f"An installation was cut short, and '{' '.join(command)}' does not finish it: "
                f"{(error or out).strip()[-2000:]}"
            )
        time.sleep(PAUSE_SECONDS)


def lists_there() -> bool:
    """Return whether package lists were ever fetched, which the folder's age does not show."""
    return LISTS.is_dir() and any(LISTS.glob("*_Packages*"))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "list", "elements": "str", "required": True},
            "fail_on_autoremove": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    finished = finish(module)
    names = missing(module)
    module.exit_json(
        changed=finished or bool(names),
        missing=names,
        usable=not names,
        finished=finished,
        lists_there=lists_there(),
    )


if __name__ == "__main__":
    main()
