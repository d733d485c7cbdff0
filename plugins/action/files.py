# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Keep several files and directories as described: the controller's half."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible_collections.mooc.atelier.plugins.modules.files import ARGUMENTS

MODULE = "mooc.atelier.files"
SOURCES = ("content", "src", "template", "remote_src")


def checked(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries that count, with defaults filled in.

    Raises:
        AnsibleActionFail: an entry is not understood, or two are of the same path; names it.
    """
    result = ArgumentSpecValidator(ARGUMENTS).validate(arguments)
    if result.error_messages:
        raise AnsibleActionFail(f"files: {'; '.join(result.error_messages)}")
    entries = [entry for entry in result.validated_parameters["files"] if entry["when"]]
    seen: set[str] = set()
    for entry in entries:
        dest = entry["dest"]
        given = [source for source in SOURCES if entry[source] is not None]
        if not dest.startswith("/"):
            raise AnsibleActionFail(f"files: dest must be an absolute path, and is {dest!r}.")
        if dest in seen:
            raise AnsibleActionFail(f"files: {dest} is there twice.")
        if len(given) > (entry["state"] == "file"):
            raise AnsibleActionFail(
                f"files: {dest} has {' and '.join(given)}: a file takes one of"
                f" {', '.join(SOURCES)}, a directory or an absent path none."
            )
        if entry["validate"] and "%s" not in entry["validate"]:
            raise AnsibleActionFail(f"files: validate of {dest} needs %s, for the new file's path.")
        seen.add(dest)
    return entries


class ActionModule(ActionBase):
    """Read sources and render templates, then let the target compare all of them at once."""

    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        entries = checked({"files": self._task.args.get("files", [])})
        contents = {}
        for entry in entries:
            content = self._content(entry, task_vars or {})
            if content is not None:
                contents[entry["dest"]] = base64.b64encode(content).decode()
        plain = [
            {name: value for name, value in entry.items() if name not in ("content", "vars")}
            for entry in entries
        ]
        arguments: dict[str, Any] = {"files": plain}
        if contents:  # an empty one would be hidden too: each "{}" of the result
            arguments["contents"] = json.dumps(contents)
        result: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=arguments, task_vars=task_vars
        )
        return result

    def _content(self, entry: dict[str, Any], task_vars: dict[str, Any]) -> bytes | None:
        if entry["content"] is not None:
            return str(entry["content"]).encode()
        if entry["src"] is not None:
            try:
                found = self._find_needle("files", entry["src"])
            except AnsibleError as error:
                raise AnsibleActionFail(f"files: {entry['dest']}: {error}") from error
            return Path(self._loader.get_real_file(found)).read_bytes()
        if entry["template"] is not None:
            return self._render(entry, task_vars)
        return None

    def _render(self, entry: dict[str, Any], task_vars: dict[str, Any]) -> bytes:
        lookup = lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        (text,) = lookup.run([entry["template"]], variables=task_vars, template_vars=entry["vars"])
        return str(text).encode()
