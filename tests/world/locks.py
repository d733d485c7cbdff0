"""The locks of what is downloaded: which there are, and what they pin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from world import paths

NPM_FOLDERS = (
    "files/toolbar",
    "roles/jupyterhub/files/proxy/node18",
    "roles/jupyterhub/files/proxy/node20",
)
"""Each has a package.json and its package-lock.json."""
CHOSEN = re.compile(r"^([A-Za-z0-9][\w.-]*)(\[[\w,-]+\])?==([^\s;#]+)", re.MULTILINE)
PINNED = re.compile(
    r"([a-z0-9][a-z0-9-]*(?:\[[\w,-]+\])?)==(\S+)((?: --hash=sha256:[0-9a-f]{64})+)"
)


@dataclass(frozen=True)
class Lock:
    """A set of Python packages.

    Attributes:
        name: path of its files in the checkout, without `.in` and `.txt`.
        what: who gets it, for people.
        python: the oldest Python that does.
    """

    name: str
    what: str
    python: str = "3.11"

    @property
    def chosen(self) -> Path:
        """The file that names what our code uses."""
        return paths.ROOT / f"{self.name}.in"

    @property
    def lock(self) -> Path:
        """The file that pins it with all that it brings."""
        return paths.ROOT / f"{self.name}.txt"


# In the order of making: a lock may be held to one before it.
LOCKS = (
    Lock("files/atelier/requirements", "hub and desk"),
    Lock("files/atelier/build-requirements", "the build of hub and desk"),
    Lock("files/course-image/requirements", "the course image", "3.13"),
    Lock("files/toolbar/build-requirements", "the build of the toolbar"),
    Lock("tests/gitlab_standin/requirements", "the stand-in for GitLab"),
    Lock("requirements-dev", "tools for working on the collection"),
)


class PinError(ValueError):
    """A lock has something that is not pinned."""


def canonical(name: str) -> str:
    """Return a Python package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(text: str) -> dict[str, str]:
    """Read a lock: the version of each package.

    Raises:
        PinError: a line is neither a comment nor `name==version` with a SHA-256.
    """
    found: dict[str, str] = {}
    lines = (re.sub(r"(^|\s)#.*", "", line) for line in text.splitlines())
    joined = "\n".join(line for line in lines if line.strip())
    for line in re.sub(r"\s*\\\n\s*", " ", joined).splitlines():
        pinned = PINNED.fullmatch(line.strip())
        if not pinned:
            raise PinError(f"{line.strip()!r} is not name==version with --hash=sha256:...")
        found[pinned[1].partition("[")[0]] = pinned[2]
    return found


def excerpt(text: str, name: str) -> str:
    """Return the part of a lock that pins one package, with its hashes."""
    found = re.search(rf"^{re.escape(name)}==.*\n(?: .*\n)*", text, re.MULTILINE)
    if not found:
        raise PinError(f"{name} is not in the lock")
    return found[0]


def renewed(text: str, found: Mapping[str, str]) -> str:
    """Return a file of chosen packages with other versions."""

    def one(chosen: re.Match[str]) -> str:
        return f"{chosen[1]}{chosen[2] or ''}=={found[canonical(chosen[1])]}"

    return CHOSEN.sub(one, text)
