"""Runs comparisons of files that may be anything, each in a process that can be ended."""

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

from atelier.exercises.fair_queue import SMALL_BYTES, FairQueue
from atelier.exercises.model import (
    Comparison,
    ExpectedError,
    Limits,
    Rule,
    failed,
    message,
)

log = logging.getLogger(__name__)

START_SECONDS = 60.0
SMALL_WORKERS = 1


class UnfinishedError(Exception):
    """A comparison ended for a reason that is not the files'; ``key`` is what to say."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def usual_workers() -> int:
    """One processor less than there are, at least one: hub, desk and learners have the rest."""
    return max(len(os.sched_getaffinity(0)) - 1, 1)


class Checker:
    """Compares files in processes with limits, so many at a time; the others wait their turn.

    Small files have a process more, so that they never wait for large ones.

    Args:
        limits: of one comparison.
        workers: how many run at the same time; by default :func:`usual_workers`.
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
        """Have the process ready that comparisons are forked from; it takes about half a second.

        Raises:
            OSError: it does not start.
        """
        async with self._starting:
            if self._process is not None and self._process.poll() is None:
                return
            self._forget()
            await asyncio.to_thread(self._spawn)

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # A new interpreter and not a fork: the desk's memory holds tokens.
            self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
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
        """:func:`atelier.exercises.engine.compare`, bounded in time and memory.

        A comparison that takes too much is one that could not be made: its ``problem`` says so.
        Of those ``who`` wait, whose comparisons took least lately comes first.

        Raises:
            ExpectedError: the expected file, or the given one, cannot be read.
            UnfinishedError: it was not made, and that is not the files' fault.
            OSError: the process for comparisons cannot be started.
        """
        most = self.limits.max_bytes + 1  # enough to be found too large
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
        """What the child says; None when it took more than it may.

        Raises:
            UnfinishedError: it got too little of the processor, or somebody ended it.
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
                return None  # the kernel ended it: what it may take is used up
            raise UnfinishedError("exercise_stopped") from None
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection with a child of its own; the process is started again if it is gone."""
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
        """Stop; comparisons under way end by themselves, within their limit."""
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
    """One comparison for a caller that may wait: see :meth:`Checker.check`."""

    async def once() -> Comparison:
        async with Checker(limits) as checker:
            return await checker.check(expected, answer, rule, given)

    return asyncio.run(once())
