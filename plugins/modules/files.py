#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Target's half of `mooc.atelier.files`: manages files and directories in one round trip."""

from __future__ import annotations

DOCUMENTATION = r"""
module: files
short_description: Keep several files and directories as described, in one round trip
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Does for a list of files and directories what M(ansible.builtin.copy),
    M(ansible.builtin.template) and M(ansible.builtin.file) do for one, in the order of the list.
  - Nothing is written before the whole list has been understood. A file is validated before it
    replaces the one there, and replaced at once. The first one that fails ends the task; those
    before it are done, and named in RV(changed_paths).
  - Paths on the target are absolute and taken as they are, without C(~) and variables.
options:
  files:
    description:
      - What there shall be. A file needs one of C(content), C(src), C(template), C(remote_src);
        without any of them, an empty file is made where there is none, and its content is left
        alone.
    type: list
    elements: dict
    required: true
    suboptions:
      dest:
        description:
          - Absolute path on the target. With O(files[].state=absent) and
            O(files[].state=existing), a pattern of the shell stands for the paths that it matches.
            A file replaces a link; a directory may be a link to one.
        type: str
        required: true
      state:
        description:
          - What there shall be. V(directory) makes those above it too. V(absent) removes what is
            there, but for O(files[].keep). V(existing) makes nothing, and sets owner, group and
            mode of the files that are there; it passes over links.
        type: str
        choices: [file, directory, absent, existing]
        default: file
      when:
        description: Whether the entry counts; V(false) leaves the path alone.
        type: bool
        default: true
      content:
        description: Text of the file.
        type: str
      src:
        description: File on the controller; a relative path is looked for as with
          M(ansible.builtin.copy).
        type: path
      template:
        description: Template on the controller, looked for as with M(ansible.builtin.template).
        type: str
      vars:
        description: More variables for O(files[].template).
        type: dict
        default: {}
      remote_src:
        description: File on the target to copy.
        type: str
      keep:
        description: Paths that O(files[].state=absent) leaves, with the directories they are in; a
          link stands for what it leads to.
        type: list
        elements: str
        default: []
      force:
        description: Whether a file that is there is given the content; V(false) only makes one
          that is missing.
        type: bool
        default: true
      owner:
        description: Owner; an empty text leaves it alone.
        type: str
        default: root
      group:
        description: Group; an empty text leaves it alone.
        type: str
        default: root
      mode:
        description: Mode in octal digits, as a quoted text; by default C(0644) for files and
          C(0755) for directories.
        type: str
      validate:
        description: Command that must succeed before the file is put in place; C(%s) is the path
          of the new one.
        type: str
      backup:
        description: Whether a file that is replaced is kept beside it, under a name with the time.
        type: bool
        default: false
      unsafe_writes:
        description: Whether a file that cannot be replaced at once, as on a mounted one, may be
          written to.
        type: bool
        default: false
      diff:
        description: Whether the difference between contents, and what O(files[].validate) says of
          them, may be shown; V(false) for secrets.
        type: bool
        default: true
      validate_shown:
        description: Whether what O(files[].validate) says may be shown all the same, as it quotes
          no secret. By default as O(files[].diff).
        type: bool
  contents:
    description:
      - Contents by path, as one JSON text of base64 texts. Filled in by the controller's half;
        leave it out.
    type: str
attributes:
  check_mode:
    support: full
    description: Says whether and what it would change.
  diff_mode:
    support: full
    description: Shows contents, owners and modes, but no content of an entry with
      O(files[].diff=false).
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Write the firewall's rules and the unit that applies them
  mooc.atelier.files:
    files:
      - dest: /usr/local/sbin/atelier-firewall
        template: atelier-firewall.sh.j2
        mode: "0755"
        validate: sh -n %s
      - dest: /etc/systemd/system/atelier-firewall.service
        template: atelier-firewall.service.j2
"""

RETURN = r"""
changed_paths:
  description: Paths of O(files) that were changed, or would be in check mode.
  returned: always
  type: list
  elements: str
"""

import json
import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._files import FileWriter

# Paths on the target have type str: Ansible would expand "~" and "$" on the controller otherwise.
FILE_OPTIONS: dict[str, Any] = {
    "dest": {"required": True},
    "state": {"choices": ["file", "directory", "absent", "existing"], "default": "file"},
    "when": {"type": "bool", "default": True},
    "content": {},
    "src": {"type": "path"},
    "template": {},
    "vars": {"type": "dict", "default": {}},
    "remote_src": {},
    "keep": {"type": "list", "elements": "str", "default": []},
    "force": {"type": "bool", "default": True},
    "owner": {"default": "root"},
    "group": {"default": "root"},
    "mode": {},
    "validate": {},
    "backup": {"type": "bool", "default": False},
    "unsafe_writes": {"type": "bool", "default": False},
    "diff": {"type": "bool", "default": True},
    "validate_shown": {"type": "bool"},
}
ARGUMENTS: dict[str, Any] = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE_OPTIONS},
    # One text for all contents, which Ansible masks as a whole. It would otherwise mask each short
    # content everywhere in the output.
    "contents": {"no_log": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    os.umask(0o022)  # for parent directories, independent of the user's umask
    keeper = FileWriter(module, json.loads(module.params["contents"] or "{}"))
    keeper.apply(module.params["files"])
    module.exit_json(
        changed=bool(keeper.changed), changed_paths=list(keeper.changed), diff=keeper.diffs
    )


if __name__ == "__main__":
    main()
