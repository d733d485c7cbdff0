#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a directory on the target equal to one of the controller: the target's half."""

from __future__ import annotations

DOCUMENTATION = r"""
module: copy_tree
short_description: Make a directory on the target equal to one of the controller
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Copies a whole directory in one archive, only when something in it differs, and replaces the old
    directory at once. What is in the directory on the target and not in the source is removed.
  - Symbolic links of the source arrive as the files and directories they point to.
  - Files arrive with mode C(0755) when their owner may execute them, else C(0644); directories with
    C(0755). Empty directories do not arrive.
options:
  src:
    description:
      - Directory on the controller; a relative path is looked for as with M(ansible.builtin.copy).
    type: path
    required: true
  dest:
    description: Directory on the target. Its parent must exist.
    type: path
    required: true
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
  manifest:
    description:
      - What the directory must hold, by path. Filled in by the controller's half; leave it out.
    type: dict
  archive:
    description:
      - Archive with the contents, on the target. Filled in by the controller's half; leave it out.
    type: path
attributes:
  check_mode:
    support: full
    description: Says whether and what it would change.
  diff_mode:
    support: full
    description: Shows the names of the files that differ.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Copy the server's package
  mooc.atelier.copy_tree:
    src: "{{ role_path }}/../../files/atelier"
    dest: /opt/atelier/src
"""

RETURN = r"""
different:
  description: Paths, relative to O(dest), that were missing, different or in excess.
  returned: success
  type: list
  elements: str
digest:
  description: SHA-256 of all names, modes and contents of O(src), in hexadecimal.
  returned: success
  type: str
"""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from ansible.module_utils.basic import AnsibleModule

# Left by editors and notebook servers, and what only people who develop need.
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
    """Describe a directory: relative path -> sha256 and mode; a link's hash is empty."""
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


def unpack(archive: Path, root: Path, manifest: dict[str, dict[str, str]]) -> None:
    """Write the manifest's files, and nothing else, from the archive into an empty directory."""
    with tarfile.open(archive) as tar:
        for name, facts in manifest.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(name)
            if content is None:
                raise ValueError(f"{name} is not a file in the archive")
            path.write_bytes(content.read())
            path.chmod(MODES[facts["mode"]])
    for folder, _names, _files in os.walk(root):
        Path(folder).chmod(0o755)


def replace(dest: Path, new: Path) -> None:
    """Put the new directory where the old one is; the name is gone between two calls only."""
    if dest.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", dir=dest.parent))
        dest.rename(old / "old")
        new.rename(dest)
        shutil.rmtree(old)
    else:
        new.rename(dest)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "dest": {"type": "path", "required": True},
            "exclude": {"type": "list", "elements": "str", "default": EXCLUDE},
            "manifest": {"type": "dict"},
            "archive": {"type": "path"},
        },
        supports_check_mode=True,
    )
    dest = Path(module.params["dest"])
    manifest: dict[str, dict[str, str]] = module.params["manifest"] or {}
    if not manifest:
        module.fail_json(msg=f"{module.params['src']} holds no files: nothing was copied.")
    for name in manifest:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            module.fail_json(msg=f"The path {name!r} leads out of the directory.")
    if dest.is_symlink() or (dest.exists() and not dest.is_dir()):
        module.fail_json(msg=f"{dest} is not a directory: move it away, or choose another dest.")

    present = look(dest)
    different = sorted(
        name for name in manifest.keys() | present.keys() if manifest.get(name) != present.get(name)
    )
    result: dict[str, Any] = {
        "changed": bool(different),
        "different": different,
        "digest": hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest(),
        "diff": {
            "before": "".join(f"{name}\n" for name in different if name in present),
            "after": "".join(f"{name}\n" for name in different if name in manifest),
            "before_header": str(dest),
            "after_header": module.params["src"],
        },
    }
    if not different or module.check_mode or module.params["archive"] is None:
        module.exit_json(**result)

    # What an earlier run, cut short, may have left beside.
    for leftover in dest.parent.glob(f".{dest.name}.*"):
        shutil.rmtree(leftover)
    new = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", dir=dest.parent))
    try:
        unpack(Path(module.params["archive"]), new, manifest)
        if look(new) != manifest:
            module.fail_json(msg="The archive changed while it was being copied: run again.")
        replace(dest, new)
    except (OSError, ValueError, KeyError, tarfile.TarError) as error:
        module.fail_json(msg=f"Cannot copy to {dest}: {error}")
    finally:
        shutil.rmtree(new, ignore_errors=True)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
