"""Memory of units and containers of the demo's server: proportional set size, in MiB."""

from __future__ import annotations

from pathlib import Path

from world.target import Target

PSS = Path(__file__).with_name("inside") / "pss.py"


def of_process(target: Target, pid: str) -> float:
    """Return the memory of a process of the server and its descendants."""
    return float(target.run("python3", "-c", PSS.read_text(), pid))


def of_unit(target: Target, unit: str) -> float:
    """Return the memory of a systemd unit."""
    return of_process(target, target.run("systemctl", "show", "-P", "MainPID", unit))


def of_container(target: Target, name: str) -> float:
    """Return the memory of a container of the server's own engine."""
    pid = target.run("docker", "container", "inspect", "-f", "{{.State.Pid}}", name)
    return of_process(target, pid)
