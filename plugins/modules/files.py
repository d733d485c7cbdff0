#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Keep several files and directories as described, in one round trip: the target's half."""

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
    before it are done.
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
        type: path
        required: true
      state:
        description:
          - What there shall be. V(directory) makes those above it too. V(absent) removes what is
            there, but for O(files[].keep). V(existing) makes nothing, and sets owner, group and
            mode of the files that are there.
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
        type: path
      keep:
        description: Paths that O(files[].state=absent) leaves; a link stands for what it leads to.
        type: list
        elements: path
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
        description: Mode in octal digits; by default C(0644) for files and C(0755) for directories.
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
        description: Whether the difference between contents may be shown; V(false) for secrets.
        type: bool
        default: true
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
  returned: success
  type: list
  elements: str
"""

import base64
import grp
import json
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._patterns import is_pattern, matches

FILE_OPTIONS: dict[str, Any] = {
    "dest": {"type": "path", "required": True},
    "state": {"choices": ["file", "directory", "absent", "existing"], "default": "file"},
    "when": {"type": "bool", "default": True},
    "content": {},
    "src": {"type": "path"},
    "template": {},
    "vars": {"type": "dict", "default": {}},
    "remote_src": {"type": "path"},
    "keep": {"type": "list", "elements": "path", "default": []},
    "force": {"type": "bool", "default": True},
    "owner": {"default": "root"},
    "group": {"default": "root"},
    "mode": {},
    "validate": {},
    "backup": {"type": "bool", "default": False},
    "unsafe_writes": {"type": "bool", "default": False},
    "diff": {"type": "bool", "default": True},
}
ARGUMENTS: dict[str, Any] = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE_OPTIONS},
    # One text for all of them, which Ansible hides as a whole: each short content would be hidden
    # wherever it is seen.
    "contents": {"no_log": True},
}
HIDDEN = "(not shown)\n"


class Keeper:
    """Compares each entry with the machine and writes what differs."""

    def __init__(self, module: AnsibleModule, contents: dict[str, str]) -> None:
        self.module = module
        self.contents = contents
        self.changed: list[str] = []
        self.diffs: list[dict[str, Any]] = []

    def keep(self, entry: dict[str, Any]) -> None:
        """Make one entry true; in check mode, note what would change."""
        path = Path(entry["dest"])
        doers: dict[str, Callable[[Path, dict[str, Any]], bool]] = {
            "absent": self._absent,
            "directory": self._directory,
            "existing": self._existing,
            "file": self._file,
        }
        many = entry["state"] in ("absent", "existing") and is_pattern(entry["dest"])
        for one in matches([entry["dest"]]) if many else [path]:
            if doers[entry["state"]](one, entry):
                self.changed.append(str(one))

    def _absent(self, path: Path, entry: dict[str, Any]) -> bool:
        kept = {Path(one).resolve() for one in entry["keep"]}
        if not os.path.lexists(path) or path.resolve() in kept:
            return False
        self._show(path, "present\n", "absent\n")
        if not self.module.check_mode:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        return True

    def _existing(self, path: Path, entry: dict[str, Any]) -> bool:
        return path.is_file() and self._attributes(path, entry, "0644")

    def _directory(self, path: Path, entry: dict[str, Any]) -> bool:
        if os.path.lexists(path) and not path.is_dir():
            self.module.fail_json(msg=f"{path} is not a directory: move it away.")
        made = not path.exists()
        if made:
            self._show(path, "absent\n", "directory\n")
            if not self.module.check_mode:
                path.mkdir(parents=True)
        return self._attributes(path, entry, "0755") or made

    def _file(self, path: Path, entry: dict[str, Any]) -> bool:
        if path.is_dir():
            self.module.fail_json(msg=f"{path} is a directory: move it away.")
        plain = path.is_file() and not path.is_symlink()
        wanted = self._wanted(path, entry)
        if wanted is None:  # in check mode: what it is copied from is not there yet
            self._show(path, "", HIDDEN)
            return True
        before = path.read_bytes() if plain else None
        keep = plain and not (entry["force"] and self._has_content(entry))
        written = not keep and before != wanted
        if written:
            self._show_contents(path, entry, before, wanted)
            self._write(path, entry, wanted, backup=plain and entry["backup"])
        return self._attributes(path, entry, "0644") or written

    def _has_content(self, entry: dict[str, Any]) -> bool:
        return entry["dest"] in self.contents or entry["remote_src"] is not None

    def _wanted(self, path: Path, entry: dict[str, Any]) -> bytes | None:
        if entry["remote_src"] is not None:
            source = Path(entry["remote_src"])
            if source.is_file():
                return source.read_bytes()
            if self.module.check_mode:
                return None
            self.module.fail_json(msg=f"{path} shall be a copy of {source}, which is no file.")
        return base64.b64decode(self.contents.get(entry["dest"], ""))

    def _write(self, path: Path, entry: dict[str, Any], content: bytes, *, backup: bool) -> None:
        """Validate the content in a file of its own, then put it in place."""
        if self.module.check_mode:  # what validates it may not be there yet
            return
        handle, name = tempfile.mkstemp(dir=self.module.tmpdir)
        try:
            with os.fdopen(handle, "wb") as new:
                new.write(content)
            if entry["validate"]:
                self._validate(path, entry["validate"], name)
            if not path.parent.is_dir():
                self.module.fail_json(msg=f"{path} cannot be written: {path.parent} is missing.")
            if backup:
                self.module.backup_local(str(path))
            if path.is_symlink():
                path.unlink()
            self.module.atomic_move(name, str(path), unsafe_writes=entry["unsafe_writes"])
        finally:
            Path(name).unlink(missing_ok=True)

    def _validate(self, path: Path, command: str, name: str) -> None:
        code, out, error = self.module.run_command(command.replace("%s", name))
        if code:
            said = (error or out).strip()
            self.module.fail_json(
                msg=f"{path} was left as it is: the new one is refused by '{command}': {said}",
                changed_paths=self.changed,
            )

    def _attributes(self, path: Path, entry: dict[str, Any], mode: str) -> bool:
        """Set owner, group and mode. In check mode, what is still to be made is not looked at."""
        if self.module.check_mode and not path.exists():
            return False
        arguments = self.module.load_file_common_arguments(
            {
                "path": str(path),
                "mode": entry["mode"] or mode,
                "owner": self._known(entry["owner"], pwd.getpwnam),
                "group": self._known(entry["group"], grp.getgrnam),
            }
        )
        diff: dict[str, Any] = {}
        changed: bool = self.module.set_fs_attributes_if_different(arguments, False, diff)
        if changed:
            sides = {side: _sentence(diff.get(side, {})) for side in ("before", "after")}
            self._show(path, sides["before"], sides["after"])
        return changed

    def _known(self, name: str, find: Callable[[str], Any]) -> str | None:
        """Return the name; None leaves it alone, as in check mode where it is still to be made."""
        if not name:
            return None
        if self.module.check_mode:
            try:
                find(name)
            except KeyError:
                return None
        return name

    def _show_contents(
        self, path: Path, entry: dict[str, Any], before: bytes | None, after: bytes
    ) -> None:
        if entry["diff"]:
            old = (before or b"").decode(errors="replace")
            self._show(path, old, after.decode(errors="replace"))
        else:
            self._show(path, HIDDEN if before is not None else "", f"another content {HIDDEN}")

    def _show(self, path: Path, before: str, after: str) -> None:
        headers = {"before_header": str(path), "after_header": str(path)}
        self.diffs.append({"before": before, "after": after, **headers})


def _sentence(attributes: dict[str, Any]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in attributes.items() if name != "path")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    contents: dict[str, str] = json.loads(module.params["contents"] or "{}")
    keeper = Keeper(module, contents)
    for entry in module.params["files"]:
        try:
            keeper.keep(entry)
        except OSError as error:
            module.fail_json(msg=f"{entry['dest']}: {error}", changed_paths=keeper.changed)
    module.exit_json(changed=bool(keeper.changed), changed_paths=keeper.changed, diff=keeper.diffs)


if __name__ == "__main__":
    main()
