# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Controller's half of `mooc.atelier.files`: manages several files and directories."""

from __future__ import annotations

import base64
import json
import os.path
import re
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.text.converters import to_bytes
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible_collections.mooc.atelier.plugins.module_utils._patterns import is_pattern
from ansible_collections.mooc.atelier.plugins.modules.files import ARGUMENTS

MODULE = "mooc.atelier.files"
SOURCES = ("content", "src", "template", "remote_src")
OCTAL = re.compile(r"[0-7]{3,4}")


def checked(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries whose `when` is true, with defaults filled in.

    Raises:
        AnsibleActionFail: an entry is invalid, or two have the same path; the text names it.
    """
    result = ArgumentSpecValidator(ARGUMENTS).validate(arguments)
    if result.error_messages:
        raise AnsibleActionFail(f"files: {'; '.join(result.error_messages)}")
    seen: set[str] = set()
    entries = []
    # Keep the given values, too: validation converts numbers and lists to text.
    for given, entry in zip(arguments["files"], result.validated_parameters["files"], strict=True):
        if not entry["when"]:
            continue
        dest = entry["dest"]
        if fault := _fault(given if isinstance(given, dict) else entry, entry):
            raise AnsibleActionFail(f"files: {dest}: {fault}")
        same = f"/{os.path.normpath(dest).lstrip('/')}"
        if same in seen:
            raise AnsibleActionFail(f"files: {dest} is there twice.")
        seen.add(same)
        entries.append(entry)
    return entries


def _fault(given: dict[str, Any], entry: dict[str, Any]) -> str:
    """Return the problem of an entry, or an empty text."""
    dest, state = entry["dest"], entry["state"]
    absolute = {"dest": [dest], "keep": entry["keep"], "remote_src": [entry["remote_src"] or "/"]}
    for option, paths in absolute.items():
        for path in paths:
            if not path.startswith("/"):
                return f"{option} must be an absolute path, and is {path!r}."
    parts = Path(os.path.normpath(dest)).parts[1:]
    if not parts or (state == "absent" and is_pattern(parts[0])):
        return "that is the whole machine."
    sources = [source for source in SOURCES if entry[source] is not None]
    if len(sources) > (state == "file"):
        return (
            f"{' and '.join(sources)} cannot be: a file takes one of {', '.join(SOURCES)},"
            " a directory, an existing and an absent path none."
        )
    if isinstance(given.get("content"), (dict, list, tuple)):
        return "content must be a text; the filters to_nice_json and to_nice_yaml make one."
    mode = given.get("mode") or ""
    if mode and not (isinstance(mode, str) and OCTAL.fullmatch(mode)):
        return f"mode must be three or four octal digits in quotes, and is {mode!r}."
    if entry["validate"] and "%s" not in entry["validate"]:
        return "validate needs %s, for the new file's path."
    return ""


class ActionModule(ActionBase):
    """Reads sources and renders templates, then lets the target compare all of them at once."""

    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        entries = checked(dict(self._task.args))
        contents = {}
        for entry in entries:
            try:
                content = self._content(entry, task_vars or {})
            except (AnsibleError, OSError) as error:
                raise AnsibleActionFail(f"files: {entry['dest']}: {error}") from error
            if content is not None:
                contents[entry["dest"]] = base64.b64encode(content).decode()
        plain = [
            {name: value for name, value in entry.items() if name not in ("content", "vars")}
            for entry in entries
        ]
        if not plain:
            return {"changed": False, "changed_paths": []}
        arguments: dict[str, Any] = {"files": plain}
        if contents:  # Ansible would also mask each "{}" in the result
            arguments["contents"] = json.dumps(contents)
        result: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=arguments, task_vars=task_vars
        )
        return result

    def _content(self, entry: dict[str, Any], task_vars: dict[str, Any]) -> bytes | None:
        content: bytes | None = None
        if entry["content"] is not None:
            content = to_bytes(entry["content"])
        elif entry["src"] is not None:
            content = self._read(self._find_needle("files", entry["src"]))
        elif entry["template"] is not None:
            content = self._render(entry, task_vars)
        return content

    def _read(self, found: str) -> bytes:
        """Read a file of the controller; decrypt it if it is a vault."""
        real = self._loader.get_real_file(found)
        try:
            return Path(real).read_bytes()
        finally:
            self._loader.cleanup_tmp_file(real)  # removes the decrypted copy

    def _render(self, entry: dict[str, Any], task_vars: dict[str, Any]) -> bytes:
        lookup = lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        (text,) = lookup.run([entry["template"]], variables=task_vars, template_vars=entry["vars"])
        rendered: bytes = to_bytes("" if text is None else str(text))
        return rendered
