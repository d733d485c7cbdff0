"""The demo's course page: a process of this machine, beside the target, as an LMS would be."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from world import paths, process, venv
from world.images import digest
from world.run import WorldError, say

PORT = 8800
START_SECONDS = 30
RECORD = paths.DEMO / "lms.pid.json"
LOG = paths.DEMO / "lms.log"


def ensure(address: str, config: Path) -> bool:
    """Start the course page, or start it anew when its code or its settings changed.

    Args:
        address: IP address to listen on, the gateway of the target's network.
        config: `.demo/demo.json`.

    Returns:
        Whether it was started.
    """
    inputs = digest(paths.ROOT / "tests" / "lms", config, address)
    if process.alive(RECORD) and process.recorded(RECORD).get("inputs") == inputs:
        return False
    process.stop(RECORD)
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


def stop() -> bool:
    """Stop the course page. True when it ran."""
    return process.stop(RECORD)
