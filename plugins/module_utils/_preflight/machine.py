"""Preflight rules for the server: its system, its resources, and what already runs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import as_number
from ansible_collections.mooc.atelier.plugins.module_utils._schema.sizes import size_bytes

ENOUGH_TO_RUN_MB = 2000
"""Least free disk space for a site that is already installed."""
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


class Listener(NamedTuple):
    """A TCP port in use.

    Attributes:
        address: the address; 0.0.0.0 or :: for all.
        port: its number.
        process: name of the program, or an empty string if unknown.
        unit: systemd unit of the program, or an empty string.
    """

    address: str
    port: int
    process: str
    unit: str


class Port(NamedTuple):
    """A TCP port that the site needs.

    Attributes:
        variable: the setting with which the operator can change it.
        address: the address that the site listens on.
        port: its number.
        unit: the site's unit, which may already use it.
    """

    variable: str
    address: str
    port: int
    unit: str


class Machine(NamedTuple):
    """Data that the module read on the server. Sizes are in MiB; `clock_ahead` is in seconds.

    `installed`: a site is already installed. `other_engine`: packages from Docker, if installed.
    `loops`: loop devices are available.
    """

    system: str
    version: str
    memory: int
    processors: float
    free_disk: Mapping[str, int]
    listeners: Sequence[Listener]
    root: bool
    systemd: bool
    apt: bool
    clock_ahead: float
    installed: bool = False
    other_engine: str = ""
    loops: bool = True


def machine_findings(
    machine: Machine, settings: Settings, ports: Sequence[Port]
) -> Iterator[Finding]:
    """Apply every rule of this file.

    Args:
        machine: data of the server.
        settings: the variables of role preflight for the machine, without their prefix.
        ports: ports that the site will use.
    """
    yield from system_findings(machine, settings)
    yield from memory_findings(machine, settings)
    yield from disk_findings(machine, settings)
    yield from clock_findings(machine, settings)
    yield from engine_findings(machine)
    yield from loop_findings(machine, settings)
    yield from port_findings(machine.listeners, ports)
    yield from limit_findings(machine, settings["courses"])


def system_findings(machine: Machine, settings: Settings) -> Iterator[Finding]:
    """Check the operating system and Ansible's access to it."""
    supported = settings["systems"]
    found = f"{machine.system} {machine.version}".strip()
    if found not in supported:
        yield Finding(
            "The server's operating system",
            f"is {found or 'unknown'}, which is not supported",
            f"Install one of: {', '.join(supported)}. To try anyway, add it to preflight_systems.",
        )
    if not machine.systemd:
        yield Finding(
            "The server", "does not run systemd", "Use a machine or container started by systemd."
        )
    if not machine.root:
        yield Finding(
            "ansible_become", "does not make Ansible root", "Set it to true, or connect as root."
        )
    if not machine.apt:
        yield Finding(
            "The server",
            "has no python3-apt, which Ansible installs packages with",
            "Run on it: apt-get update && apt-get install python3-apt.",
        )


def memory_findings(machine: Machine, settings: Settings) -> Iterator[Finding]:
    """Check that there is enough memory for what is to be installed."""
    least, better = settings["minimum_memory_mb"], settings["recommended_memory_mb"]
    what = "GitLab and the hub" if settings["gitlab_deployment"] == "omnibus" else "the hub"
    problem = f"has {machine.memory} MB of memory"
    if machine.memory < least:
        yield Finding(
            "The server",
            f"{problem}; {what} need at least {least}",
            "Give it more, or set preflight_minimum_memory_mb if you know what you are doing.",
        )
    elif machine.memory < better:
        yield Finding(
            "The server", f"{problem}; {what} run well from {better}", "Give it more.", grave=False
        )


def disk_findings(machine: Machine, settings: Settings) -> Iterator[Finding]:
    """Check free disk space; an installed site needs less."""
    least, better = settings["minimum_disk_mb"], settings["recommended_disk_mb"]
    if machine.installed:
        least = min(least, ENOUGH_TO_RUN_MB)
    for path, free in machine.free_disk.items():
        problem = f"has {free} MB free for {path}"
        if free < least:
            yield Finding(
                "The server",
                f"{problem}; at least {least} are needed",
                "Make room or add a disk, or set preflight_minimum_disk_mb.",
            )
        elif free < better:
            yield Finding(
                "The server", f"{problem}; {better} are better", "Plan a larger disk.", grave=False
            )


def engine_findings(machine: Machine) -> Iterator[Finding]:
    """Check that Docker's own packages are absent: they conflict with docker.io of role docker."""
    if machine.other_engine:
        yield Finding(
            "The server",
            f"has {machine.other_engine}, a package of Docker's own, which Debian's docker.io"
            " cannot stand beside",
            "Use a server without it; or, where nothing else needs it, remove it"
            " (apt-get remove docker-ce docker-ce-cli containerd.io), which keeps /var/lib/docker.",
        )


def loop_findings(machine: Machine, settings: Settings) -> Iterator[Finding]:
    """Check loop devices, with which learners' homes (images) are mounted."""
    if settings["homes"] != "none" and not machine.loops:
        yield Finding(
            "atelier_homes",
            f"is {settings['homes']}, which needs loop devices; the server has none"
            " (/dev/loop-control)",
            "Load the kernel's module loop (modprobe loop), or give them to the container that is"
            " the server. Without them, the line `atelier_homes: none` leaves learners' homes"
            " without a limit: one learner can fill the disk for everybody.",
        )


def clock_findings(machine: Machine, settings: Settings) -> Iterator[Finding]:
    """Check the clock: launches contain a signed time, so a wrong clock refuses all of them."""
    ahead = machine.clock_ahead
    if abs(ahead) > settings["clock_tolerance"]:
        where = "ahead of" if ahead > 0 else "behind"
        yield Finding(
            "The server's clock",
            f"is {abs(ahead):.0f} s {where} this machine's",
            "Synchronise both, for example with: apt-get install systemd-timesyncd.",
        )


def port_findings(listeners: Sequence[Listener], ports: Sequence[Port]) -> Iterator[Finding]:
    """Check that no other program uses the site's ports; the site's own units may."""
    for wanted in ports:
        for held in listeners:
            same = held.address == wanted.address or held.address in WILDCARDS
            if held.port != wanted.port or held.unit == wanted.unit:
                continue
            if same or wanted.address in WILDCARDS:
                who = held.process or "another program"
                if held.unit:
                    who = f"{who} ({held.unit})"
                yield Finding(
                    wanted.variable,
                    f"is {wanted.port}, a port that {who} holds on the server",
                    "Stop that program, or choose another port.",
                )
                break


def limit_findings(machine: Machine, courses: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Check that learners' limits do not exceed the server's resources."""
    for course in courses:
        memory, cpu = size_bytes(course.get("memory")), as_number(course.get("cpu"))
        if memory is not None and memory > machine.memory * 1024**2:
            yield Finding(
                f"{course['name']}.memory",
                f"is more than the server has ({course['memory']}; {machine.memory} MB)",
                "Use less: it is what one learner may use.",
            )
        if cpu is not None and cpu > machine.processors:
            yield Finding(
                f"{course['name']}.cpu",
                f"is more than the server has ({course['cpu']}; {machine.processors:g})",
                "Use less: it is what one learner may use.",
            )
