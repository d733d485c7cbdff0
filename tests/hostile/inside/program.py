"""What a hostile program tries inside a learner's container; Python's standard library only.

    python3 probes.pyz '{"doors": [["the proxy", "172.30.0.1", 8001]], ...}'

It is copied into a container, whatever engine runs that, and given JSON: see :class:`Given`. It
answers JSON: ``{"tried": {probe: null or what it got}, "controls": {name: whether it worked}}``.
A probe that got nothing says null; one that could not be tried says so, which is no null.

    python3 probes.pyz hold

takes all it can of what the kernel counts for each user, answers how much that is, and keeps it
until its standard input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from hostile.inside import filesystem, limits, network, pools, rights
from hostile.inside.given import Given

ALWAYS: dict[str, Callable[[], str | None]] = {
    "raw sockets": network.raw_sockets,
    "capabilities": rights.capabilities,
    "root": rights.is_root,
    "becoming root": rights.becoming_root,
    "gaining groups": rights.gaining_groups,
    "new privileges": rights.new_privileges,
    "system calls without a filter": rights.system_calls,
    "user namespaces": rights.namespaces,
    "mounting": rights.mounting,
    "changing root": rights.changing_root,
    "making devices": rights.making_devices,
    "the kernel's keys": rights.keys,
    "priority": rights.priority,
    "the clock": rights.clock,
    "tracing others": rights.tracing,
    "kernel settings": filesystem.kernel_settings,
    "kernel switches": filesystem.kernel_switches,
    "kernel memory": filesystem.kernel_memory,
    "control groups": filesystem.control_groups,
    "devices": filesystem.devices,
    "engines' sockets": filesystem.engines,
    "the image's files": filesystem.system_files,
    "the course's template": filesystem.template,
    "other homes": filesystem.homes,
    "the machine's files": filesystem.outside,
    "other networks": filesystem.interfaces,
}
WITH: dict[str, tuple[str, Callable[[Given], str | None]]] = {
    "processes outside": ("hidden", filesystem.processes),
    "secrets": ("secrets", filesystem.told_secrets),
    "memory": ("memory_bytes", limits.memory),
    "processes": ("pids", limits.many_processes),
    "disk": ("disk_bytes", limits.disk),
    "files": ("inodes", limits.inodes),
    "what a neighbour holds": ("pools", lambda _: pools.lacking()),
}
"""Those that need to be told something, and what."""


def attempt(work: Callable[[], str | None]) -> str | None:
    """What a probe got; what stopped the probe itself is told as well."""
    try:
        return work()
    except Exception as error:
        return f"could not be tried: {type(error).__name__}: {error}"


def attack(given: Given) -> dict[str, Any]:
    """Try everything."""
    if given.desk:
        given.password = attempt(partial(network.credential, given)) or ""
    with ThreadPoolExecutor(16) as pool:  # most doors have to be waited for
        doors = {
            f"door: {what}": pool.submit(attempt, partial(network.knock, host, port))
            for what, host, port in given.doors
        }
        requests = {
            f"request: {one[0]}": pool.submit(attempt, partial(network.answered, given, one))
            for one in given.requests
        }
        controls = {one[0]: pool.submit(network.status, given, one) for one in given.controls}
        tried = {name: each.result() for name, each in {**doors, **requests}.items()}
        worked = {one[0]: controls[one[0]].result()[0] in one[5] for one in given.controls}
    for name, alone in ALWAYS.items():
        tried[name] = attempt(alone)
    for name, (needs, work) in WITH.items():
        if getattr(given, needs):
            tried[name] = attempt(partial(work, given))
    if given.desk:
        worked["a git credential of its own"] = bool(given.password)
    return {"tried": tried, "controls": worked}


def main() -> None:
    """Read what the program is given, and print what it got."""
    if sys.argv[1] == "hold":
        with contextlib.suppress(PermissionError):  # leads its session, and so its group
            os.setpgid(0, 0)
        print(json.dumps(pools.hold()), flush=True)
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)
        return
    print(json.dumps(attack(Given(**json.loads(sys.argv[1])))))
