"""The demo's course page: a process of this machine, beside the target, as an LMS would be."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from world import paths, process, venv
from world.images import digest
from world.notes import read_json
from world.run import WorldError, say

PORT = 8800
START_SECONDS = 30
RECORD_NAME = "lms.pid.json"
RECORD = paths.DEMO / RECORD_NAME
LOG = paths.DEMO / "lms.log"


def ensure(address: str, config: Path) -> bool:
    """Start the course page, or start it anew when its code or its settings changed.

    Args:
        address: IP address to listen on, the gateway of the target's network.
        config: `.demo/demo.json`.

    Returns:
        Whether it was started.

    Raises:
        WorldError: somebody else listens there, or it does not answer in time.
    """
    inputs = digest(paths.ROOT / "tests" / "lms", config, address)
    if process.alive(RECORD) and read_json(RECORD).get("inputs") == inputs:
        return False
    process.stop(RECORD)
    refuse_a_stranger(address)
    say("==> course page: starting")
    with LOG.open("a") as log:
        started = subprocess.Popen(
            [venv.program("python"), "-m", "lms", "--bind", f"{address}:{PORT}",
             "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=paths.ROOT,
            env={**_plain_environment(), **venv.environment()},
            start_new_session=True,
        )  # fmt: skip
    process.record(RECORD, started.pid, "course page", inputs=inputs)
    _wait(address, started)
    return True


def refuse_a_stranger(address: str) -> None:
    """Without this the page of another checkout, with other secrets, would pass for ours.

    Raises:
        WorldError: somebody else listens on the course page's port of that address.
    """
    if process.alive(RECORD) is not None:
        return
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex((address, PORT)) == 0:
            raise WorldError(
                f"Something else listens on {address}:{PORT}, where the course page has to.\n"
                "  Most often it is that of another checkout's demo: run make demo-down there,\n"
                f"  or find it with: ss -ltnp 'sport = :{PORT}'"
            )


def _plain_environment() -> dict[str, str]:
    return {"HOME": str(Path.home()), "LANG": "C.UTF-8"}


def _wait(address: str, started: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if started.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{address}:{PORT}/", timeout=2):
                return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.2)
    tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-20:])
    raise WorldError(f"The course page does not answer on {address}:{PORT} ({LOG}):\n{tail}")


def stop(demo: Path = paths.DEMO) -> bool:
    """Stop the course page of the demo whose folder is given. True when it ran."""
    return process.stop(demo / RECORD_NAME)
