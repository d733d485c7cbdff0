"""Running git with a limit on how long it may stay silent and how long it may take."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FULL_DISK_WORDS = ("No space left on device", "Disk quota exceeded")
_TAIL = 4000  # characters of git's own words kept for the log


@dataclass(frozen=True)
class Limits:
    """Seconds git may take: until its first word, and in all."""

    first_word: float
    total: float


LOCAL = Limits(first_word=60, total=60)


@dataclass(frozen=True)
class Result:
    """How a git command ended; `code` is None when a limit was passed and it was stopped."""

    code: int | None
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether git ended by itself with success."""
        return self.code == 0

    @property
    def disk_full(self) -> bool:
        """Whether git says that the disk is full."""
        return any(words in self.err for words in FULL_DISK_WORDS)

    @property
    def reason(self) -> str:
        """The last line git said, for the log."""
        if self.code is None:
            return "stopped after its time limit"
        lines = [line for line in self.err.replace("\r", "\n").splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {self.code}"


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which git never asks a question and speaks plain English."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "LC_ALL": "C.UTF-8"}
    return {**base, **quiet}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop git and its helpers: they share a session of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def run(folder: Path, *arguments: str, limits: Limits = LOCAL) -> Result:
    """Run `git -C folder arguments`, without a shell.

    A command that says nothing on its error output (where git shows progress) within
    `limits.first_word` seconds, or is not done within `limits.total`, is stopped.
    """
    process = subprocess.Popen(  # noqa: S603 - arguments are a list, no shell
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - the image's own PATH
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(os.environ),
        start_new_session=True,
    )
    started = time.monotonic()
    texts = {"out": b"", "err": b""}
    deadline = started + min(limits.first_word, limits.total)
    with selectors.DefaultSelector() as selector:
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            assert stream is not None  # noqa: S101 - both are pipes, asked for above
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                _stop(process)
                return Result(None, "", _text(texts["err"]))
            for key, _ in selector.select(remaining):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                texts[key.data] += chunk
                deadline = started + limits.total
    try:
        code: int | None = process.wait(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _stop(process)
        code = None
    return Result(code, texts["out"].decode("utf-8", "replace"), _text(texts["err"]))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")[-_TAIL:]


def lines(folder: Path, *arguments: str) -> list[str]:
    """Return the lines a local git command prints, or none when it fails."""
    result = run(folder, *arguments)
    return result.out.splitlines() if result.ok else []
