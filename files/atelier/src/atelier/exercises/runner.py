"""Runs comparisons of untrusted files, each in a process that can be killed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from dataclasses import asdict
from types import TracebackType
from typing import Any, cast

from atelier.exercises.model import (
    Comparison,
    ExpectedError,
    Limits,
    Rule,
    failed,
    message,
)
from atelier.limits.fair_queue import SMALL_BYTES, FairQueue

log = logging.getLogger(__name__)

START_SECONDS = 60.0
SMALL_WORKERS = 1


class UnfinishedError(Exception):
    """A comparison was aborted, not because of its files; ``key`` is that of the message."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def usual_workers() -> int:
    """Return the number of processors less one (for hub, desk and learners), at least 1."""
    return max(len(os.sched_getaffinity(0)) - 1, 1)


class Checker:
    """Compares files in processes with limits, a bounded number at a time.

    One more process is reserved for small files, so that they never wait for large ones.

    Args:
        limits: limits of one comparison.
        workers: comparisons at the same time; by default :func:`usual_workers`.
    """

    def __init__(self, limits: Limits | None = None, workers: int | None = None) -> None:
        self.limits = limits or Limits()
        self._turns = FairQueue(workers or usual_workers(), SMALL_WORKERS)
        self._starting = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs: socket.socket | None = None

    async def __aenter__(self) -> Checker:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the process that forks a child for each comparison, which takes about 0.5 s.

        Raises:
            OSError: the process does not start.
        """
        async with self._starting:
            if self._process is not None and self._process.poll() is None:
                return
            self._forget()
            await asyncio.to_thread(self._spawn)

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # A new interpreter rather than a fork: the desk's memory contains tokens.
            self._process = subprocess.Popen(  # noqa: S603 (this interpreter and this package)
                [sys.executable, "-c", _MAIN, *sys.path],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
            )
        self._jobs = ours
        ours.settimeout(START_SECONDS)
        if not ours.recv(1):
            raise OSError("the process for comparisons ended at once")
        ours.settimeout(None)

    async def check(
        self,
        expected: bytes,
        answer: bytes | None,
        rule: Rule,
        given: bytes | None = None,
        *,
        who: str = "",
    ) -> Comparison:
        """Run :func:`atelier.exercises.engine.compare` with limits on time and memory.

        A comparison that exceeds them scores 0, and its ``problem`` says so. Among the users
        (``who``) that wait, the one with the least recent usage comes first.

        Raises:
            ExpectedError: the expected or the given file cannot be read.
            UnfinishedError: the comparison was aborted, not because of its files.
            OSError: the process for comparisons cannot be started.
        """
        most = self.limits.max_bytes + 1  # one byte too many still exceeds the limit
        files = [None if file is None else file[:most] for file in (expected, answer, given)]
        header = {
            "rule": rule.to_json(),
            "limits": asdict(self.limits),
            "sizes": [None if file is None else len(file) for file in files],
        }
        small = sum(len(file) for file in files if file) <= SMALL_BYTES
        async with self._turns.turn(who, small=small):
            reply = await self._ask(json.dumps(header).encode(), files)
        if reply is None:
            return failed(rule, message("check_problem_time"))
        data: dict[str, Any] = json.loads(reply)
        if "expected" in data:
            raise ExpectedError(data["expected"])
        return cast(Comparison, data["comparison"])

    async def _ask(self, header: bytes, files: list[bytes | None]) -> bytes | None:
        """Return the child's answer; None if it used up its processor time.

        Raises:
            UnfinishedError: the child timed out on a busy machine, or was killed early.
        """
        reader, writer = await self._connect()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self.limits.longest_wait):
                payload = sum(len(file) for file in files if file)
                writer.write(len(header).to_bytes(8, "big") + payload.to_bytes(8, "big") + header)
                for file in files:
                    if file:
                        writer.write(file)
                await writer.drain()
                size = int.from_bytes(await reader.readexactly(8), "big")
                return await reader.readexactly(size)
        except TimeoutError:
            raise UnfinishedError("exercise_busy") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            if loop.time() - began >= self.limits.seconds * 0.9:
                return None  # the kernel killed it at its limit of processor time
            raise UnfinishedError("exercise_stopped") from None
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a new child; restart the process for comparisons if it has died."""
        for last in (False, True):
            await self.start()
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    if self._jobs is not None:
                        socket.send_fds(self._jobs, [b"j"], [theirs.fileno()])
                        return await asyncio.open_unix_connection(sock=ours)
                except OSError:
                    ours.close()
                    if last:
                        raise
                    log.warning("the process for comparisons is gone; another is started")
                    self._end()
        raise OSError("no process for comparisons")

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        if self._jobs is not None:
            self._jobs.close()
        if self._process is not None:
            self._process.poll()
        self._process = self._jobs = None

    async def close(self) -> None:
        """Stop the process for comparisons; running children finish within their limits."""
        async with self._starting:
            await asyncio.to_thread(self._end)


_MAIN = "import sys; sys.path[:] = sys.argv[1:]; from atelier.exercises.worker import main; main()"


def check_bounded(
    expected: bytes,
    answer: bytes | None,
    rule: Rule,
    given: bytes | None = None,
    limits: Limits | None = None,
) -> Comparison:
    """Run one comparison and block until it is done; see :meth:`Checker.check`."""

    async def once() -> Comparison:
        async with Checker(limits) as checker:
            return await checker.check(expected, answer, rule, given)

    return asyncio.run(once())
