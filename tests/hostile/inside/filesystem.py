"""Files of the kernel, of the machine, of the image and of other learners, and secrets in sight."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hostile.inside.given import Given


def opened(paths: list[str], flags: int) -> str | None:
    """A file that can be opened; nothing is written. Docker masks some with /dev/null."""
    for path in paths:
        with contextlib.suppress(OSError):
            handle = os.open(path, flags | os.O_NONBLOCK)
            found = os.fstat(handle)
            os.close(handle)
            if not (stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(1, 3)):
                return f"{path} can be opened"
    return None


def kernel_settings() -> str | None:
    kernel = ["core_pattern", "hostname", "modprobe", "printk", "randomize_va_space"]
    others = ["vm/overcommit_memory", "net/ipv4/ip_forward", "net/ipv6/conf/all/disable_ipv6",
              "fs/inotify/max_user_instances", "fs/protected_symlinks"]  # fmt: skip
    paths = [f"/proc/sys/{one}" for one in [f"kernel/{one}" for one in kernel] + others]
    return opened(paths, os.O_WRONLY)


def kernel_switches() -> str | None:
    return opened(
        ["/proc/sysrq-trigger", "/sys/power/state", "/sys/kernel/mm/ksm/run"], os.O_WRONLY
    )


def kernel_memory() -> str | None:
    return opened(["/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg"], os.O_RDONLY)


def control_groups() -> str | None:
    """The files that hold the limits."""
    limits = ("memory.max", "pids.max", "cgroup.procs", "memory.limit_in_bytes", "release_agent",
              "memory/memory.limit_in_bytes", "pids/pids.max", "devices/devices.allow")  # fmt: skip
    return opened([f"/sys/fs/cgroup/{one}" for one in limits], os.O_WRONLY)


def devices() -> str | None:
    """Devices besides those that every program needs."""
    usual = {"null", "zero", "full", "random", "urandom", "tty", "console", "ptmx"}
    for path in Path("/dev").rglob("*"):
        with contextlib.suppress(OSError):
            kind = path.lstat().st_mode
            inner = path.parts[2] in {"pts", "mqueue", "shm", "fd"}
            if (stat.S_ISCHR(kind) or stat.S_ISBLK(kind)) and path.name not in usual and not inner:
                return f"{path} is there"
    return None


def engines() -> str | None:
    """Sockets of container engines and of the machine's own services."""
    names = ["docker.sock", "containerd/containerd.sock", "podman/podman.sock", "crio/crio.sock",
             "dbus/system_bus_socket", "systemd/private", "systemd/journal/socket"]  # fmt: skip
    for name in names:
        for folder in ("/run", "/var/run"):
            if Path(folder, name).exists():
                return f"{folder}/{name} is there"
    return None


def system_files() -> str | None:
    """Files that belong to the image."""
    for folder in ("/", "/etc", "/usr", "/usr/local/bin", "/opt", "/root", "/srv", "/var", "/home"):
        with contextlib.suppress(OSError):
            tempfile.TemporaryFile(dir=folder).close()
            return f"files can be made in {folder}"
    return opened(["/etc/passwd", "/etc/hosts", "/etc/resolv.conf"], os.O_WRONLY)


def template() -> str | None:
    """The course's template, which all its learners' clones come from."""
    folder = os.environ.get("ATELIER_TEMPLATE", "/srv/atelier/template.git")
    with contextlib.suppress(OSError):
        tempfile.TemporaryFile(dir=folder).close()
        return f"files can be made in {folder}"
    return opened([f"{folder}/HEAD", f"{folder}/config"], os.O_WRONLY)


def homes() -> str | None:
    """Other learners' files, and the machine's."""
    mine = Path.home().name
    others = [str(one) for one in Path("/home").iterdir() if one.name != mine]
    roots = ("/var/lib/docker", "/var/lib/atelier", "/etc/atelier/secrets", "/srv/gitlab", "/host")
    return ", ".join(others + [one for one in roots if Path(one).exists()]) or None


def outside() -> str | None:
    """The machine by /proc: what other processes' roots lead to."""
    for one in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if one.name.isdigit() and Path(one, "root/var/lib/docker/volumes").exists():
                return f"{one}/root is the machine's"
    return None


def processes(given: Given) -> str | None:
    """Processes of the machine and of other learners."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found = [
                word for word in given.hidden if word in line and int(path.parts[2]) != os.getpid()
            ]
            if found:
                return f"{path}: {found[0]}"
    return None


def interfaces() -> str | None:
    """Networks besides the learners'."""
    names = {name for _, name in socket.if_nameindex()}
    more = {one for one in names if not one.startswith(("lo", "eth0", "tunl", "sit", "ip6tnl"))}
    return ", ".join(sorted(more)) or None


def words() -> Iterator[tuple[str, str]]:
    """Each word of the environments and command lines in sight, with where it stands."""
    for path in [*Path("/proc").glob("[0-9]*/environ"), *Path("/proc").glob("[0-9]*/cmdline")]:
        with contextlib.suppress(OSError):
            for part in path.read_bytes().decode(errors="replace").split("\0"):
                yield str(path), part
                yield str(path), part.partition("=")[2]
    for name, value in os.environ.items():
        yield f"${name}", value
    for folder in ("/run/secrets", "/run/credentials"):
        for path in Path(folder).rglob("*") if Path(folder).exists() else ():
            with contextlib.suppress(OSError):
                yield str(path), path.read_text(errors="replace").strip()


def told_secrets(given: Given) -> str | None:
    """The site's secrets in what the container is told."""
    known = set(given.secrets)
    for place, word in words():
        if hashlib.sha256(word.encode(errors="replace")).hexdigest() in known:
            return place
    return None
