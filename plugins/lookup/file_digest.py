# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""The hash of a large file on the controller, computed once."""

from __future__ import annotations

DOCUMENTATION = r"""
name: file_digest
short_description: SHA-256 of a large file on the controller
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Hashes files on the controller, and remembers each hash in Ansible's home (C(~/.ansible)) with
    the file's size, inode and times. It is computed again when one of them has changed.
  - Where the hash cannot be remembered it is computed each time.
options:
  _terms:
    description: Paths of files.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Name the image after its archive
  ansible.builtin.debug:
    msg: "atelier/base:{{ lookup('mooc.atelier.file_digest', 'base.tar')[:12] }}"
"""

RETURN = r"""
_raw:
  description: The hashes, in hexadecimal.
  type: list
  elements: str
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

# A file that was written a moment ago may be written again without a change of its times.
SETTLED_SECONDS = 2.0


def identity(path: Path) -> list[int]:
    """Return what changes whenever the file's content does."""
    about = path.stat()
    return [about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns]


class Remembered:
    """Hashes by path, kept in a file that may be lost at any time."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def digest(self, path: Path) -> str:
        """Return the hash of a file, computed only where it is not known."""
        known = self._read()
        now = identity(path)
        found = known.get(str(path))
        if isinstance(found, dict) and found.get("identity") == now and found.get("sha256"):
            return str(found["sha256"])
        with path.open("rb") as content:
            computed = hashlib.file_digest(content, "sha256").hexdigest()
        settled = time.time() - max(now[3:]) / 1e9 > SETTLED_SECONDS
        if settled and identity(path) == now:
            self._write({**known, str(path): {"identity": now, "sha256": computed}})
        return computed

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, known: dict[str, Any]) -> None:
        there = {path: entry for path, entry in known.items() if Path(path).exists()}
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.file.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as new:
                json.dump(there, new)
            Path(name).replace(self.file)


class LookupModule(LookupBase):
    """The hash of each file."""

    def run(
        self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[str]:
        """Return the hashes in the order of the paths."""
        self.set_options(var_options=variables, direct=kwargs)
        home = Path(str(constants.config.get_config_value("ANSIBLE_HOME"))).expanduser()
        remembered = Remembered(home / "mooc.atelier" / "digests.json")
        digests = []
        for term in terms:
            path = Path(self._loader.path_dwim(str(term))).resolve()
            try:
                digests.append(remembered.digest(path))
            except OSError as error:
                raise AnsibleLookupError(
                    f"{path} cannot be read on this machine: {error.strerror}"
                ) from error
        return digests
