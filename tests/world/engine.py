"""The machine's Docker engine: used when it answers, started when it does not and we may."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from world import paths, process
from world.run import HEARTBEAT_SECONDS, WorldError, capture, duration, say, succeeds

START_SECONDS = 60
RECORD = paths.CACHE / "world" / "dockerd.json"
LOG = paths.CACHE / "world" / "dockerd.log"


def ensure() -> bool:
    """Make sure that Docker answers; start it by systemd, else directly (root only).

    Returns:
        Whether it had to be started.

    Raises:
        WorldError: it could not be started; names the log.
    """
    if succeeds("docker", "info"):
        return False
    if Path("/run/systemd/system").is_dir():
        say("==> Docker: starting the service")
        capture("systemctl", "start", "docker")
    else:
        say(f"==> Docker: no systemd here, starting dockerd (log: {LOG})")
        _start_directly()
    _wait()
    return True


def _start_directly() -> None:
    dockerd = shutil.which("dockerd")
    if dockerd is None:
        raise WorldError("dockerd is not installed: apt-get install docker.io")
    LOG.parent.mkdir(parents=True, exist_ok=True)
    # A pid file left by a machine that was switched off may name a living stranger: use our own.
    pid_file = LOG.with_name("dockerd.pid")
    pid_file.unlink(missing_ok=True)
    with LOG.open("a") as log:
        started = subprocess.Popen(
            [dockerd, "--pidfile", str(pid_file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process.record(RECORD, started.pid, "dockerd")


def _wait() -> None:
    began = spoke = time.monotonic()
    while not succeeds("docker", "info"):
        now = time.monotonic()
        if now - began > START_SECONDS:
            raise WorldError(f"Docker does not answer after {START_SECONDS} s; its log: {LOG}")
        if now - spoke > HEARTBEAT_SECONDS:
            say(f"   ... Docker is starting: {duration(now - began)}")
            spoke = now
        time.sleep(0.5)


def stop_own() -> None:
    """Stop the dockerd that we started, unless somebody's container runs in it."""
    if process.alive(RECORD) is None:
        return
    if capture("docker", "ps", "--quiet", check=False):
        say("==> Docker: left running, since other containers use it")
        return
    process.stop(RECORD)
    say("==> Docker: the dockerd we had started is stopped")
