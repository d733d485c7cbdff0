"""The desk's client of the runner."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from atelier.sandbox.model import LONGEST_LINE, Job, RunnerError, RunResult
from atelier.sandbox.programs.clock import PATIENCE
from atelier.sandbox.relay import START_SECONDS, VALUES_SECONDS

LONGEST_WAIT = 1800.0
"""Longest time in the queue, seconds."""


class RunnerClient:
    """Sends jobs to the runner.

    Args:
        path: the runner's socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def run(self, job: Job, waiting: Callable[[int], None] | None = None) -> RunResult:
        """Run a job; cancelling this stops it.

        Args:
            job: the job.
            waiting: called with the job's number in the queue, from 1, and with 0 when it starts.

        Raises:
            RunnerError: there is no result; see its ``code``.
        """
        each = START_SECONDS + PATIENCE * job.limits.seconds
        longest = LONGEST_WAIT + 2 * each + VALUES_SECONDS
        try:
            async with asyncio.timeout(longest):
                return await self._run(job, waiting or (lambda _number: None))
        except TimeoutError:
            raise RunnerError("busy") from None
        except (OSError, ValueError, RecursionError) as error:
            raise RunnerError("failed", f"{self._path}: {type(error).__name__}") from None

    async def _run(self, job: Job, waiting: Callable[[int], None]) -> RunResult:
        reader, writer = await asyncio.open_unix_connection(self._path, limit=LONGEST_LINE)
        try:
            writer.write(json.dumps({"course": job.course, "who": job.who}).encode() + b"\n")
            while True:
                told = json.loads(await reader.readline())
                if "waiting" in told:
                    waiting(int(told["waiting"]))
                elif "go" in told:
                    waiting(0)
                    writer.write(json.dumps(job.to_json()).encode() + b"\n")
                    await writer.drain()
                elif "result" in told:
                    return RunResult.from_json(told["result"])
                else:
                    raise RunnerError(str(told.get("problem", "failed")))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
