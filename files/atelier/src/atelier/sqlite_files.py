"""SQLite files that are upgraded in place: a copy first, one process at a time, clear errors."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

KEPT_COPIES = 3
"""Copies of one database that are kept; older ones are removed."""


@contextlib.contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Let one process at a time upgrade the databases in a directory.

    The kernel releases the lock when the process ends, whatever ends it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child process may have the descriptor too
        os.close(descriptor)


def copies(file: Path) -> list[Path]:
    """Copies that :func:`keep_copy` made of a database, the newest first."""
    found = [
        path for path in file.parent.glob(f"{file.name}.before-*") if not path.name.endswith(".new")
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def keep_copy(file: Path, revision: str) -> Path:
    """Copy a database as it was before a revision, which is about to be committed.

    What is committed is in the copy, also what is still in the write-ahead log. A copy of before
    the same revision is replaced, in one step; of all copies the newest are kept.

    Args:
        file: the database; it may be in use, by an upgrade too that has not committed.
        revision: the first one that the database did not have.

    Returns:
        Where the copy is: beside the database, named after the revision.
    """
    for unfinished in file.parent.glob(f"{file.name}.before-*.new"):
        unfinished.unlink()
    copy = file.with_name(f"{file.name}.before-{revision}")
    new = copy.with_name(f"{copy.name}.new")
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        backup(file, new)
        new.replace(copy)
    finally:
        new.unlink(missing_ok=True)
    for old in copies(file)[KEPT_COPIES:]:
        old.unlink()
    return copy


def backup(file: Path, target: Path) -> None:
    """Copy a database into a file, which is on the disk when this returns."""
    with (
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    with target.open("rb") as written:
        os.fsync(written.fileno())


_BY_SQLITE = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "unreadable",
    sqlite3.SQLITE_READONLY: "unwritable",
    sqlite3.SQLITE_CANTOPEN: "unwritable",
    sqlite3.SQLITE_PERM: "unwritable",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_CORRUPT: "damaged",
}
_BY_SYSTEM = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EIO: "unreadable",
    errno.EROFS: "unwritable",
    errno.EACCES: "unwritable",
    errno.EPERM: "unwritable",
}
_SENTENCES = {
    "full": "The disk is full: free {megabytes} MiB in {directory}.",
    "unreadable": "The disk reports an error: look at `journalctl -k`.",
    "unwritable": "It cannot be written: see who owns {directory}, and how its disk is mounted.",
    "busy": "Another process uses it: stop that one first.",
    "damaged": "It is damaged: put back a copy of it, such as {copy}.",
}


def remedy(file: Path, error: BaseException) -> str | None:
    """What is wrong with a database's file, and what to do, in a sentence; None: not the file.

    Args:
        file: the database.
        error: what was raised, by SQLite, the system, or a library as the consequence of these.
    """
    kind = None
    cause: BaseException | None = error
    while cause is not None and kind is None:
        if isinstance(cause, sqlite3.Error):
            # The lowest byte is the error, the others its details. Some errors have no number.
            kind = _BY_SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        elif isinstance(cause, OSError):
            kind = _BY_SYSTEM.get(cause.errno or 0)
        cause = getattr(cause, "orig", None) or cause.__cause__ or cause.__context__
    if kind is None:
        return None
    size, there = 0, []
    with contextlib.suppress(OSError):
        size, there = file.stat().st_size, copies(file)
    needed = 3 * size // 2**20 + 1  # the copy, and the changed tables twice
    with contextlib.suppress(OSError):
        # What SQLite maps into memory cannot grow on a full disk: an I/O error says so.
        if kind == "unreadable" and shutil.disk_usage(file.parent).free < needed * 2**20:
            kind = "full"
    return _SENTENCES[kind].format(
        directory=file.parent,
        megabytes=needed,
        copy=there[0] if there else "one from your backup",
    )
