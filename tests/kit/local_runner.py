"""The runner's service with sandboxes that protect from nothing: ``-m kit.local_runner SOCKET``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from atelier.sandbox.service import Service, serve

from kit.local_sandbox import LocalSandbox
from kit.site import until

TESTS = Path(__file__).parents[1]


@contextlib.contextmanager
def running(path: Path, source: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service in a process of its own.

    Args:
        path: its socket.
        source: folder of the package ``atelier``.
    """
    path.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{source}"}
    command = [sys.executable, "-m", "kit.local_runner", str(path)]
    with subprocess.Popen(command, env=environment) as process:
        try:
            until(path.exists, "the runner listens")
            yield process
        finally:
            process.terminate()


async def image(course: str) -> tuple[str, int]:
    """Return an image's name and memory, whatever the course."""
    return f"image of {course}", 2**30


def main() -> None:
    """Serve until the process is ended."""
    service = Service(LocalSandbox(), image, {os.getuid()}, workers=2)
    asyncio.run(serve(service, Path(sys.argv[1])))


if __name__ == "__main__":
    main()
