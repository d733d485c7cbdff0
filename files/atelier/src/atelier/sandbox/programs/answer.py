"""Runs a learner's file in its sandbox, and passes requests on to the process that ran it.

It is the only process of this sandbox that is known to the outside, but nothing it says is believed
more than what the learner's code says: both run as the same user.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from atelier.sandbox.programs.cells import Code, UnreadableError, missing_name, read
from atelier.sandbox.programs.clock import Clock

START_SECONDS = 45.0
"""Time in which a kernel must start."""
ANSWER_SECONDS = 15.0
"""Time in which the process must be ready for requests, once the file has run."""
MOST_VALUE_BYTES = 256 * 1024
MOST_FOUND_BYTES = 2 * 2**20
"""All values together."""
INTERRUPT_SECONDS = 2.0
_LONGEST_ERROR = 1000
_GONE = b'{"GoneError": ""}\n'
_LINE = 8 * 2**20


class Failure(Exception):  # noqa: N818 (of the learner's file, not of this program)
    """The run has a problem; ``problem`` is its key."""

    def __init__(
        self, problem: str, cell: int | None = None, error: str = "", name: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.cell = cell
        self.error = error
        self.name = name


class Runner(Protocol):
    """Runs one kind of file."""

    output: Output
    pid: int
    """The process that runs the learner's code, once it has begun."""
    place: int | None
    """The cell that is running."""
    begun: asyncio.Event
    """Set when the learner's code begins to run: from then on its time counts."""

    async def run(self) -> Opened | None:
        """Run the file; return the connection to its process, or None when it has no values."""

    def interrupt(self) -> None:
        """Interrupt what the process is doing."""

    def kill(self) -> None:
        """End the process."""


Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Output:
    """What the file prints: kept up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._size = 0
        self._shown = 0
        self.exceeded = asyncio.Event()

    def add(self, text: str, *, kept: bool = True) -> None:
        """Add text; ``kept``: it belongs to what the file prints."""
        self._size += len(text)
        if self._size > self._limit:
            self.exceeded.set()
        elif kept:
            self._parts.append(text)

    def show(self, size: int) -> None:
        """Count a figure or another display, of which much more is allowed than of text."""
        self._shown += size
        if self._shown > 32 * self._limit:
            self.exceeded.set()

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(self._parts)


def main() -> None:
    """Read a job from the standard input, and write lines to the standard output."""
    lines = sys.stdin.buffer
    out = os.dup(1)
    quiet = os.open(os.devnull, os.O_RDWR)
    for standard in (1, 2):
        os.dup2(quiet, standard)
    job = json.loads(lines.readline())

    def write(line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(out, view) :]

    def say(message: dict[str, Any]) -> None:
        write(json.dumps(message).encode() + b"\n")

    asyncio.run(_served(job, lines.readline, write, say))
    os._exit(0)  # the kernel is not waited for: the sandbox ends


async def _served(
    job: dict[str, Any],
    readline: Callable[[], bytes],
    write: Callable[[bytes], None],
    say: Callable[[dict[str, Any]], None],
) -> None:
    began = time.monotonic()
    runner, opened = None, None
    try:
        folder = _unpacked(job["files"])
        content = (folder / job["file"]).read_bytes()
        code = _with_given(read(job["file"], content), job)
        runner = _runner(code, job, folder)
        opened = await _bounded(runner, job["seconds"])
        run = {"problem": "", "cell": None, "error": "", "name": ""}
    except Failure as failure:
        run = {name: getattr(failure, name) for name in ("problem", "cell", "error", "name")}
    except UnreadableError as error:
        run = {"problem": "run_unreadable", "cell": None, "error": str(error), "name": ""}
    except Exception as error:
        run = {"problem": "run_died", "cell": None, "error": type(error).__name__, "name": ""}
    if run["problem"] in {"run_error", "run_died", "run_timeout"}:
        run["problem"] = _counted() or run["problem"]
    run["error"] = str(run["error"])[:_LONGEST_ERROR]
    say({**run, "seconds": round(time.monotonic() - began, 3)})
    if runner is None or opened is None:
        return
    await _tell_values(job["values"], runner, opened, say)
    await _pass_on(runner, opened, job["call_seconds"], readline, write)


def _with_given(code: Code, job: dict[str, Any]) -> Code:
    if job["given"] is None:
        return code
    with contextlib.suppress(UnreadableError):
        given = read(job["file"], base64.b64decode(job["given"]))
        return dataclasses.replace(code, given=given.names())
    return code


def _unpacked(files: dict[str, str]) -> Path:
    folder = Path(os.environ.get("TMPDIR", "/tmp"), "work")  # noqa: S108 (the sandbox's own)
    folder.mkdir()
    Path(os.environ["HOME"]).mkdir(exist_ok=True)
    Path(os.environ["HOME"]).mkdir(exist_ok=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))
    return folder


def _runner(code: Code, job: dict[str, Any], folder: Path) -> Runner:
    if code.language == "python" and code.notebook is not None:
        from atelier.sandbox.programs.notebook import NotebookRunner

        return NotebookRunner(code, job, folder)
    from atelier.sandbox.programs.process import ProcessRunner

    return ProcessRunner(code, job, folder)


async def _bounded(runner: Runner, seconds: float) -> Opened | None:
    """Run a file with limits on time and output."""
    run = asyncio.ensure_future(runner.run())
    output = asyncio.ensure_future(runner.output.exceeded.wait())
    begun = asyncio.ensure_future(runner.begun.wait())
    try:
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait({run, begun}, timeout=START_SECONDS, return_when=first)
        clock = Clock(seconds, runner.pid)
        done: set[Any] = set()
        while not done and (left := clock.left()) > 0:
            done, _ = await asyncio.wait({run, output}, timeout=left, return_when=first)
        if output in done:
            raise Failure("run_output", runner.place)
        if run not in done:
            raise Failure("run_timeout", runner.place)
        return run.result()
    finally:
        output.cancel()
        begun.cancel()
        if not run.done():
            runner.kill()
            run.cancel()
            with contextlib.suppress(BaseException):
                await run


def explained(code: Code, at: int, kind: str, message: str, place: int) -> Failure:
    """Return the failure that an error of the learner's code means."""
    error = f"{kind}: {message}" if kind else message
    if kind in {"MemoryError", "_ArrayMemoryError", "numpy.core._exceptions._ArrayMemoryError"}:
        return Failure("run_memory", place, error)
    if kind in {"BlockingIOError", "RuntimeError"} and (
        "Resource temporarily unavailable" in message or "can't start new thread" in message
    ):
        return Failure("run_processes", place, error)
    if kind == "OutputLimitError":
        return Failure("run_output", place, error)
    problem, name = missing_name(code, at, kind, message)
    return Failure(problem, place, error, name)


def _counted() -> str:
    """Return which of the sandbox's limits was reached, as the kernel has counted."""
    for name, key, problem in (
        ("pids.events", "max", "run_processes"),
        ("memory.events", "oom_kill", "run_memory"),
        ("memory.oom_control", "oom_kill", "run_memory"),
    ):
        for folder in ("", "memory", "pids"):
            try:
                text = Path("/sys/fs/cgroup", folder, name).read_text()
            except OSError:
                continue
            if re.search(rf"(?m)^{key} [1-9]", text):
                return problem
    return ""


async def _tell_values(
    values: list[dict[str, str]],
    runner: Runner,
    opened: Opened,
    say: Callable[[dict[str, Any]], None],
) -> None:
    left = MOST_FOUND_BYTES
    for value in values:
        if value["kind"] == "output":
            found: dict[str, Any] = {"present": True, "value": runner.output.text}
        elif value["kind"] == "file":
            found = _file(value["name"])
        else:
            found = await _variable(value["name"], opened)
        size = len(json.dumps(found))
        if size > min(MOST_VALUE_BYTES, left):
            found = {"present": found.get("present") is True, "problem": "crossing"}
        else:
            left -= size
        say(found)


def _file(name: str) -> dict[str, Any]:
    folder = Path(os.environ.get("TMPDIR", "/tmp"), "work")  # noqa: S108
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            return {"present": False, "problem": "undefined"}
        if path.stat().st_size > MOST_VALUE_BYTES:
            return {"present": True, "problem": "crossing"}
        return {"present": True, "value": path.read_text("utf-8-sig")}
    except (OSError, RuntimeError):
        return {"present": False, "problem": "undefined"}
    except ValueError:
        return {"present": True, "problem": "crossing"}


async def _variable(name: str, opened: Opened) -> dict[str, Any]:
    reader, writer = opened
    try:
        writer.write(json.dumps({"plain": name}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            found = json.loads(await reader.readline())
        if isinstance(found, dict):
            return {key: found[key] for key in ("present", "value", "problem") if key in found}
    except (OSError, ValueError, RecursionError):  # TimeoutError is an OSError
        pass
    return {"present": False, "problem": "crossing"}


async def _pass_on(
    runner: Runner,
    opened: Opened,
    seconds: float,
    readline: Callable[[], bytes],
    write: Callable[[bytes], None],
) -> None:
    """Pass requests on to the process, and its replies back, until nobody asks any more."""
    reader, writer = opened
    while True:
        line = await asyncio.to_thread(readline)
        if not line:
            return
        try:
            writer.write(line)
            await writer.drain()
            reply = await _reply(runner, reader, seconds) or _too_long(line)
        except (OSError, ValueError):
            reply = _GONE
        await asyncio.to_thread(write, reply)


async def _reply(runner: Runner, reader: asyncio.StreamReader, seconds: float) -> bytes:
    """Return the process's next line; interrupt a call that takes too long, then end it."""
    waiting = asyncio.ensure_future(reader.readline())
    for limit in (seconds, INTERRUPT_SECONDS):
        clock = Clock(limit, runner.pid)
        while (left := clock.left()) > 0:
            done, _ = await asyncio.wait({waiting}, timeout=left)
            if done:
                return waiting.result() or _GONE
        runner.interrupt()  # its reply still belongs to this request
    waiting.cancel()
    runner.kill()
    return b""


def _too_long(line: bytes) -> bytes:
    reply = {"CallTimeoutError": "the call took too long", "n": json.loads(line).get("n")}
    return json.dumps(reply).encode() + b"\n"


class Door:
    """Where the process that ran the file connects, to be asked for values."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._opened: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._connected, self.path, limit=_LINE)

    async def _connected(self, *opened: Any) -> None:
        if not self._opened.done():
            self._opened.set_result(opened)

    async def wait(self) -> Opened:
        """Return the connection, however long it takes."""
        return await self._opened

    async def connected(self, ended: Awaitable[Any] | None = None) -> Opened:
        """Return the connection.

        Raises:
            Failure: the process has ended, or is not ready in time.
        """
        waiting = {asyncio.ensure_future(self._opened)}
        if ended is not None:
            waiting.add(asyncio.ensure_future(ended))
        await asyncio.wait(waiting, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not self._opened.done():
            raise Failure("run_died")
        return self._opened.result()


def interrupt(pid: int) -> None:
    """Send a process the signal of Ctrl+C."""
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGINT)
