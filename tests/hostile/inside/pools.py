"""What the kernel counts for each user: who takes all of it takes it from all that are this user.

:func:`hold` takes all it can; :func:`lacking` says what a neighbour lacks meanwhile.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

libc = ctypes.CDLL(None, use_errno=True)
libc.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
WATCHED = 30_000
IN_MODIFY = 2
F_GETPIPE_SZ = 1032
PIPE_BYTES = 65536
IPC_RMID, SHM_LOCK = 0, 11
Taking = Callable[[], Iterator[object]]
"""Takes one more at each step; OSError: there is none left."""


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def inotify_instances() -> Iterator[object]:
    """``fs.inotify.max_user_instances``."""
    while True:
        yield _checked(libc.inotify_init())


def inotify_watches() -> Iterator[object]:
    """``fs.inotify.max_user_watches``: of few files, by many instances."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{number}".encode() for number in range(WATCHED)]
        while True:
            instance = _checked(libc.inotify_init())
            for path in paths:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
                yield _checked(libc.inotify_add_watch(instance, path, IN_MODIFY))


def pipes() -> Iterator[object]:
    """``fs.pipe-user-pages-soft``: over it, a pipe holds 8 KiB and no longer 64."""
    while True:
        ends = os.pipe()
        size = fcntl.fcntl(ends[0], F_GETPIPE_SZ)
        if size < PIPE_BYTES:
            raise OSError(f"a pipe holds {size} bytes")
        yield ends


def signals() -> Iterator[object]:
    """``RLIMIT_SIGPENDING``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    while True:
        yield _checked(libc.sigqueue(os.getpid(), signal.SIGRTMIN, None))


def message_queues() -> Iterator[object]:
    """``RLIMIT_MSGQUEUE``."""
    attributes = (ctypes.c_long * 8)(0, 10, 8192)
    flags = os.O_CREAT | os.O_RDWR
    for number in count():
        name = f"/{os.getpid()}-{number}".encode()
        yield _checked(libc.mq_open(name, flags, 0o600, ctypes.byref(attributes)))
        libc.mq_unlink(name)


def passed_descriptors() -> Iterator[object]:
    """Descriptors on their way through sockets: as many as a process may have open."""
    sent = array.array("i", [0] * 250)
    while True:
        ends = socket.socketpair()
        ends[0].setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                ends[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, sent)])
                yield ends


def locked_memory() -> Iterator[object]:
    """``RLIMIT_MEMLOCK``."""
    while True:
        number = _checked(libc.shmget(0, PIPE_BYTES, 0o1600))
        libc.shmat(number, None, 0)
        libc.shmctl(number, IPC_RMID, None)  # gone with this process
        yield _checked(libc.shmctl(number, SHM_LOCK, None))


@dataclass(frozen=True)
class Pool:
    """What is taken.

    Attributes:
        take: takes it.
        share: how much a neighbour must get.
        most: nobody takes more: it has another bound.
    """

    take: Taking
    share: int = 100
    most: int = 2_000_000


POOLS = {
    "inotify watches": Pool(inotify_watches, 1000),
    "inotify instances": Pool(inotify_instances, 50),
    "pipes": Pool(pipes, most=20_000),
    "pending signals": Pool(signals),
    "message queues": Pool(message_queues, 1),
    "passed descriptors": Pool(passed_descriptors, 4, 8000),
    "locked memory": Pool(locked_memory, 4),
}


def _all_descriptors() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _taken(pool: Pool, most: int) -> tuple[list[object], str]:
    held: list[object] = []
    try:
        for one in pool.take():
            held.append(one)
            if len(held) == most:
                break
    except OSError as error:
        return held, str(error)
    return held, ""


def hold() -> dict[str, int]:
    """Take all of everything; processes of this one's group keep it. Returns how much that is."""
    found = {}
    for name, pool in POOLS.items():
        reading, writing = os.pipe()
        if os.fork() == 0:
            _all_descriptors()
            held, _ = _taken(pool, pool.most)
            os.write(writing, str(len(held)).encode())
            signal.pause()
        found[name] = int(os.read(reading, 64))
    return found


def lacking() -> str | None:
    """What cannot be had of an ordinary share; tried in processes of their own."""
    found = []
    for name, pool in POOLS.items():
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            held, why = _taken(pool, pool.share)
            os.write(writing, f"{name}: {why}".encode() if len(held) < pool.share else b" ")
            os._exit(0)
        said = os.read(reading, 4096).decode().strip()
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
        found += [said] if said else []
    return "; ".join(found) or None
