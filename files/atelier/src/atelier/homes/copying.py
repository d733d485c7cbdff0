"""Copies a home completely and verifies the copy, before it replaces the original."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from atelier.homes import HomeError, Limits
from atelier.homes.mounts import run

_CHUNK = 1024**2


def entries(top: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield a folder and all entries below it, with paths relative to the folder."""

    def raise_it(error: OSError) -> None:
        raise HomeError("failed", f"cannot be read: {error}") from error

    yield Path(), top.lstat()
    for folder, folders, files in os.walk(top, onerror=raise_it):
        for name in (*folders, *files):
            path = Path(folder, name)
            yield path.relative_to(top), path.lstat()


def needed(top: Path, limits: Limits) -> tuple[int, Limits]:
    """Return the bytes that a home uses, and limits that are raised to fit it with some room."""
    taken, count = 0, 0
    for _, seen in entries(top):
        taken += seen.st_blocks * 512
        count += 1
    room = taken + taken // 16 + 4 * 1024**2
    raised = Limits(max(limits.space, room), max(limits.inodes, count + count // 16 + 100))
    return taken, raised


def copy(source: Path, target: Path) -> None:
    """Copy a folder with owners, modes, times, links, holes and extended attributes.

    Raises:
        HomeError: ``failed``: the copy failed, or differs from the original.
    """
    target.mkdir(mode=0o700)
    run("cp", "--archive", "--sparse=always", "--one-file-system", f"{source}/.", target)
    compare(source, target)
    run("sync", "--file-system", target)


def compare(source: Path, target: Path) -> None:
    """Compare a copy with its original.

    Raises:
        HomeError: ``failed``; the text names the first difference.
    """
    left = dict(entries(source))
    right = dict(entries(target))
    if odd := left.keys() ^ right.keys():
        raise HomeError("failed", f"the copy differs: {min(odd)} is on one side only")
    for name, one in left.items():
        what = difference(source / name, one, target / name, right[name])
        if what:
            raise HomeError("failed", f"the copy differs: {name}: {what}")


def difference(first: Path, one: os.stat_result, second: Path, two: os.stat_result) -> str:
    """Return the property in which a copy differs from its original; empty if they are equal."""
    for what in ("st_mode", "st_uid", "st_gid"):
        if getattr(one, what) != getattr(two, what):
            return what
    if _attributes(first) != _attributes(second):
        return "extended attributes"
    if stat.S_ISDIR(one.st_mode):
        return ""
    if stat.S_ISLNK(one.st_mode):
        return "" if first.readlink() == second.readlink() else "link"
    if one.st_nlink != two.st_nlink:
        return "hard links"
    if not stat.S_ISREG(one.st_mode):
        return ""
    if one.st_mtime_ns != two.st_mtime_ns or one.st_size != two.st_size:
        return "time or size"
    return "" if _same_content(first, second) else "content"


def _attributes(path: Path) -> dict[str, bytes]:
    names = os.listxattr(path, follow_symlinks=False)
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names}


def _same_content(first: Path, second: Path) -> bool:
    """Compare two files of equal size. Holes are not read, as a sparse file may have terabytes."""
    with first.open("rb", buffering=0) as one, second.open("rb", buffering=0) as two:
        return all(_same_data(one.fileno(), two.fileno(), near) for near in (one, two))


def _same_data(one: int, two: int, near: FileIO) -> bool:
    """Compare two files in the ranges where one of them, ``near``, has data."""
    for begin, end in _data(near.fileno()):
        for at in range(begin, end, _CHUNK):
            size = min(_CHUNK, end - at)
            if os.pread(one, size, at) != os.pread(two, size, at):
                return False
    return True


def _data(file: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each range in which a file has data."""
    end = 0
    while True:
        try:
            begin = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return  # no more data
        end = os.lseek(file, begin, os.SEEK_HOLE)
        yield begin, end
