"""Asks an address again and again until its standard input ends; prints the milliseconds of each.

In a process of its own: what else a benchmark does must not hold up its watch.
"""

from __future__ import annotations

import http.client
import json
import select
import subprocess
import sys
import time
from urllib.parse import urlsplit

from world import paths

PAUSE_SECONDS = 0.02


class Probe:
    """Somebody else's browser, as long as the block lasts; then ``times`` are there."""

    def __init__(self, url: str) -> None:
        self.times: list[float] = []
        self._url = url

    def __enter__(self) -> Probe:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.probe", self._url],
            cwd=paths.ROOT / "tests",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has begun
        return self

    def __exit__(self, *_: object) -> None:
        said, _none = self._process.communicate()
        self.times = json.loads(said)


def main(url: str) -> int:
    """Ask and print."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    times = []
    while not times or not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        began = time.perf_counter()
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise SystemExit(f"{url}: {answer.status}")
        if not times:
            print(flush=True)
        times.append(took)
    print(json.dumps(times[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
