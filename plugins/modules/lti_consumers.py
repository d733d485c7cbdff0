#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Manages the hub's LTI consumer keys."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lti_consumers
short_description: Keys with which course platforms launch the hub
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Keeps the file in which the hub finds its LTI 1.1 consumers. The hub takes a change up by
    itself, without a restart.
  - A secret that is not given is generated once, strong, and never again.
  - Consumers that are not listed stay as they are, unless O(exclusive=true).
  - Values are judged as in the inventory, so that most are taken as they come (C(raw)); a list
    has to be a list, and a text no list.
options:
  path:
    description: The file on the server.
    type: path
    default: /etc/atelier/consumers.yml
  consumers:
    description: What is wanted, in bulk.
    type: list
    elements: dict
    required: true
    suboptions:
      key:
        description: The consumer's key, printable ASCII characters without spaces and colons.
        type: raw
        required: true
      platform:
        description:
          - The platform (LMS) it stands for. Several keys of one platform mean the same people.
          - Required unless O(consumers[].state=absent).
        type: raw
      secret:
        description:
          - Shared secret, at least 32 characters, of the same kind as the key.
          - When not given, the present one is kept, or a new one generated.
        type: raw
      courses:
        description: List of the slugs of the courses it may launch; all when not given.
        type: raw
      trust_email:
        description: Whether the e-mail addresses that this platform sends are verified ones.
        type: bool
        default: false
      trust_roles:
        description:
          - Whether the LTI roles that this platform sends (instructor, administrator) are honoured.
            Everybody is a learner otherwise.
        type: bool
        default: false
      hosts:
        description:
          - List of the hosts that take the platform's grades. A grade whose address is on another
            host is not sent.
          - When not given, grades go to where the platform's signed launches say, on any public
            host.
        type: raw
        default: []
      rotate:
        description:
          - A mark of your choice, such as a term or a date. A new secret is generated when it is
            not the mark of the last rotation, which the file remembers, so that a run again
            rotates nothing.
          - Not together with O(consumers[].secret), which is rotated by giving another one.
        type: raw
      grace:
        description:
          - How long the secret that is replaced, by O(consumers[].rotate) or by another
            O(consumers[].secret), is accepted beside the new one. A number with C(m) (minutes),
            C(h), C(d) or C(w), 90 days at most; V(0) for not at all.
          - When not given, the secret that is replaced is refused at once.
          - The end is set when the secret is replaced. A grace given later does not move it, except
            V(0), which ends it at once.
          - The hub refuses the secret from the end on by itself; the next run forgets it.
        type: raw
      state:
        description: Whether the consumer may launch.
        type: str
        choices: [present, absent]
        default: present
  exclusive:
    description: Whether consumers that are not listed are removed. What nobody lists any more would
      let its bearer in for ever.
    type: bool
    default: false
  return_passports:
    description: Return the strings to paste into Open edX Studio. They hold the secrets.
    type: bool
    default: false
  passport_name:
    description: First part of these strings, with which course pages refer to them (LTI ID).
    type: str
    default: atelier
  validate:
    description: Command that must accept the new file, C(%s), before it replaces the old one.
    type: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    description: Says what becomes of a secret (given, generated, kept, replaced), never the secret.
  safe_file_operations:
    description: The file is replaced as a whole.
    support: full
extends_documentation_fragment:
  - ansible.builtin.files
  - mooc.atelier.attributes
requirements:
  - PyYAML
"""

EXAMPLES = r"""
- name: Two platforms may launch, one of them a single course
  mooc.atelier.lti_consumers:
    consumers:
      - key: fun
        platform: fun
        secret: "{{ vault_consumer_fun_secret }}"
      - key: moodle-m1
        platform: moodle
        courses: [m1-statistics]
    owner: root
    group: atelier
    mode: "0640"

- name: A new secret for this term; the LMS has two weeks to change to it
  mooc.atelier.lti_consumers:
    consumers:
      - key: moodle-m1
        platform: moodle
        courses: [m1-statistics]
        rotate: 2027-spring
        grace: 14d

- name: The inventory's platforms, and no others
  mooc.atelier.lti_consumers:
    consumers: "{{ atelier_consumers }}"
    exclusive: true

- name: One does no more
  mooc.atelier.lti_consumers:
    consumers:
      - key: old-lms
        state: absent
"""

RETURN = r"""
consumers:
  description: Keys in the file afterwards (or as they would be, in check mode), without secrets.
  type: list
  elements: dict
  returned: success
  sample:
    - key: fun
      platform: fun
      courses: null
      trust_email: false
      trust_roles: false
      hosts: []
      rotation: 2027-spring
      previous_until: ["2027-03-15T08:00:00Z"]
passports:
  description: The string for Open edX Studio for each listed consumer, by key.
  type: dict
  returned: when O(return_passports=true), and not in check mode
  sample:
    fun: atelier:fun:...
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils import _consumers
from ansible_collections.mooc.atelier.plugins.module_utils._schema.consumer import CONSUMER
from ansible_collections.mooc.atelier.plugins.module_utils._schema.specs import module_options


class Manager:
    """Reads the file, compares it with the wanted list, and replaces it if they differ."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, Any] = module.params
        self.path = Path(module.params["path"])

    def read(self) -> tuple[_consumers.Consumer, ...]:
        """Return the consumers in the file; empty if the file does not exist."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise _consumers.ConsumersError(f"{self.path} cannot be read: {error}") from error
        return _consumers.load(text, str(self.path))

    def write(self, text: str) -> None:
        """Validate the new content, then replace the file atomically, with its new mode."""
        descriptor, name = tempfile.mkstemp(dir=self.module.tmpdir)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if self.params["validate"]:
            code, _, said = self.module.run_command(self.params["validate"].replace("%s", name))
            if code != 0:
                raise _consumers.ConsumersError(
                    f"the new content of {self.path} was refused: {said.strip()[:400]}"
                )
        self.module.atomic_move(name, str(self.path))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Lock against concurrent runs; the lock is on the folder, so it leaves no file behind."""
        try:
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            if not self.module.check_mode:
                raise _consumers.ConsumersError(f"{self.path.parent} does not exist") from None
            yield
            return
        except OSError as error:
            raise _consumers.ConsumersError(
                f"{self.path.parent} cannot be opened: {error.strerror}"
            ) from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def run(self) -> dict[str, Any]:
        """Bring the file to the wanted state; return the module's result."""
        with self.alone():
            return self.change()

    def change(self) -> dict[str, Any]:
        """Read the file, compare, and write it if needed; return the module's result."""
        before, wanted = self.read(), _consumers.read(self.params["consumers"])
        change = _consumers.change(
            before, wanted, datetime.now(UTC), exclusive=self.params["exclusive"]
        )
        write = change.changed or not self.path.exists()
        if write and not self.module.check_mode:
            self.write(_consumers.dump(change.after))
        changed = write
        if self.path.exists():
            arguments = self.module.load_file_common_arguments(self.params)
            changed = self.module.set_fs_attributes_if_different(arguments, changed)
        result: dict[str, Any] = {
            "changed": changed,
            "consumers": [described(one) for one in change.after],
            "diff": {"before": change.shown_before, "after": change.shown_after},
        }
        if self.params["return_passports"] and not self.module.check_mode:
            listed = {one.key for one in wanted}
            shown = [one for one in change.after if one.key in listed]
            name = self.params["passport_name"]
            result["passports"] = {one.key: one.passport(name) for one in shown}
            # The task asks for the passports, so do not mask their secrets. The result does not
            # contain the arguments, in which they would be visible, too.
            self.module.no_log_values -= {one.secret for one in shown}
            result["invocation"] = {"module_args": {"path": str(self.path)}}
        return result


def described(consumer: _consumers.Consumer) -> dict[str, Any]:
    """Return a consumer for the result."""
    shown = consumer.shown("")
    del shown["secret"]
    return {"key": consumer.key, **shown}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/atelier/consumers.yml"},
            "consumers": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "no_log": False,
                "options": module_options(CONSUMER),
            },
            "exclusive": {"type": "bool", "default": False},
            "return_passports": {"type": "bool", "default": False, "no_log": False},
            "passport_name": {"type": "str", "default": "atelier", "no_log": False},
            "validate": {"type": "str"},
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    if not _consumers.HAS_YAML:
        module.fail_json(
            msg="PyYAML is needed on the server: Debian's package python3-yaml brings it."
        )
    # A new file must not be readable for others before its mode is set.
    os.umask(0o077)
    try:
        result = Manager(module).run()
    except _consumers.ConsumersError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
