# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Creates and changes files and directories on the target, for the module `files`."""

from __future__ import annotations

import base64
import grp
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._patterns import is_pattern, matches

HIDDEN = "(not shown)\n"
BINARY = "(binary)\n"
FILE_MODE, DIRECTORY_MODE = "0644", "0755"


class FileWriter:
    """Compares each entry with the machine and writes the differences.

    Args:
        module: the running module.
        contents: files that were read or rendered on the controller, in base64, by `dest`.

    Attributes:
        changed: the paths that were changed, or would be in check mode; the values are unused.
        diffs: the changes for `--diff`, in order.
    """

    def __init__(self, module: AnsibleModule, contents: dict[str, str]) -> None:
        self.module = module
        self.contents = contents
        self.changed: dict[str, None] = {}
        self.diffs: list[dict[str, str]] = []
        self._planned: dict[str, bytes] = {}  # in check mode: contents that later entries copy

    def apply(self, entries: list[dict[str, Any]]) -> None:
        """Apply all entries; in check mode, record what would change."""
        fail = self.module.fail_json

        def fail_with_changes(msg: str, **details: Any) -> None:
            changed = {"changed": bool(self.changed), "changed_paths": list(self.changed)}
            fail(msg, **(changed | details))

        # Ansible's own helpers call fail_json, too, and do not know what was changed before.
        self.module.fail_json = fail_with_changes
        for entry in entries:
            self._check_names(entry)
        for entry in entries:
            try:
                self._apply(entry)
            except OSError as error:
                self.module.fail_json(msg=f"{entry['dest']}: {error}")

    def _check_names(self, entry: dict[str, Any]) -> None:
        """Fail if a user or a group is missing; in check mode it may not have been created yet."""
        if self.module.check_mode or entry["state"] not in ("file", "directory"):
            return
        for kind, find in (("owner", pwd.getpwnam), ("group", grp.getgrnam)):
            name = entry[kind]
            if name and not _is_known(name, find):
                self.module.fail_json(
                    msg=f"{entry['dest']} shall have the {kind} '{name}', which is not known here."
                )

    def _apply(self, entry: dict[str, Any]) -> None:
        doers: dict[str, Callable[[Path, dict[str, Any]], None]] = {
            "absent": self._absent,
            "directory": self._directory,
            "existing": self._existing,
            "file": self._file,
        }
        many = entry["state"] in ("absent", "existing") and is_pattern(entry["dest"])
        self._check_kept(entry)
        for path in matches([entry["dest"]]) if many else [Path(entry["dest"])]:
            doers[entry["state"]](path, entry)

    def _check_kept(self, entry: dict[str, Any]) -> None:
        """Fail if a link in `keep` is missing: everything would be removed, its target included."""
        folder = Path(entry["dest"]).parent
        for one in entry["keep"]:
            if not (self.module.check_mode or os.path.lexists(one) or Path(one).parent == folder):
                self.module.fail_json(
                    msg=f"{entry['dest']} was left as it is: {one}, which says what to keep, is"
                    " missing."
                )

    def _absent(self, path: Path, entry: dict[str, Any]) -> None:
        real = Path(os.path.realpath(path))
        kept = [Path(os.path.realpath(one)) for one in entry["keep"]]
        if not os.path.lexists(path) or any(one.is_relative_to(real) for one in kept):
            return
        if not self.module.check_mode:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        self._note(path, "present\n", "absent\n")

    def _existing(self, path: Path, entry: dict[str, Any]) -> None:
        if path.is_file() and not path.is_symlink():
            self._attributes(path, entry, FILE_MODE)

    def _directory(self, path: Path, entry: dict[str, Any]) -> None:
        if os.path.lexists(path) and not path.is_dir():
            self.module.fail_json(msg=f"{path} is not a directory: move it away.")
        if not path.exists():
            if not self.module.check_mode:
                path.mkdir(parents=True)
            self._note(path, "absent\n", "directory\n")
        self._attributes(path, entry, DIRECTORY_MODE)

    def _file(self, path: Path, entry: dict[str, Any]) -> None:
        if path.is_dir():
            self.module.fail_json(msg=f"{path} is a directory: move it away.")
        if path.exists() and not path.is_file():
            self.module.fail_json(msg=f"{path} is a device, a socket or a pipe: move it away.")
        plain = path.is_file() and not path.is_symlink()
        given = entry["dest"] in self.contents or entry["remote_src"] is not None
        if path.is_file() and not (given and entry["force"]):
            if plain:  # the target of a link is not changed
                self._attributes(path, entry, FILE_MODE)
            return
        wanted = self._wanted(path, entry)
        if wanted is None:  # in check mode: its source does not exist yet
            self._note(path, "", HIDDEN)
            return
        before = path.read_bytes() if plain else None
        if before != wanted:
            if self.module.check_mode:  # not validated: that command may not be installed yet
                self._planned[str(path)] = wanted
            else:
                self._write(path, entry, wanted, plain=plain)
            self._note(path, *_sides(before, wanted, entry["diff"]))
        if plain or not self.module.check_mode:
            self._attributes(path, entry, FILE_MODE)

    def _wanted(self, path: Path, entry: dict[str, Any]) -> bytes | None:
        if entry["remote_src"] is None:
            return base64.b64decode(self.contents.get(entry["dest"], ""))
        source = Path(entry["remote_src"])
        if str(source) in self._planned:
            return self._planned[str(source)]
        if self.module.check_mode and not source.exists():
            return None
        if not source.is_file():
            self.module.fail_json(msg=f"{path} shall be a copy of {source}, which is no file.")
        return source.read_bytes()

    def _write(self, path: Path, entry: dict[str, Any], content: bytes, *, plain: bool) -> None:
        """Validate the content in a temporary file, then replace the file atomically.

        At no time can a user read the new content who may not read the final file.
        """
        handle, name = tempfile.mkstemp(dir=self.module.tmpdir)
        mask = os.umask(0o777 & ~int(entry["mode"] or FILE_MODE, 8))
        try:
            with os.fdopen(handle, "wb") as new:
                new.write(content)
            if entry["validate"]:
                self._validate(path, entry, name)
            if not path.parent.is_dir():
                self.module.fail_json(msg=f"{path} cannot be written: {path.parent} is missing.")
            if plain:
                if entry["backup"]:
                    self.module.backup_local(str(path))
                self._attributes(path, entry, FILE_MODE)  # the new file inherits them
            self.module.atomic_move(
                name, str(path), unsafe_writes=entry["unsafe_writes"], keep_dest_attrs=plain
            )
        except OSError:
            raise
        except Exception as error:  # Ansible raises no subclass; __cause__ has the reason
            cause = f" ({error.__cause__})" if error.__cause__ else ""
            self.module.fail_json(msg=f"{path} could not be written: {error}{cause}")
        finally:
            os.umask(mask)
            Path(name).unlink(missing_ok=True)

    def _validate(self, path: Path, entry: dict[str, Any], name: str) -> None:
        command = entry["validate"]
        try:
            code, out, error = self.module.run_command(
                command.replace("%s", name), handle_exceptions=False
            )
        except OSError as failure:
            code, out, error = 127, "", str(failure)
        if code:
            said = (error or out).strip() or f"it ended with {code} and said nothing"
            shown = entry["validate_shown"]
            if not (entry["diff"] if shown is None else shown):  # it may quote the content
                said = "what it says is not shown, for the file holds secrets"
            self.module.fail_json(
                msg=f"{path} was left as it is: the new one is refused by '{command}': {said}"
            )

    def _attributes(self, path: Path, entry: dict[str, Any], mode: str) -> None:
        """Set owner, group and mode; in check mode, skip paths that do not exist yet."""
        if self.module.check_mode and not path.exists():
            return
        arguments = self.module.load_file_common_arguments(
            {
                "path": str(path),
                "mode": entry["mode"] or mode,
                "owner": self._known(entry["owner"], pwd.getpwnam),
                "group": self._known(entry["group"], grp.getgrnam),
            }
        )
        arguments["path"] = os.path.realpath(path)  # a directory may be a link
        diff: dict[str, Any] = {}
        if self.module.set_fs_attributes_if_different(arguments, False, diff, expand=False):
            sides = [_sentence(diff.get(side, {})) for side in ("before", "after")]
            self._note(path, *sides)

    def _known(self, name: str, find: Callable[[str], Any]) -> str | None:
        """Return the name; None (keep the present one) for unknown names in check mode."""
        if not name or (self.module.check_mode and not _is_known(name, find)):
            return None
        return name

    def _note(self, path: Path, before: str, after: str) -> None:
        self.changed[str(path)] = None
        if self.module._diff:
            headers = {"before_header": str(path), "after_header": str(path)}
            self.diffs.append({"before": before, "after": after, **headers})


def _is_known(name: str, find: Callable[[str], Any]) -> bool:
    if name.isdecimal():
        return True
    try:
        find(name)
    except KeyError:
        return False
    return True


def _sides(before: bytes | None, after: bytes, shown: bool) -> tuple[str, str]:
    if not shown:
        return (HIDDEN if before is not None else "", f"another content {HIDDEN}")
    old, new = (BINARY if b"\0" in one else one.decode(errors="replace")
                for one in (before or b"", after))  # fmt: skip
    return old, new


def _sentence(attributes: dict[str, Any]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in attributes.items() if name != "path")
