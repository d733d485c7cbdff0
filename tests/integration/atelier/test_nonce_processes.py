"""Several processes of the hub share one record of launches: each launch is accepted once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from integration.atelier.small_site import ROOT

CLAIM = """
import sys
from atelier.door.nonces import NonceStore
store = NonceStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    if store.claim("campus", 1_800_000_000, f"n{number}", now=1_800_000_000, expires=1_800_000_600):
        print(number, flush=True)
store.close()
"""
PROCESSES = 4


def test_each_launch_is_claimed_by_one_process(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/jupyterhub.sqlite"
    hubs = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, database],
            env={"PYTHONPATH": str(ROOT / "files/atelier/src")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for hub in hubs:
        assert hub.stdout is not None
        assert hub.stdout.readline() == "ready\n"
    for hub in hubs:  # all at once, once all are there
        assert hub.stdin is not None
        hub.stdin.write("go\n")
        hub.stdin.flush()
    won: Counter[str] = Counter()
    for hub in hubs:
        said, _ = hub.communicate(timeout=60)
        assert hub.returncode == 0
        won.update(said.split())
    assert won == {str(number): 1 for number in range(200)}
