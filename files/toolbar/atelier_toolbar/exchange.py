"""Replacing files that somebody may be writing: exchanged in one step, never overwritten."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
from pathlib import Path

_NOREPLACE = 1
_EXCHANGE = 2
_AT_FDCWD = -100
_LIBC = ctypes.CDLL(None, use_errno=True)


def _renameat2(old: Path, new: Path, flags: int) -> None:
    """Call renameat2(2). Raises OSError."""
    function = getattr(_LIBC, "renameat2", None)
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if function(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(old), None, str(new))


_NOT_HERE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def exchange(one: Path, other: Path) -> None:
    """Give each of two existing files the other's name, in one step.

    Raises:
        FileNotFoundError: one of them is gone.
    """
    try:
        _renameat2(one, other, _EXCHANGE)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        # A file system without it: what was there is kept under a third name first.
        third = one.with_name(f"{one.name}.displaced")
        other.rename(third)
        one.rename(other)
        third.rename(one)


def move(one: Path, other: Path) -> None:
    """Rename, never onto something that exists.

    Raises:
        FileExistsError: `other` exists.
        FileNotFoundError: `one` is gone.
    """
    try:
        _renameat2(one, other, _NOREPLACE)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        if os.path.lexists(other):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(other)) from None
        one.rename(other)


def digest(path: Path) -> str | None:
    """What identifies the content of a file or symbolic link; None when there is none."""
    try:
        if path.is_symlink():
            return f"link {path.readlink()}"
        if path.is_dir():
            return None
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
