#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Assembles a Docker build context on the target from existing files."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_context
short_description: Assemble a Docker build context on the target
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Puts the files of several places of the target together in one directory, and says what
    identifies them.
  - Writes only when something differs, and then replaces the old directory as a whole.
options:
  dest:
    description: The context. Its parent must exist, except in check mode.
    type: path
    required: true
  parts:
    description: What the context is made of. Where two parts bring one path, the later wins.
    type: list
    elements: dict
    required: true
    suboptions:
      src:
        description: >-
          Directory, file, or pattern of files (as C(/etc/x/*.crt)).
          What does not exist brings nothing.
        type: path
        required: true
      dest:
        description: >-
          Directory of the context to put it in; for a file, its path when it does not end in C(/).
        type: str
        default: ""
      only:
        description: Of a directory, only these entries. All when empty.
        type: list
        elements: str
        default: []
      folder:
        description: >-
          Folder of a directory that is the whole part where it is there; O(parts[].only) is then
          left aside.
        type: str
        default: ""
  identity:
    description: Further words that make two contexts different, such as the base image's ID.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Says what would change.
  diff_mode:
    support: full
    description: Returns the names of the files that differ.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Assemble the context of a course's image
  mooc.atelier.image_context:
    dest: /var/lib/atelier/images/demo/context
    parts:
      - src: /var/lib/atelier/images/program
      - src: /usr/local/share/ca-certificates/atelier-*.crt
        dest: ca/
    identity: ["{{ base_image_id }}"]
"""

RETURN = r"""
digest:
  description: SHA-256, in hexadecimal, of all names, modes and contents and of O(identity).
  returned: success
  type: str
files:
  description: Paths in the context.
  returned: success
  type: list
  elements: str
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule


def collect(parts: list[dict[str, Any]]) -> dict[str, Path]:
    """Return the source file of each path of the context.

    Raises:
        ValueError: a link leads out of its part.
    """
    found: dict[str, Path] = {}
    for part in parts:
        source = Path(part["src"])
        dest = part.get("dest") or ""
        only = part.get("only") or []
        folder = source / part.get("folder", "")
        if folder != source and folder.is_dir() and not folder.is_symlink():
            source, only = folder, []
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                relative = path.relative_to(source)
                wanted = not only or relative.parts[0] in only
                if wanted and ".git" not in relative.parts and path.is_file():
                    if not path.resolve().is_relative_to(source.resolve()):
                        raise ValueError(f"{path} is a link that leads out of {source}")
                    found[(Path(dest) / relative).as_posix()] = path
        else:
            for path in sorted(source.parent.glob(source.name)):
                if path.is_file():
                    name = dest + path.name if not dest or dest.endswith("/") else dest
                    found[name] = path
    return found


def describe(files: dict[str, Path]) -> dict[str, str]:
    """Return mode and content hash of each path."""
    described = {}
    for name, path in sorted(files.items()):
        mode = "0755" if path.stat().st_mode & 0o100 else "0644"
        described[name] = f"{mode} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return described


def write(dest: Path, files: dict[str, Path]) -> None:
    """Replace `dest` completely; its name is missing only between two renames."""
    for leftover in dest.parent.glob(f".{dest.name}.*"):
        shutil.rmtree(leftover)
    work = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", dir=dest.parent))
    try:
        new = work / "new"
        new.mkdir(mode=0o755)
        for name, path in files.items():
            target = new / name
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        if dest.exists():
            dest.rename(work / "old")
        new.rename(dest)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "required": True},
            "parts": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "src": {"type": "path", "required": True},
                    "dest": {"type": "str", "default": ""},
                    "only": {"type": "list", "elements": "str", "default": []},
                    "folder": {"type": "str", "default": ""},
                },
            },
            "identity": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    dest = Path(module.params["dest"])
    os.umask(0o022)
    try:
        files = collect(module.params["parts"])
        wanted = describe(files)
        present = describe(collect([{"src": str(dest)}]))
        different = sorted(
            name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
        )
        if different and not module.check_mode:
            write(dest, files)
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"Cannot assemble {dest}: {error}")
    identity = json.dumps([wanted, module.params["identity"]], sort_keys=True)
    module.exit_json(
        changed=bool(different),
        digest=hashlib.sha256(identity.encode()).hexdigest(),
        files=sorted(wanted),
        diff={
            "before": "".join(f"{name}\n" for name in different if name in present),
            "after": "".join(f"{name}\n" for name in different if name in wanted),
            "before_header": str(dest),
            "after_header": str(dest),
        },
    )


if __name__ == "__main__":
    main()
