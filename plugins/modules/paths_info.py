#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Returns data about several files of the target in one round trip."""

from __future__ import annotations

DOCUMENTATION = r"""
module: paths_info
short_description: Answer several questions about files of the target in one round trip
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Looks at a list of paths as M(ansible.builtin.stat) does at one, and returns the contents of
    those that are wanted, as M(ansible.builtin.slurp) does of one. What is missing is an answer
    too, never an error. Answers are found by the path that was asked for, as it was written.
options:
  paths:
    description: Paths to look at. A pattern of the shell stands for the paths that it matches.
    type: list
    elements: path
    default: []
  read:
    description: Files of UTF-8 text to look at and to read. Secrets among them need C(no_log) on
      the task.
    type: list
    elements: path
    default: []
  newer:
    description: Questions whether any of some files was written after a stamp.
    type: list
    elements: dict
    default: []
    suboptions:
      stamp:
        description: File whose time of modification is compared.
        type: path
        required: true
      files:
        description: Files and directories, or patterns of the shell; what is missing counts as not
          newer.
        type: list
        elements: path
        required: true
extends_documentation_fragment:
  - mooc.atelier.attributes.info_module
"""

EXAMPLES = r"""
- name: Look at what an earlier run has made
  mooc.atelier.paths_info:
    paths: [/usr/bin/docker, /etc/atelier/trusted/*.crt]
    read: [/var/lib/atelier/images/demo.json]
    newer:
      - stamp: /etc/ssl/certs/ca-certificates.crt
        files: [/usr/local/share/ca-certificates, /usr/local/share/ca-certificates/*.crt]
  register: seen

- name: Build the course's image
  ansible.builtin.debug:
    msg: There is none yet.
  when: seen.text['/var/lib/atelier/images/demo.json'] is none
"""

RETURN = r"""
exists:
  description: Whether there is something at each of O(paths), O(read) and O(newer[].stamp), links
    followed. Patterns have their answers in RV(matched).
  returned: success
  type: dict
directory:
  description: Whether each of these is a directory.
  returned: success
  type: dict
matched:
  description: The paths that each pattern of O(paths) matches, sorted.
  returned: success
  type: dict
sha256:
  description: Hash of each plain file of O(paths), those that patterns match among them, in
    hexadecimal.
  returned: success
  type: dict
text:
  description: Content of each of O(read); null where there is no such file.
  returned: success
  type: dict
newer:
  description:
    - For each of O(newer), in their order, the files that are newer than the stamp. Where there is
      no stamp, all that are there.
  returned: success
  type: list
  elements: list
"""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._patterns import is_pattern, matches


class UnreadableError(Exception):
    """A file exists but cannot be read as text; the text says which and why."""


def newer(stamp: Path, files: list[str]) -> list[str]:
    """Return the files that are newer than the stamp; all of them if there is no stamp."""
    since: float = float("-inf")
    with suppress(FileNotFoundError):
        since = stamp.stat().st_mtime_ns
    found = []
    for path in matches(files):
        with suppress(FileNotFoundError):  # removed in between
            if path.lstat().st_mtime_ns > since:
                found.append(str(path))
    return found


def sha256(path: str) -> str | None:
    """Return a plain file's hash; read it in chunks, as it may be larger than the memory."""
    with suppress(FileNotFoundError):
        if Path(path).is_file():
            with Path(path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def text(path: str) -> str | None:
    """Return a plain file's text, with its line ends unchanged.

    Raises:
        UnreadableError: the file is not UTF-8.
    """
    with suppress(FileNotFoundError):
        if Path(path).is_file():
            try:
                return Path(path).read_bytes().decode()
            except UnicodeDecodeError as error:
                raise UnreadableError(f"{path} is no UTF-8 text: {error.reason}.") from None
    return None


def look(paths: list[str], read: list[str], questions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the data of all paths and the answers to all questions."""
    patterns = {path: [str(one) for one in matches([path])] for path in paths if is_pattern(path)}
    named = [path for path in paths if path not in patterns]
    known = [*named, *read, *(question["stamp"] for question in questions)]
    hashes = {
        path: sha256(path) for path in [*named, *(one for p in patterns.values() for one in p)]
    }
    return {
        "exists": {path: Path(path).exists() for path in known},
        "directory": {path: Path(path).is_dir() for path in known},
        "matched": patterns,
        "sha256": {path: value for path, value in hashes.items() if value is not None},
        "text": {path: text(path) for path in read},
        "newer": [newer(Path(question["stamp"]), question["files"]) for question in questions],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "path", "default": []},
            "read": {"type": "list", "elements": "path", "default": []},
            "newer": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "stamp": {"type": "path", "required": True},
                    "files": {"type": "list", "elements": "path", "required": True},
                },
            },
        },
        supports_check_mode=True,
    )
    try:
        answers = look(module.params["paths"], module.params["read"], module.params["newer"])
    except (OSError, UnreadableError) as error:
        module.fail_json(msg=f"Cannot look at the files of this machine: {error}")
    module.exit_json(changed=False, **answers)


if __name__ == "__main__":
    main()
