"""Detached processes of ours: recorded, recognised, stopped, never mistaken for a stranger."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

from world.notes import read_json

STOP_SECONDS = 15


def _birth(pid: int) -> str | None:
    """Return when a process started (clock ticks after boot), None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[1].split()
    return None if fields[0] == "Z" else fields[19]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def record(path: Path, pid: int, what: str, **more: str) -> None:
    """Write down a process we started, so that it can be told from a later one with its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"pid": pid, "birth": _birth(pid), "boot": _boot(), "what": what, **more}
    path.write_text(json.dumps(known))


def alive(path: Path) -> int | None:
    """Return the recorded process's number if that very process still runs."""
    known = read_json(path)
    if not known or known["boot"] != _boot():
        return None
    pid = int(known["pid"])
    birth = _birth(pid)
    return pid if birth is not None and birth == known["birth"] else None


def stop(path: Path) -> bool:
    """Stop the recorded process if it runs and forget it. True when it ran."""
    pid = alive(path)
    if pid is not None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + STOP_SECONDS
            while alive(path) is not None and time.monotonic() < deadline:
                _reap(pid)
                time.sleep(0.1)
            if alive(path) is None:
                break
    path.unlink(missing_ok=True)
    return pid is not None


def _reap(pid: int) -> None:
    """Take the exit status when the process is our own child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
