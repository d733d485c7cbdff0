"""One command at a time on a clone, and no lock left behind by those that were killed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from atelier_toolbar.problems import Problem

FOLDER = "atelier"
"""Our own folder inside the git directory."""
WAIT_SECONDS = 20.0
FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says of a full disk."""
_PAUSE_SECONDS = 0.05


def _open(common: Path) -> int:
    folder = common / FOLDER
    folder.mkdir(exist_ok=True)
    return os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def operation(common: Path, wait: float = WAIT_SECONDS) -> Iterator[int]:
    """Be the only command on the clone whose git directory is `common`; yield the lock.

    The kernel's lock (flock(2)) belongs to the open file: handed to every git we start, it ends
    when the last of them has, however they and we end. So whoever has it knows that no git of
    an earlier command runs any more.

    Raises:
        Problem: `busy`, somebody else has it for longer than `wait` seconds.
    """
    lock = _open(common)
    try:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise Problem("busy") from None
                time.sleep(_PAUSE_SECONDS)
        yield lock
    finally:
        os.close(lock)


def is_busy(common: Path) -> bool:
    """Whether a command is at work on the clone."""
    try:
        with operation(common, wait=0):
            return False
    except Problem:
        return True
    except OSError:  # a full or read-only disk: nobody can work here
        return False


def clear(git_dir: Path, common: Path, top: Path, wait: float = WAIT_SECONDS) -> list[str]:
    """Remove the lock files of gits that were killed; return their names.

    To be called under :func:`operation`: none of our gits runs. A lock is another's (a terminal's,
    another extension's) while a process has it open or a git works in the clone; that one may
    finish.

    Raises:
        Problem: `busy`, another program holds a lock for longer than `wait` seconds.
    """
    until = time.monotonic() + wait
    while True:
        found = _lock_files(git_dir, common)
        if not found:
            return []
        if not _in_use(found, (top, git_dir, common)):
            removed = []
            for path in found:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                    removed.append(path.name)
            return removed
        if time.monotonic() >= until:
            raise Problem("busy", detail=found[0].name)
        time.sleep(_PAUSE_SECONDS)


def _lock_files(git_dir: Path, common: Path) -> list[Path]:
    found = {*git_dir.glob("*.lock"), *common.glob("*.lock")}
    for place in ("refs", "logs", "objects/info", "objects/pack"):
        found.update((common / place).rglob("*.lock"))
    return sorted(found)


def _in_use(files: list[Path], folders: tuple[Path, ...]) -> bool:
    """Whether a process that we may look at has one of the files open, or is a git at work there.

    Processes of other people cannot be looked at; they have no business in this clone.
    """
    wanted = {os.path.realpath(path) for path in files}
    places = [os.path.realpath(folder) for folder in folders]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_git = (process / "comm").read_text().startswith("git")
            if is_git and _below(str((process / "cwd").readlink()), places):
                return True
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in wanted:
                        return True
        except OSError:
            continue
    return False


def _below(path: str, places: list[str]) -> bool:
    return any(path == place or path.startswith(place + "/") for place in places)
