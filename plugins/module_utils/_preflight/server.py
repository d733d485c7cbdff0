"""Reads data of the server: procfs, the file system, git. Writes only a temporary file for git."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.machine import (
    Listener,
    Machine,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    resolve,
)

LISTEN = "0A"  # linux/include/net/tcp_states.h
PYTHON = "/usr/bin/python3"
STRICT_PYTHON = (3, 13)
"""From this version on, `ssl.create_default_context` sets `VERIFY_X509_STRICT`."""
OTHER_ENGINES = ("docker-ce", "containerd.io")
SYSTEM_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def read_server(disk_paths: Iterable[str], now: float) -> Machine:
    """Read the data of the machine.

    Args:
        disk_paths: directories, existing or not, whose free space is checked.
        now: the controller's time when it started the module, seconds since 1970.
    """
    system, version = read_system(Path("/etc/os-release").read_text(encoding="utf-8"))
    return Machine(
        system=system,
        version=version,
        memory=read_memory(),
        processors=read_processors(),
        free_disk={path: free_space(Path(path)) for path in disk_paths},
        listeners=list(read_listeners()),
        root=os.geteuid() == 0,
        systemd=Path("/run/systemd/system").is_dir(),
        apt=has_apt(),
        clock_ahead=time.time() - now,
        installed=Path("/etc/systemd/system/atelier-hub.service").exists(),
        other_engine=" and ".join(filter(is_installed, OTHER_ENGINES)),
        loops=has_loops(),
    )


def addresses(names: Iterable[str]) -> dict[str, list[str]]:
    """Resolve each name on this machine; the list is empty for a name without addresses."""
    return {name: sorted(set(resolve(name))) for name in names}


def strictly(found: Iterable[Mapping[str, Any]], version: tuple[Any, ...]) -> list[Finding]:
    """Make findings about strictly checked certificates advice if the server's Python is lenient.

    Hub and desk run with the server's Python, as this module does.

    Args:
        found: `variable`, `problem`, `fix` and `grave` of each finding.
        version: version of the server's Python.
    """
    strict = version >= STRICT_PYTHON
    return [Finding(**{**one, "grave": strict and one["grave"]}) for one in found]


def has_loops() -> bool:
    """Return whether loop devices work; opening the device makes the kernel load its module."""
    try:
        os.close(os.open("/dev/loop-control", os.O_RDWR))
    except OSError:
        return False
    return True


def is_installed(package: str) -> bool:
    """Return whether a Debian package is installed."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell
            ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0 and done.stdout == "installed"


def read_system(text: str) -> tuple[str, str]:
    """Return name and version, such as ("debian", "13"), from /etc/os-release."""
    values = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        values[name] = value.strip().strip('"')
    return values.get("ID", ""), values.get("VERSION_ID", "")


def read_first(*paths: str) -> str:
    """Return the text of the first readable file, or an empty string."""
    for path in paths:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError:
            continue
    return ""


def read_memory() -> int:
    """Return the machine's memory in MiB, or its control group's limit if that is lower."""
    total = int(re.findall(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())[0]) // 1024
    limit = read_first("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    return min(total, int(limit) // 1024**2) if limit.isdigit() else total


def read_processors() -> float:
    """Return the number of usable processors, or the control group's quota if that is lower."""
    count = float(len(os.sched_getaffinity(0)))
    quota, _, period = read_first("/sys/fs/cgroup/cpu.max").partition(" ")
    if not quota:
        quota = read_first("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
        period = read_first("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit() and int(period):
        return min(count, int(quota) / int(period))
    return count


def free_space(path: Path) -> int:
    """Return the free MiB at a directory, or where it will be created."""
    while not path.exists():
        path = path.parent
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize // 1024**2


def has_apt() -> bool:
    """Return whether Ansible's apt module finds its library."""
    for python in {sys.executable, PYTHON}:
        try:
            done = subprocess.run([python, "-c", "import apt"], capture_output=True, check=False)  # noqa: S603
        except OSError:
            continue
        if done.returncode == 0:
            return True
    return False


def read_listeners() -> Iterator[Listener]:
    """Yield the TCP ports in use, with process and unit if they can be read."""
    sockets = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in read_first(table).splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                sockets[fields[9]] = socket_address(fields[1])
    holders = find_holders({f"socket:[{inode}]": inode for inode in sockets})
    for inode, (address, port) in sockets.items():
        process, unit = holders.get(inode, ("", ""))
        yield Listener(address, port, process, unit)


def socket_address(text: str) -> tuple[str, int]:
    """Parse an address and a port in the notation of procfs.

    >>> socket_address("0100007F:1F90")
    ('127.0.0.1', 8080)
    """
    address, _, port = text.partition(":")
    if len(address) == 8:
        number = int(address, 16)
        readable = ".".join(str(number >> shift & 255) for shift in (0, 8, 16, 24))
    elif set(address) == {"0"}:
        readable = "::"
    else:
        readable = address.lower()
    return readable, int(port, 16)


def find_holders(inodes: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return name and systemd unit of the process that holds each socket."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for descriptor in (process / "fd").iterdir():
                inode = inodes.get(os.readlink(descriptor))  # noqa: PTH115 - not a path
                if inode is not None:
                    name = (process / "comm").read_text(encoding="utf-8").strip()
                    found[inode] = name, unit_of((process / "cgroup").read_text(encoding="utf-8"))
        except OSError:
            continue  # The process has ended, or may not be read.
    return found


def unit_of(groups: str) -> str:
    """Return the systemd unit in the text of /proc/<pid>/cgroup, or an empty string.

    >>> unit_of("0::/system.slice/nginx.service")
    'nginx.service'
    """
    match = re.search(r"/([^/\n]+\.service)(?:/|$)", groups, re.MULTILINE)
    return match[1] if match else ""


def check_repository(
    repository: Mapping[str, Any], settings: Settings, authorities: str
) -> list[Finding]:
    """Check that a git server has a branch.

    Args:
        repository: `variable` (its name in messages), `url`, `branch`.
        settings: `git_timeout` in seconds, `http_proxy`, `https_proxy`, `no_proxy`.
        authorities: PEM of authorities to trust in addition to the system's.
    """
    url, branch = str(repository["url"]), str(repository["branch"])
    variable = f"{repository['variable']}.repository"
    with tempfile.TemporaryDirectory(prefix="atelier-preflight-") as directory:
        environment = git_environment(settings, authorities, Path(directory))
        command = ["git", "ls-remote", "--exit-code", "--heads", "--", url, f"refs/heads/{branch}"]
        try:
            done = subprocess.run(  # noqa: S603
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                timeout=float(settings["git_timeout"]), check=False, text=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return [
                Finding(
                    variable,
                    f"does not answer within {settings['git_timeout']} s ({url})",
                    "Check its address, the network and atelier_https_proxy from the server.",
                )
            ]
    if done.returncode == 0:
        return []
    if done.returncode == 2:
        return [
            Finding(
                f"{repository['variable']}.branch",
                f"is {branch}, which {url} does not have",
                "Correct the branch, or push it. A new repository has none before its first push.",
            )
        ]
    said = next((line for line in done.stderr.splitlines() if line.strip()), "no reason given")
    return [
        Finding(
            variable,
            f"cannot be read ({url}: {said.removeprefix('fatal: ')})",
            "Check the address, and that the server may read it: a public repository, or a deploy"
            " key in root's ~/.ssh there.",
        )
    ]


def git_environment(settings: Settings, authorities: str, directory: Path) -> dict[str, str]:
    """Return an environment for git without prompts and with the site's trusted authorities."""
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o StrictHostKeyChecking=no"
        " -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
    }
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        if settings[name]:
            environment[name] = str(settings[name])
    if authorities:
        bundle = directory / "authorities.pem"
        known = read_first(str(SYSTEM_AUTHORITIES))
        bundle.write_text(f"{known}\n{authorities}\n", encoding="utf-8")
        environment["GIT_SSL_CAINFO"] = str(bundle)
    return environment
