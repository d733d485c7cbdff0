"""SIGKILL for all that a playbook run has started, as when a machine loses its power."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path


def processes_of(home: Path) -> dict[int, str]:
    """The runs at work in a folder, and their modules, in the background too: command by pid.

    Args:
        home: where the run keeps Ansible's things (`classroom.environment`), as its processes'
            environment says.
    """
    mark = f"ANSIBLE_HOME={home / '.ansible'}\0".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes() + b"\0":
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # it has ended
    return found


def kill_everything(home: Path) -> int:
    """Kill them, until none is left; how many there were. What they leave in /tmp is removed."""
    killed, left = 0, set()
    while found := processes_of(home):
        for pid in found:
            try:
                output = Path(f"/proc/{pid}/fd/1").readlink()
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue  # it has ended
            killed += 1
            if output.parent.name.startswith(".atelier-"):
                left.add(output.parent)
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return killed
