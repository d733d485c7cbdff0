#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target's half of `mooc.atelier.copy_tree`: replaces directories by those of the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: copy_tree
short_description: Make directories on the target equal to those of the controller
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Copies a whole directory in one archive, only when something in it differs, and replaces the old
    directory at once. What is in the directory on the target and not in the source is removed.
  - Symbolic links of the source arrive as the files and directories they point to.
  - Files arrive with mode C(0755) when their owner may execute them, else C(0644); directories with
    C(0755). Empty directories do not arrive.
  - Compares the directories of O(trees) in one round trip. None is replaced before all that differ
    have arrived whole; then they are replaced in the order of the list. The first one that fails
    ends the task; its message begins with the tree's C(dest).
  - Needs O(src) and O(dest), or O(trees).
options:
  src:
    description:
      - Directory on the controller; a relative path is looked for as with M(ansible.builtin.copy).
    type: path
  dest:
    description: Directory on the target. Its parent must exist.
    type: path
  trees:
    description:
      - Several directories, instead of O(src) and O(dest). None may lie in another on the target.
        With an empty list, there is nothing to do.
    type: list
    elements: dict
    suboptions:
      src:
        description: As O(src).
        type: path
        required: true
      dest:
        description: As O(dest).
        type: path
        required: true
      exclude:
        description: Instead of O(exclude), for this directory.
        type: list
        elements: str
  exclude:
    description: Names of files and directories to leave out, as shell patterns, at any depth.
    type: list
    elements: str
    default:
      - __pycache__
      - "*.pyc"
      - "*.egg-info"
      - .git
      - .hypothesis
      - .mypy_cache
      - .pytest_cache
      - .ruff_cache
      - node_modules
  manifests:
    description:
      - What each directory must hold, by path. Filled in by the controller's half; leave it out.
    type: list
    elements: dict
  archive:
    description:
      - Archive with the contents of the directories that differ, on the target. Filled in by the
        controller's half; leave it out.
    type: path
attributes:
  check_mode:
    support: full
    description: Says whether and what it would change.
  diff_mode:
    support: full
    description: Shows names, modes and the beginning of hashes of the files that differ.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Copy the server's package
  mooc.atelier.copy_tree:
    src: "{{ role_path }}/../../files/atelier"
    dest: /opt/atelier/src

- name: Copy the server's package and the toolbar, without the toolbar's tests
  mooc.atelier.copy_tree:
    trees:
      - src: "{{ role_path }}/../../files/atelier"
        dest: /opt/atelier/src
      - src: "{{ role_path }}/../../files/toolbar"
        dest: /opt/atelier/toolbar
        exclude: [node_modules, test]
"""

RETURN = r"""
different:
  description:
    - Paths that were missing, different or in excess; relative to O(dest), or, with O(trees), each
      with its tree's C(dest) before it.
  returned: success
  type: list
  elements: str
  sample: [/opt/atelier/src/setup.py, /opt/atelier/toolbar/package.json]
changed_paths:
  description: Each C(dest) whose directory was replaced, or would be in check mode.
  returned: success, or when a directory could not be replaced
  type: list
  elements: str
digest:
  description:
    - SHA-256 of all names, modes and contents of O(src), in hexadecimal; with O(trees), of all
      their sources in the order of the list.
  returned: success
  type: str
"""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ansible.module_utils.basic import AnsibleModule

# Files of tools, editors and notebook servers that the target does not need.
EXCLUDE = [
    "__pycache__",
    "*.pyc",
    "*.egg-info",
    ".git",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    "node_modules",
]
MODES = {"0644": 0o644, "0755": 0o755}


def look(root: Path) -> dict[str, dict[str, str]]:
    """Return the content of a directory: relative path -> sha256 and mode; links have no hash."""
    found: dict[str, dict[str, str]] = {}
    for folder, names, files in os.walk(root):
        for name in files + [name for name in names if (Path(folder) / name).is_symlink()]:
            path = Path(folder) / name
            plain = path.is_file() and not path.is_symlink()
            found[path.relative_to(root).as_posix()] = {
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if plain else "",
                "mode": f"{path.lstat().st_mode & 0o7777:04o}",
            }
    return found


def unpack(archive: Path, folder: str, root: Path, manifest: dict[str, dict[str, str]]) -> None:
    """Extract only the manifest's files from the archive into an empty directory.

    Args:
        archive: the archive.
        folder: the directory's folder in the archive.
        root: the empty directory.
        manifest: hash and mode of each file, by relative path.
    """
    with tarfile.open(archive) as tar:
        for name, facts in manifest.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(f"{folder}/{name}")
            if content is None:
                raise ValueError(f"{name} is not a file in the archive")
            path.write_bytes(content.read())
            path.chmod(MODES[facts["mode"]])
    for inner, _names, _files in os.walk(root):
        Path(inner).chmod(0o755)


def replace(dest: Path, new: Path) -> None:
    """Replace a directory; its name is missing only between two renames."""
    if dest.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", dir=dest.parent))
        dest.rename(old / "old")
        new.rename(dest)
        shutil.rmtree(old)
    else:
        new.rename(dest)


@dataclass
class Tree:
    """A directory with its wanted and present content.

    Attributes:
        folder: its folder in the archive.
        new: the directory extracted from the archive, until it replaces the old one.
    """

    src: str
    dest: Path
    folder: str
    manifest: dict[str, dict[str, str]]
    present: dict[str, dict[str, str]] = field(default_factory=dict)
    new: Path | None = None

    @property
    def different(self) -> list[str]:
        """Paths that are missing, different or superfluous."""
        names = self.manifest.keys() | self.present.keys()
        return sorted(name for name in names if self.manifest.get(name) != self.present.get(name))

    def _listed(self, files: dict[str, dict[str, str]]) -> str:
        """Return a line for each differing file: name, mode and the beginning of the hash."""
        return "".join(
            f"{name} {files[name]['mode']} {files[name]['sha256'][:12]}\n"
            for name in self.different
            if name in files
        )

    @property
    def diff(self) -> dict[str, str]:
        """The differing files, in Ansible's format of differences."""
        return {
            "before": self._listed(self.present),
            "after": self._listed(self.manifest),
            "before_header": str(self.dest),
            "after_header": self.src,
        }

    def check(self, others: list[Tree]) -> None:
        """Raise ValueError if the directory must not be replaced."""
        if not self.manifest:
            raise ValueError(f"{self.src} holds no files: nothing was copied.")
        for name in self.manifest:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ValueError(f"The path {name!r} leads out of the directory.")
        if self.dest.is_symlink() or (self.dest.exists() and not self.dest.is_dir()):
            raise ValueError("This is not a directory: move it away, or choose another dest.")
        for other in others:
            # The inner one's files would be superfluous in the outer one, which removes them.
            if other is not self and self.dest.resolve().is_relative_to(other.dest.resolve()):
                raise ValueError(f"It is, or lies in, another tree of the list, {other.dest}.")

    def tidy(self, kept: set[Path]) -> None:
        """Remove leftovers of an interrupted run next to the directory, except for `kept`."""
        for leftover in self.dest.parent.glob(f".{self.dest.name}.*"):
            if leftover not in kept:
                shutil.rmtree(leftover)

    def prepare(self, archive: Path) -> None:
        """Create the new directory next to the old one.

        Raises:
            ValueError: the archive does not match the manifest.
        """
        self.new = Path(tempfile.mkdtemp(prefix=f".{self.dest.name}.", dir=self.dest.parent))
        unpack(archive, self.folder, self.new, self.manifest)
        if look(self.new) != self.manifest:
            raise ValueError("The archive changed while it was being copied: run again.")


def arguments(dest: str = "path") -> dict[str, Any]:
    """Return the module's argument specification.

    Args:
        dest: type of paths on the target; the controller must not expand them and uses `str`.
    """
    tree = {
        "src": {"type": "path", "required": True},
        "dest": {"type": dest, "required": True},
        "exclude": {"type": "list", "elements": "str"},
    }
    return {
        "src": {"type": "path"},
        "dest": {"type": dest},
        "trees": {"type": "list", "elements": "dict", "options": tree},
        "exclude": {"type": "list", "elements": "str", "default": EXCLUDE},
        "manifests": {"type": "list", "elements": "dict"},
        "archive": {"type": "path"},
    }


EITHER: dict[str, Any] = {
    "mutually_exclusive": [("trees", "src"), ("trees", "dest")],
    "required_one_of": [("trees", "src", "dest")],
    "required_together": [("src", "dest")],
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=arguments(), supports_check_mode=True, **EITHER)
    single = module.params["trees"] is None
    manifests = module.params["manifests"] or []
    wanted = [module.params] if single else module.params["trees"]
    if len(wanted) != len(manifests):
        module.fail_json(msg="Only the controller's half can say what is to be copied.")
    trees = [
        Tree(one["src"], Path(one["dest"]), str(index), manifest)
        for index, (one, manifest) in enumerate(zip(wanted, manifests, strict=True))
    ]
    for tree in trees:
        try:
            tree.check(trees)
            tree.present = look(tree.dest)
        except (OSError, ValueError) as error:
            module.fail_json(msg=f"{tree.dest}: {error}")

    changed = [tree for tree in trees if tree.different]
    what = manifests[0] if single else manifests
    result: dict[str, Any] = {
        "changed": bool(changed),
        "different": [
            name if single else str(tree.dest / name) for tree in trees for name in tree.different
        ],
        "changed_paths": [str(tree.dest) for tree in changed],
        "needed": [int(tree.folder) for tree in changed],  # for the controller's half
        "digest": hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest(),
        "diff": trees[0].diff if single else [tree.diff for tree in changed],
    }
    if not changed or module.check_mode or module.params["archive"] is None:
        module.exit_json(**result)

    done: list[str] = []
    kept = {tree.dest for tree in trees}
    tree = changed[0]
    try:
        for tree in changed:  # first, as a pattern may match another's new folder
            tree.tidy(kept)
        for tree in changed:
            tree.prepare(Path(module.params["archive"]))
        for tree in changed:
            if tree.new:
                replace(tree.dest, tree.new)
                done.append(str(tree.dest))
    except (OSError, ValueError, KeyError, tarfile.TarError) as error:
        module.fail_json(
            msg=f"{tree.dest}: Cannot copy: {error}", changed=bool(done), changed_paths=done
        )
    finally:
        for tree in changed:
            if tree.new:
                shutil.rmtree(tree.new, ignore_errors=True)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
