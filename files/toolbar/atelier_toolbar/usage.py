"""How full a home is, and with what. Standard library only: the server's package links here."""

from __future__ import annotations

import heapq
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FULL_BYTES = 2 * 1024**2
"""Less than that is left: nobody can work."""
FULL_INODES = 16
LARGEST = 3
LEAST_TOLD = 1024**2
"""Smaller files are not named: whoever deletes a notebook for its kilobytes has gained nothing."""
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Usage:
    """What a home holds and may hold, in bytes and in files; ``largest``: path and bytes."""

    used: int
    size: int
    files: int
    most_files: int
    largest: list[tuple[str, int]] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether nothing more can be written to speak of."""
        return self.size - self.used < FULL_BYTES

    @property
    def full_of_files(self) -> bool:
        """Whether no more files can be made. Some file systems count none."""
        return bool(self.most_files) and self.most_files - self.files < FULL_INODES

    def as_json(self) -> dict[str, Any]:
        """As it travels."""
        return {
            "used": self.used,
            "size": self.size,
            "files": self.files,
            "most_files": self.most_files,
            "largest": [list(one) for one in self.largest],
        }


def full_space(home: str | os.PathLike[str]) -> dict[str, Any] | None:
    """How full a home is, as it travels; None where there is room, or nobody can say."""
    try:
        found = usage(home)
    except OSError:
        return None
    return found.as_json() if found.full or found.full_of_files else None


def usage(home: str | os.PathLike[str]) -> Usage:
    """Measure a home; its largest files are looked for only when it is full.

    Raises:
        OSError: it cannot be measured.
    """
    seen = os.statvfs(home)
    size = seen.f_blocks * seen.f_frsize
    found = Usage(
        used=size - seen.f_bavail * seen.f_frsize,
        size=size,
        files=seen.f_files - seen.f_favail,
        most_files=seen.f_files,
    )
    if not (found.full or found.full_of_files):
        return found
    return Usage(found.used, size, found.files, found.most_files, largest_files(home))


def largest_files(home: str | os.PathLike[str]) -> list[tuple[str, int]]:
    """The files worth deleting, the largest first: path below the home, and bytes on the disk.

    Their owner may move folders and set links in the way meanwhile: no link is followed, and the
    search ends after two seconds with what it has found.
    """
    until = time.monotonic() + LOOK_SECONDS
    found: list[tuple[int, str]] = []
    for folder, _, files, descriptor in os.fwalk(home, follow_symlinks=False):
        if time.monotonic() > until:
            break
        for name in files:
            try:
                seen = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:
                continue
            path = os.path.relpath(Path(folder, name), home)
            entry = (seen.st_blocks * 512, path)
            if entry[0] < LEAST_TOLD:
                continue
            if len(found) < LARGEST:
                heapq.heappush(found, entry)
            elif entry[0] > found[0][0]:
                heapq.heapreplace(found, entry)
    return [
        (path.encode(errors="replace").decode(), size) for size, path in sorted(found, reverse=True)
    ]
