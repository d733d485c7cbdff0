"""Tools for upgrades of databases: errors, a lock, copies of SQLite files, and remedies."""

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
"""Number of copies of one database; older ones are deleted."""


class MigrationError(Exception):
    """A database cannot be upgraded; the text names it and the remedy."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, of the driver's own error if there is one."""
    return (str(getattr(error, "orig", None) or error) or repr(error)).splitlines()[0]


@contextlib.contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Hold the lock for upgrades of the databases in a directory.

    The kernel releases the lock even if the process is killed.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child process may have inherited the descriptor
        os.close(descriptor)


def copies(file: Path) -> list[Path]:
    """Return the copies of a database that :func:`keep_copy` made, newest first."""
    found = [
        path for path in file.parent.glob(f"{file.name}.before-*") if not path.name.endswith(".new")
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def keep_copy(file: Path, revision: str) -> Path:
    """Copy a database in its state before a revision that is about to be committed.

    The copy has all committed data, including the write-ahead log's. An earlier copy for the same
    revision is replaced by an atomic rename, and the oldest copies are deleted.

    Args:
        file: the database; it may be in use, even by an upgrade that has not committed yet.
        revision: the first revision that the database lacked.

    Returns:
        Path of the copy: beside the database, named after the revision.
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
    """Copy a database into a file and sync the file to disk."""
    with (
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # a single file without a write-ahead log
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
    """Return what is wrong with a database's file and how to correct it; None: another cause.

    Args:
        file: the database.
        error: an error of SQLite or the system, or an error of a library caused by one.
    """
    kind = None
    cause: BaseException | None = error
    while cause is not None and kind is None:
        if isinstance(cause, sqlite3.Error):
            # The lowest byte is the primary code, the others are details. Some errors have no code.
            kind = _BY_SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        elif isinstance(cause, OSError):
            kind = _BY_SYSTEM.get(cause.errno or 0)
        cause = getattr(cause, "orig", None) or cause.__cause__ or cause.__context__
    if kind is None:
        return None
    size, there = 0, []
    with contextlib.suppress(OSError):
        size, there = file.stat().st_size, copies(file)
    needed = 3 * size // 2**20 + 1  # MiB: the copy, and the changed tables twice
    with contextlib.suppress(OSError):
        # On a full disk SQLite reports an I/O error if a memory-mapped file cannot grow.
        if kind == "unreadable" and shutil.disk_usage(file.parent).free < needed * 2**20:
            kind = "full"
    return _SENTENCES[kind].format(
        directory=file.parent,
        megabytes=needed,
        copy=there[0] if there else "one from your backup",
    )
