"""What the machine must have, looked at before anything is changed and said all at once."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from world import paths
from world.run import WorldError, capture, stream, succeeds

DISK_GIB = 12
MEMORY_GIB = 4
REAL_GITLAB_MEMORY_GIB = 8
GIB = 1024**3
ENGINE = "docker.io"
PROGRAMS_ONLY = {"nginx", "postgresql"}
"""Packages whose services the tests have no use for."""
POLICY = Path("/usr/sbin/policy-rc.d")
NOTHING_STARTS = """\
#!/bin/sh
# Of the tests of mooc.atelier, while they install packages: remove it if they no longer do.
exit 101
"""


@dataclass
class Needs:
    """Findings: what stops us, and which Debian packages would be installed."""

    problems: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Stop if something is missing, else install the packages.

        Raises:
            WorldError: the list of problems, each with its remedy.
        """
        if self.problems:
            listed = "\n".join(f"  - {problem}" for problem in self.problems)
            raise WorldError(f"Nothing has been changed. This is missing:\n{listed}")
        if self.packages:
            install(self.packages)

    def package(self, name: str, why: str) -> None:
        """Note a Debian package: to be installed by root, else to be asked for."""
        if os.geteuid() == 0 and shutil.which("apt-get"):
            self.packages.append(name)
        else:
            self.problems.append(f"{why}: sudo apt-get install {name}")


def install(packages: Iterable[str]) -> None:
    """Install Debian packages, as root."""
    names = list(dict.fromkeys(packages))
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    stream("refreshing the list of packages", ["apt-get", "update", "-q"], env=env, show=_quiet)
    if ENGINE in names and capture("apt-cache", "search", "--names-only", "^docker-cli$"):
        names.append("docker-cli")  # a package of its own since Debian 13
    with _nothing_starts():
        stream(
            f"installing {' '.join(names)}",
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names],
            env=env,
            show=lambda line: f"   {line}" if line.startswith("Setting up") else None,
        )
    for service in sorted(PROGRAMS_ONLY & set(names)):  # nor at the next boot
        capture("systemctl", "disable", service, check=False)


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """Install nginx and PostgreSQL for their programs: no service of theirs begins to listen.

    Packages ask policy-rc.d before they start what they bring (Debian Policy, section 9.3.3.1); one
    that is there is left alone.
    """
    if POLICY.exists() and POLICY.read_text(errors="replace") != NOTHING_STARTS:
        yield
        return
    POLICY.write_text(NOTHING_STARTS)  # or one that an installation of ours that was killed left
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _quiet(_: str) -> None:
    return None


def common(needs: Needs) -> None:
    """Look at what every command needs: Linux, Python with venv, git, a Docker engine."""
    if platform.system() != "Linux":
        needs.problems.append(
            f"Linux (this is {platform.system()}): run it in a Debian 12 or 13 machine"
        )
    venv(needs)
    if not shutil.which("git"):
        needs.package("git", "git")
    _docker(needs)
    free = shutil.disk_usage(paths.ROOT).free / GIB
    if free < DISK_GIB:
        needs.problems.append(
            f"{DISK_GIB} GiB of free disk ({paths.ROOT} has {free:.1f}): make room, or move"
        )


def venv(needs: Needs) -> None:
    """Check that Python can make virtual environments: Debian has that in a package of its own."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        needs.package(f"python{version}-venv", f"Python {version} cannot make virtual environments")


def _docker(needs: Needs) -> None:
    if succeeds("docker", "info"):
        return
    root = os.geteuid() == 0
    if shutil.which("docker") and not root:
        needs.problems.append(
            "a Docker engine you may use: start it (sudo systemctl start docker) and join its\n"
            "    group (sudo usermod -aG docker $USER, then log in again), or run make as root"
        )
    elif not root:
        needs.problems.append(
            "a Docker engine: sudo apt-get install docker.io && sudo usermod -aG docker $USER,\n"
            "    then log in again; or run make as root and it will be installed"
        )
    elif not shutil.which("dockerd") or not shutil.which("docker"):
        if not shutil.which("apt-get"):
            needs.problems.append("a Docker engine: install one (this machine has no apt-get)")
            return
        needs.packages += [ENGINE, "iptables"]


def ports(needs: Needs, wanted: Iterable[int], owner: str) -> None:
    """Check that local ports are free, unless the container `owner` runs and so has them."""
    form = "{{.State.Running}}"
    if capture("docker", "container", "inspect", "-f", form, owner, check=False) == "true":
        return
    for port in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                needs.problems.append(
                    f"port {port} of 127.0.0.1 ({error.strerror}): see who has it with"
                    f" 'ss -ltnp sport = :{port}' and stop it"
                )


def memory(needs: Needs, gib: int) -> None:
    """Check the machine's memory, in GiB; a tenth less is accepted, since the kernel keeps some."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    if total < gib * 0.9:
        needs.problems.append(f"{gib} GiB of memory (this machine has {total:.1f})")


def programs(needs: Needs, wanted: dict[str, str]) -> None:
    """Check programs, given as {program: Debian package}."""
    for program, package in wanted.items():
        # Daemons are in /usr/sbin, which a person may not have in their PATH.
        if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
            needs.package(package, f"the program {program}")
