# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller's half of `mooc.atelier.copy_tree`: copies directories to the target.

Asks the target for differences and sends one archive if there are any. To copy file by file would
take several round trips for each file, also without changes.
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
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.mooc.atelier.plugins.modules.copy_tree import EITHER, arguments

MODULE = "mooc.atelier.copy_tree"


def walk(root: Path, exclude: list[str]) -> Iterator[Path]:
    """Yield a directory's files in a stable order without the excluded names; follow links.

    Raises:
        AnsibleActionFail: a link is broken, or leads to a directory that contains it.
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
    """Return the wanted content of the target's directory: relative path -> sha256 and mode."""
    return {
        path.relative_to(root).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "mode": "0755" if path.stat().st_mode & 0o100 else "0644",
        }
        for path in walk(root, exclude)
    }


def listed(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the directories to copy, with the names to exclude.

    Raises:
        AnsibleActionFail: the arguments are invalid.
    """
    result = ArgumentSpecValidator(arguments(dest="str"), **EITHER).validate(given)
    if result.error_messages:
        raise AnsibleActionFail(f"copy_tree: {'; '.join(result.error_messages)}")
    options = result.validated_parameters
    trees = [options] if options["trees"] is None else options["trees"]
    for tree in trees:
        if not tree["src"] or not tree["dest"]:
            raise AnsibleActionFail(f"copy_tree: {tree['dest']}: src and dest must not be empty.")
    names = ("src", "dest", "exclude")
    return [
        {name: options[name] if tree[name] is None else tree[name] for name in names}
        for tree in trees
    ]


class ActionModule(ActionBase):
    """Compares the directories, then sends the changed ones."""

    # Most runs send nothing, so the temporary folder on the target is only created if needed.
    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        given = dict(self._task.args)
        trees = listed(given)
        manifests = []
        for tree in trees:
            try:
                tree["src"] = self._find_needle("files", tree["src"])
                if not Path(tree["src"]).is_dir():
                    raise AnsibleActionFail(f"{tree['src']} is not a directory.")
                manifests.append(describe(Path(tree["src"]), tree["exclude"]))
            except (AnsibleError, OSError) as error:
                raise AnsibleActionFail(f"{tree['dest']}: {error}") from error
        sent = {"trees": trees} if given.get("trees") is not None else dict(trees[0])
        sent["manifests"] = manifests

        result, needed = self._run(sent, task_vars)
        if result.get("failed") or not result.get("changed") or self._task.check_mode:
            return result
        with tempfile.TemporaryDirectory(prefix="atelier-") as folder:
            archive = Path(folder) / "trees.tar.gz"
            with tarfile.open(archive, "w:gz", dereference=True) as tar:
                for index in needed:
                    for name in manifests[index]:
                        tar.add(str(Path(trees[index]["src"]) / name), arcname=f"{index}/{name}")
            if not self._connection._shell.tmpdir:
                self._make_tmp_path()
            remote = self._connection._shell.join_path(
                self._connection._shell.tmpdir, "trees.tar.gz"
            )
            self._transfer_file(str(archive), remote)
            self._fixup_perms2((self._connection._shell.tmpdir, remote))
        try:
            return self._run(sent | {"archive": remote}, task_vars)[0]
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _run(
        self, sent: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> tuple[dict[str, Any], list[int]]:
        """Return the module's result, and the indices of the trees that it needs."""
        result: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=sent, task_vars=task_vars
        )
        # Internal data between the two halves, of no use in the output.
        result.get("invocation", {}).get("module_args", {}).pop("manifests", None)
        return result, result.pop("needed", [])
