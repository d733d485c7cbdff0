"""A user number of its own for each running server.

The kernel counts inotify instances and watches, pending signals, pages of pipes, descriptors that
are being passed, message queues and locked memory for each user number, over all containers. With
one number for all, a single learner could take everybody's share.

On the disk, a home belongs to user 1000 (``learner`` in course images). It is mounted so that it
appears to belong to the server's number (mount_setattr(2), ``MOUNT_ATTR_IDMAP``): nothing is
rewritten, and a home has another number at its next start.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atelier.homes import HomeError
from atelier.homes.mounts import run

ON_DISK = 1000
GROUP = 1000
"""Of all servers: the kernel counts nothing for each group."""
FIRST = 2_000_000
"""Above what the system, people and name spaces use; below 2,097,152, where plain tar files end.

The course image's /etc/passwd names the same numbers: see its Dockerfile.
"""
NUMBERS = range(FIRST, FIRST + 4096)

_AT_FDCWD = -100
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442  # the same on every architecture
_OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH, _AT_EMPTY_PATH = 1, 4, 0x1000
_MOUNT_ATTR_IDMAP = 0x100000
_MOST = 2**32 - 1


class _MountAttributes(ctypes.Structure):
    """``struct mount_attr``."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def owner(folder: Path) -> int | None:
    """The number that a home is mounted for; None: it is mounted as it is on the disk."""
    found = folder.stat().st_uid
    return found if found in NUMBERS else None


def give(place: Path, number: int) -> None:
    """Mount what is mounted at a place as if the files of user 1000 were that number's.

    Raises:
        HomeError: ``failed``: the kernel cannot; nothing is mounted at the place any more, or what
            was is still there.
    """
    with _namespace(number) as space:
        tree = _call(_OPEN_TREE, _AT_FDCWD, os.fsencode(place), _OPEN_TREE_CLONE | os.O_CLOEXEC)
        try:
            wanted = _MountAttributes(set=_MOUNT_ATTR_IDMAP, userns=space)
            size = ctypes.c_size_t(ctypes.sizeof(wanted))
            _call(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, ctypes.byref(wanted), size)
            run("umount", place)
            _call(_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(place), _MOVE_MOUNT_F_EMPTY_PATH)
        finally:
            os.close(tree)


def uid_map(number: int) -> str:
    """User 1000 and the number change places; everybody else is who they were."""
    extents = [
        (0, 0, ON_DISK),
        (ON_DISK, number, 1),
        (ON_DISK + 1, ON_DISK + 1, number - ON_DISK - 1),
        (number, ON_DISK, 1),
        (number + 1, number + 1, _MOST - number - 1),
    ]
    return "".join(f"{inside} {outside} {count}\n" for inside, outside, count in extents)


@contextmanager
def _namespace(number: int) -> Iterator[int]:
    """A user name space with the map, as a descriptor; it is gone when nothing uses it."""
    command = ["unshare", "--user", "sh", "-c", "echo ready; read -r end"]
    try:
        with subprocess.Popen(  # noqa: S603 - fixed words
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as child:
            try:
                said = child.stdout.readline() if child.stdout else b""
                if said != b"ready\n":
                    raise HomeError("failed", f"{command[0]}: {said.decode(errors='replace')}")
                process = Path(f"/proc/{child.pid}")
                (process / "uid_map").write_text(uid_map(number))
                (process / "gid_map").write_text(f"0 0 {_MOST}\n")
                space = os.open(process / "ns/user", os.O_RDONLY | os.O_CLOEXEC)
            finally:
                child.kill()
    except OSError as error:
        raise HomeError("failed", f"no user name space: {error}") from error
    try:
        yield space
    finally:
        os.close(space)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise HomeError("failed", f"system call {number}: {os.strerror(code)}")
    return result
