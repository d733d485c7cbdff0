"""Run commands: captured when short, streamed with a heartbeat when long."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

HEARTBEAT_SECONDS = 10.0


class WorldError(Exception):
    """Something failed; the message says what and what to do."""


def say(text: str) -> None:
    """Print a line for the person who waits, at once."""
    print(text, flush=True)


def duration(seconds: float) -> str:
    """Write a duration the short way: 7 s, 3 min 05 s."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def capture(*command: str, check: bool = True, stdin: str | None = None) -> str:
    """Run a short command and return its standard output, stripped.

    Raises:
        WorldError: it is missing, or failed and `check` is true; carries its error output.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)
    except FileNotFoundError as error:
        raise WorldError(f"{command[0]}: not found") from error
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise WorldError(f"{' '.join(command)}\n  failed ({done.returncode}): {said}")
    return done.stdout.strip()


def succeeds(*command: str) -> bool:
    """Tell whether a command exists and ends with 0."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0


def _pump(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def stream(
    what: object,
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
    show: Callable[[str], str | None] = lambda line: line,
    tail: int = 40,
) -> None:
    """Run a long command, print its lines as they come and a heartbeat when it is silent.

    Args:
        what: named in heartbeats and errors: a text, or an object whose text
            changes while `show` reads lines; the time told begins with the change.
        show: turns a line into what to print, or None to keep it to the log.
        log: file that receives every line.
        tail: lines quoted in the error.

    Raises:
        WorldError: the command failed; carries its last lines.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=cwd,
        env={**os.environ, **env} if env else None,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    last: list[str] = []
    sink = log.open("a", encoding="utf-8") if log else None
    try:
        printed = time.monotonic()
        while True:
            try:
                line = lines.get(timeout=max(0.1, printed + HEARTBEAT_SECONDS - time.monotonic()))
            except queue.Empty:
                printed = time.monotonic()
                say(f"   ... {what}: {duration(printed - began)}")
                continue
            if line is None:
                break
            last = [*last[-(tail - 1) :], line]
            if sink:
                sink.write(line + "\n")
                sink.flush()
            before = str(what)
            shown = show(line)
            if str(what) != before:
                began = time.monotonic()
            if shown is not None:
                say(shown)
                printed = time.monotonic()
        code = process.wait()
    except BaseException:
        stop_group(process.pid)
        raise
    finally:
        if sink:
            sink.close()
    if code:
        where = f" (whole log: {log})" if log else ""
        quoted = "\n".join(f"   | {line}" for line in last)
        raise WorldError(f"{what}: failed with code {code}{where}\n{quoted}")


@contextlib.contextmanager
def beside(what: str, *command: str) -> Iterator[None]:
    """Run a command of the world while the body runs; both have ended when this ends.

    Args:
        what: named in the error.
        command: words after `python -m world`.

    Raises:
        WorldError: the command failed; what it said stands above.
    """
    process = subprocess.Popen([sys.executable, "-m", "world", *command], stdin=subprocess.DEVNULL)
    try:
        yield
        code = process.wait()
    except BaseException:
        process.terminate()  # it stops what it has started
        process.wait()
        raise
    if code:
        raise WorldError(f"{what}: failed with code {code}, see above")


def stop_group(pid: int) -> None:
    """Terminate the process group that `pid` leads; gone already is fine."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return


def fail(error: WorldError) -> int:
    """Print an error the way every command of the world does, and return the exit code."""
    print(f"\n{error}", file=sys.stderr, flush=True)
    return 1
