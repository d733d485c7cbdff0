"""Rights over the kernel and over other processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
libc = ctypes.CDLL(None, use_errno=True)


def proc_status(name: str) -> str:
    """A field of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((one.split(":", 1)[1].strip() for one in lines if one.startswith(name + ":")), "")


def capabilities() -> str | None:
    """Any capability, now or for what is started."""
    kinds = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    held = {kind: proc_status(kind) for kind in kinds}
    return str(held) if any(int(value, 16) for value in held.values()) else None


def is_root() -> str | None:
    """Root, or a group that leads there."""
    groups = {os.getgid(), os.getegid(), *os.getgroups()}
    low = sorted(group for group in groups if group < 1000 and group != 100)
    return f"uid {os.getuid()}, groups {low}" if 0 in (os.getuid(), os.geteuid()) or low else None


def in_child(work: Callable[[], object]) -> bool:
    """Whether something works, in a process of its own."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def called(result: int) -> None:
    """Raise what a function of the C library failed with."""
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def becoming_root() -> str | None:
    return "setuid(0) works" if in_child(lambda: os.setuid(0)) else None


def gaining_groups() -> str | None:
    return "setgroups works" if in_child(lambda: os.setgroups([0])) else None


def new_privileges() -> str | None:
    """Programs with setuid give their owner's rights."""
    return None if proc_status("NoNewPrivs") == "1" else "no_new_privs is not set"


def system_calls() -> str | None:
    """No filter of system calls."""
    return None if proc_status("Seccomp") == "2" else f"Seccomp: {proc_status('Seccomp')}"


def namespaces() -> str | None:
    """A user namespace, in which one is root: the kernel's doors that need root are open there."""
    return "unshare works" if in_child(lambda: called(libc.unshare(CLONE_NEWUSER))) else None


def keys() -> str | None:
    """A key in the kernel, which counts them for each user."""
    number = {"x86_64": 248, "aarch64": 217}.get(os.uname().machine)
    if number is None:
        return "could not be tried: add_key(2) has another number on this machine"
    session = ctypes.c_int(-3)
    made = libc.syscall(number, b"user", b"probe", b"x", ctypes.c_size_t(1), session)
    return f"key {made} was made" if made > 0 else None


def mounting() -> str | None:
    """A file system of one's own."""

    def mount() -> None:
        with contextlib.suppress(OSError):
            called(libc.unshare(CLONE_NEWNS))
        called(libc.mount(b"none", tempfile.mkdtemp().encode(), b"tmpfs", 0, None))

    return "mount works" if in_child(mount) else None


def changing_root() -> str | None:
    return "chroot works" if in_child(lambda: os.chroot("/tmp")) else None


def making_devices() -> str | None:
    """Device files: of memory, and of the first disk."""
    with tempfile.TemporaryDirectory() as folder:
        for name, device in (("mem", os.makedev(1, 1)), ("disk", os.makedev(8, 0))):
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                os.mknod(path, 0o600 | stat.S_IFCHR, device)
                return f"mknod {name} works"
    return None


def priority() -> str | None:
    """Before everybody else's processes, or never ended when memory is short."""

    def first() -> None:
        os.nice(-10)

    def last() -> None:
        Path("/proc/self/oom_score_adj").write_text("-500")

    for what, work in (("nice", first), ("oom_score_adj", last)):
        if in_child(work):
            return f"{what} can be raised"
    return None


def clock() -> str | None:
    """The machine's clock; set to what it says."""
    return "clock_settime works" if in_child(lambda: time.clock_settime(0, time.time())) else None


def tracing() -> str | None:
    """Processes of other users, and those outside."""
    for pid in (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}").stat().st_uid == os.getuid():
                continue
            os.kill(pid, 0)
            return f"signals reach process {pid} of another user"
        with contextlib.suppress(OSError):
            called(libc.ptrace(16, pid, None, None))  # PTRACE_ATTACH
            libc.ptrace(17, pid, None, None)
            return f"process {pid} of another user can be traced"
    return None
