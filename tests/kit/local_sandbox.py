"""Sandboxes that protect from nothing, and jobs, for quick tests of what runs in sandboxes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from atelier.sandbox import relay
from atelier.sandbox.engine import ENVIRONMENT, LONGEST_LINE
from atelier.sandbox.model import Job, Language, RunLimits, RunResult, Test, Value


class LocalStream:
    """A process of this machine."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.stopped = False

    async def readline(self) -> bytes:
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
        except ValueError:
            return b""
        return line if line.endswith(b"\n") else b""

    async def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(data)
            await self._process.stdin.drain()

    async def ran_out_of_memory(self) -> bool:
        return False

    async def stop(self) -> None:
        self.stopped = True
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class LocalSandbox:
    """Starts programs as processes of this machine, or of a container that runs already.

    Args:
        container: its name; None: this machine.
    """

    def __init__(self, container: str | None = None) -> None:
        self._container = container
        self.streams: list[LocalStream] = []

    async def start(
        self,
        image: str,
        command: tuple[str, ...],
        stdin: bytes,
        limits: RunLimits,
    ) -> LocalStream:
        assert image
        assert limits
        folder = Path(tempfile.mkdtemp(prefix="atelier-sandbox-"))
        own = {"TMPDIR": str(folder), "HOME": str(folder / "home"), "IPYTHONDIR": str(folder / "i")}
        environment = {**ENVIRONMENT, **own}
        if self._container is None:
            program = (sys.executable, *command[1:])
            environment = {**environment, "PATH": os.environ["PATH"]}
        else:
            given = [
                word for key, value in environment.items() for word in ("-e", f"{key}={value}")
            ]
            inside = ("sh", "-c", 'mkdir -p "$TMPDIR" && exec "$@"', "sh", *command)
            program = ("docker", "exec", "-i", "--user=1000", *given, self._container, *inside)
        process = await asyncio.create_subprocess_exec(
            *program, cwd=folder, env=environment, limit=LONGEST_LINE, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        stream = LocalStream(process, folder)
        self.streams.append(stream)
        await stream.write(stdin)
        return stream


def notebook(*cells: str, kernel: str = "python3") -> bytes:
    """Return a notebook of code cells; one that begins with ``# %% [markdown]`` is text."""
    made: list[dict[str, Any]] = []
    for number, source in enumerate(cells):
        text = source.startswith("# %% [markdown]")
        own: dict[str, Any] = {} if text else {"outputs": [], "execution_count": None}
        kind = "markdown" if text else "code"
        made.append(
            {
                "cell_type": kind,
                "id": f"c{number}",
                "metadata": {},
                "source": source.splitlines(keepends=True),
                **own,
            }
        )
    language = "python" if kernel == "python3" else "R"
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel, "language": language}}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}
    ).encode()


def run_file(
    sandbox: LocalSandbox,
    name: str,
    content: bytes | str,
    tests: dict[str, str] | None = None,
    values: tuple[Value, ...] = (),
    files: dict[str, bytes] | None = None,
    limits: RunLimits | None = None,
    language: Language = "python",
    names: tuple[str, ...] = (),
    given: bytes | None = None,
) -> RunResult:
    """Run a file, with tests by name."""
    source = content if isinstance(content, bytes) else content.encode()
    job = Job(
        course="demo", who="basile", file=name, files={**(files or {}), name: source},
        language=language, values=values, names=names, given=given,
        limits=limits or RunLimits(seconds=20),
        tests=tuple(Test(key, code) for key, code in (tests or {}).items()),
    )  # fmt: skip
    job.check()
    return asyncio.run(relay.run(sandbox, "image", job))


def scores(result: RunResult) -> dict[str, float]:
    """Return the score of each test."""
    return {outcome.name: outcome.score for outcome in result.tests}
