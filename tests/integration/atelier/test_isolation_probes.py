"""Each probe of a learner's container finds what it looks for where nothing protects it.

tests/e2e/test_isolation.py runs the same probes where everything has to hold.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hostile.escape import program
from hostile.inside import pools
from world import images
from world.target import FLAGS, LACKING

# Some kernels have neither kcore nor sysrq: what stands for these can be opened.
OPEN = """
touch /dev/kmem; mount -t tmpfs none /sys/kernel
mkdir -p /sys/kernel/mm/ksm; touch /sys/kernel/mm/ksm/run
mknod /dev/mine c 1 3; mkdir /home/other /home/learner; touch /run/docker.sock
setpriv --reuid=4321 --clear-groups sleep 60 >/dev/null 2>&1 &
HOME=/home/learner exec python3 /probes.pyz "$1"
"""
LIMITS = {"memory_bytes": 2**24, "pids": 32, "disk_bytes": 2**20, "inodes": 64}
AS_THE_HUB = ["--cap-drop=ALL", "--security-opt=no-new-privileges"]


class _Obliging(BaseHTTPRequestHandler):
    """Hub, desk and GitLab as they must not be: everybody gets everything."""

    def do_GET(self) -> None:
        body = json.dumps({"password": "lent"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (as the parent wants it)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture(scope="module")
def obliging() -> Iterator[int]:
    images.ensure_target()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Obliging) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def run(tmp_path: Path, options: list[str], script: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run the probes in a container of the test machine's image, and read what they say."""
    (tmp_path / "probes.pyz").write_bytes(program())
    (tmp_path / "probes.pyz").chmod(0o644)
    for more in (LACKING, ()):
        done = subprocess.run(
            ["docker", "run", "--rm", f"--volume={tmp_path}/probes.pyz:/probes.pyz:ro",
             "--entrypoint=bash", *more, *options, images.TARGET, "-c", script, "-",
             json.dumps(given)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if "CapDrop" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_without_protection_every_probe_gets_what_it_wants(tmp_path: Path, obliging: int) -> None:
    address = f"http://127.0.0.1:{obliging}/"
    request = ["anything", "POST", address, {}, {"Authorization": "token {token}"}, [403]]
    said = run(
        tmp_path,
        [*FLAGS, "--network=host", "--pid=host", "--user=root", "--env=SECRET=canary",
         "--env=ATELIER_TEMPLATE=/tmp"],
        OPEN,
        {
            "doors": [["somebody", "127.0.0.1", obliging]],
            "requests": [request],
            "controls": [[*request[:5], [200]]],
            "desk": address,
            "course": "demo",
            "secrets": [hashlib.sha256(b"canary").hexdigest()],
            "hidden": ["dockerd"],
            **LIMITS,
        },
    )  # fmt: skip
    shut = {name: got for name, got in said["tried"].items() if not got or "not be tried" in got}
    assert shut == {}
    assert set(said["controls"].values()) == {True}
    assert len(said["tried"]) >= 34


def test_a_container_as_the_hub_starts_them_holds(tmp_path: Path, obliging: int) -> None:
    """What needs no site: rights, files and limits, those of the home's file system too."""
    said = run(
        tmp_path,
        ["--user=1000:1000", *AS_THE_HUB,
         "--memory=64m", "--memory-swap=64m", "--pids-limit=32",
         "--tmpfs=/home/learner:size=1m,nr_inodes=64,uid=1000", "--env=HOME=/home/learner"],
        'exec python3 /probes.pyz "$1"',
        {
            "doors": [["this machine", "127.0.0.1", obliging]],
            "secrets": [hashlib.sha256(b"canary").hexdigest()],
            "hidden": ["dockerd"],
            **LIMITS,
            "memory_bytes": 2**26,
        },
    )  # fmt: skip
    assert {name: got for name, got in said["tried"].items() if got} == {}


@contextmanager
def holder(probes: Path) -> Iterator[dict[str, int]]:
    """A container of user 1000 that holds all it can; gives what that is."""
    command = ["docker", "run", "--rm", "--interactive", "--user=1000:1000", *AS_THE_HUB,
               "--memory=1g", "--pids-limit=256", "--ulimit=nofile=20000:20000", "--tmpfs=/tmp",
               f"--volume={probes}:/probes.pyz:ro", images.TARGET, "python3", "/probes.pyz",
               "hold"]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        yield json.loads(one.stdout.readline())
        one.communicate()


def test_who_holds_all_the_kernel_gives_a_user_takes_it_from_that_user_alone(
    tmp_path: Path,
) -> None:
    images.ensure_target()
    probes = tmp_path / "probes.pyz"
    probes.write_bytes(program())
    options = [*AS_THE_HUB, "--ulimit=nofile=20000:20000", "--tmpfs=/tmp"]
    start = 'exec python3 /probes.pyz "$1"'
    name = "what a neighbour holds"
    with holder(probes) as held:
        same = run(tmp_path, ["--user=1000:1000", *options], start, {"pools": True})
        assert set(pools.POOLS) == {one.split(":")[0] for one in same["tried"][name].split("; ")}
        other = run(tmp_path, ["--user=2000001:1000", *options], start, {"pools": True})
        assert other["tried"][name] is None
    assert min(held.values()) > 0
