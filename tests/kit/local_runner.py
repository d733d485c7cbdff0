"""The runner's service with sandboxes that protect from nothing: ``-m kit.local_runner SOCKET``.

Notebooks run as scripts, cell after cell, as no kernel is installed beside the tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from atelier.sandbox import relay, service
from atelier.sandbox.engine import Sandbox
from atelier.sandbox.model import Job, RunResult

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


def as_script(job: Job) -> Job:
    """Return a job with a script instead of a notebook."""
    if not job.file.endswith(".ipynb"):
        return job
    cells = json.loads(job.files[job.file])["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    file = job.file.removesuffix(".ipynb") + ".py"
    return replace(job, file=file, files={**job.files, file: "\n".join(code).encode()})


_run = relay.run


async def run(sandbox: Sandbox, image: str, job: Job) -> RunResult:
    """Run a job without a kernel."""
    return await _run(sandbox, image, as_script(job))


async def image(course: str) -> tuple[str, int]:
    """Return an image's name and memory, whatever the course."""
    return f"image of {course}", 2**30


def main() -> None:
    """Serve until the process is ended."""
    relay.run = run
    local = service.Service(LocalSandbox(), image, {os.getuid()}, workers=2)
    asyncio.run(service.serve(local, Path(sys.argv[1])))


if __name__ == "__main__":
    main()
