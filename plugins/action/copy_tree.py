# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a directory on the target equal to one of the controller: the controller's half.

Asks the target what differs and sends one archive when something does: a copy file by file takes
several round trips for each of them, on unchanged runs too.
"""

from __future__ import annotations

import fnmatch
import hashlib
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.mooc.atelier.plugins.modules.copy_tree import EXCLUDE

MODULE = "mooc.atelier.copy_tree"


def walk(root: Path, exclude: list[str]) -> Iterator[Path]:
    """Yield a directory's files in a stable order, through links, without the excluded names.

    Raises:
        AnsibleActionFail: a link leads to nothing or back to a directory it lies in.
    """

    def wanted(name: str) -> bool:
        return not any(fnmatch.fnmatch(name, pattern) for pattern in exclude)

    def enter(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
        real = folder.resolve()
        if real in above:
            raise AnsibleActionFail(f"{folder} is a link to a directory it lies in.")
        for entry in sorted(folder.iterdir()):
            if not wanted(entry.name):
                continue
            if entry.is_dir():
                yield from enter(entry, (*above, real))
            elif entry.is_file():
                yield entry
            else:
                raise AnsibleActionFail(f"{entry} is no file and no directory (a broken link?).")

    yield from enter(root, ())


def describe(root: Path, exclude: list[str]) -> dict[str, dict[str, str]]:
    """Return what the target's directory must hold: relative path -> sha256 and mode."""
    return {
        path.relative_to(root).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "mode": "0755" if path.stat().st_mode & 0o100 else "0644",
        }
        for path in walk(root, exclude)
    }


class ActionModule(ActionBase):
    """Compare, then send what is needed."""

    TRANSFERS_FILES = True
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if not arguments.get("src") or not arguments.get("dest"):
            raise AnsibleActionFail("copy_tree needs src and dest.")
        try:
            root = Path(self._find_needle("files", str(arguments["src"])))
        except AnsibleError as error:
            raise AnsibleActionFail(str(error)) from error
        if not root.is_dir():
            raise AnsibleActionFail(f"{root} is not a directory.")
        exclude = [str(pattern) for pattern in arguments.get("exclude", EXCLUDE)]
        arguments |= {"src": str(root), "exclude": exclude, "manifest": describe(root, exclude)}

        result = self._run(arguments, task_vars)
        if result.get("failed") or not result.get("changed") or self._task.check_mode:
            return result
        with tempfile.TemporaryDirectory(prefix="atelier-") as folder:
            archive = Path(folder) / "tree.tar.gz"
            with tarfile.open(archive, "w:gz", dereference=True) as tar:
                for name in arguments["manifest"]:
                    tar.add(str(root / name), arcname=name)
            if not self._connection._shell.tmpdir:
                self._make_tmp_path()
            remote = self._connection._shell.join_path(
                self._connection._shell.tmpdir, "tree.tar.gz"
            )
            self._transfer_file(str(archive), remote)
            self._fixup_perms2((self._connection._shell.tmpdir, remote))
        try:
            return self._run(arguments | {"archive": remote}, task_vars)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _run(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=arguments, task_vars=task_vars
        )
        # The manifest is how the halves speak to each other: nobody wants to read it.
        result.get("invocation", {}).get("module_args", {}).pop("manifest", None)
        return result
