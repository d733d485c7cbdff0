"""A separate user id for each running server.

The kernel limits inotify instances and watches, pending signals, pages of pipes, descriptors in
flight, message queues and locked memory per user id, over all containers. With the same id for all,
a single learner could use up these limits for everybody.

On disk a home belongs to user 1000 (``learner`` in course images). An id-mapped mount
(mount_setattr(2), ``MOUNT_ATTR_IDMAP``) makes it appear to belong to the server's user id: no file
is changed, and the next start of the server uses another id.
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
"""Group id of all servers: the kernel has no limits per group."""
FIRST = 2_000_000
"""Above the ids of the system, of people and of user namespaces; below 2,097,152, the limit of
plain tar files.

/etc/passwd in the course image has the same ids: see its Dockerfile.
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
    """Return the user id to which a home is mapped; None: it is mounted without a mapping."""
    found = folder.stat().st_uid
    return found if found in NUMBERS else None


def give(place: Path, number: int) -> None:
    """Remount the file system at a place so that files of user 1000 appear to belong to ``number``.

    Raises:
        HomeError: ``failed``: the kernel does not support it. Either the previous mount is still
            there, or nothing is mounted at the place.
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
    """Return a map that swaps user 1000 and the given id, and keeps all others."""
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
    """Yield a descriptor of a user namespace with the map; it disappears after its last use."""
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
