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
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

HEARTBEAT_SECONDS = 10.0


class WorldError(Exception):
    """Something failed; the message says what and what to do."""


class _Interruption:
    """Ctrl+C, SIGTERM, a closed terminal: KeyboardInterrupt, but never amid a start and its note.

    What was started would go on without us, beside the next try.
    """

    def __init__(self) -> None:
        self._held = False
        self._wanted = False

    def install(self) -> None:
        """Answer them from now on."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._arrived)

    def _arrived(self, *_: object) -> None:
        if self._held:
            self._wanted = True
        else:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold it back in the block; `let` lets it through."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def let(self) -> None:
        """Raise what was held back."""
        if self._wanted:
            self._wanted = False
            raise KeyboardInterrupt


interruption = _Interruption()


def say(text: str) -> None:
    """Print a line for the person who waits, at once."""
    print(text, flush=True)


def duration(seconds: float) -> str:
    """Write a duration the short way: 7 s, 3 min 05 s."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def capture(*command: str, check: bool = True, stdin: str | None = None) -> str:
    """Run a short command and return its standard output, stripped; where `check` is false and
    there is no such command, an empty text.

    Raises:
        WorldError: it is missing or failed, and `check` is true; carries its error output.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)
    except FileNotFoundError as error:
        if not check:
            return ""
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


def quoted(lines: Iterable[str]) -> str:
    """Set a command's lines off from the message that carries them."""
    return "\n".join(f"   | {line}" for line in lines)


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
    lines: queue.Queue[str | None] = queue.Queue()
    last: deque[str] = deque(maxlen=tail)
    sink = log.open("a", encoding="utf-8") if log else None
    with interruption.held():
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
    try:
        interruption.let()
        assert process.stdout is not None
        threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
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
            last.append(line)
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
        raise WorldError(f"{what}: failed with code {code}{where}\n{quoted(last)}")


@contextlib.contextmanager
def beside(what: str, *command: str, required: bool = True) -> Iterator[None]:
    """Run a command of the world while the body runs; both have ended when this ends.

    Args:
        what: named in the error.
        command: words after `python -m world`.
        required: its failure is an error.

    Raises:
        WorldError: the command failed and is required; what it said stands above.
    """
    words = [sys.executable, "-m", "world", *command]
    with interruption.held():
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    try:
        interruption.let()
        yield
        code = process.wait()
    except BaseException:
        process.terminate()  # it stops what it has started
        process.wait()
        raise
    if code and required:
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
