"""Running git: never through a shell, never asking a question, never for longer than allowed."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FULL_DISK_WORDS = ("No space left on device", "Disk quota exceeded", "Out of diskspace")
LOCK_WORDS = (".lock': File exists", "cannot lock ref", "Unable to create '")
_USER = re.compile(r"://[^/@\s]+@")
_TAIL = 4000  # characters of git's own words that are kept

# A hook, a helper or a background task of the clone's settings has no part in our commands.
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.pager": "cat",
    "core.safecrlf": "false",
    "core.splitIndex": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.lowSpeedLimit": "1",  # bytes a second: a git whose parent was killed ends by itself
    "http.lowSpeedTime": "30",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "push.gpgSign": "false",
    "push.recurseSubmodules": "no",
    "submodule.recurse": "false",
    "user.useConfigOnly": "true",  # no name guessed from the machine's
}
_OPTIONS = [word for item in _SETTINGS.items() for word in ("-c", "=".join(item))]

# Where the repository is, is our decision; traces can hold credentials.
_DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_CURL_VERBOSE")
_DROPPED_PREFIXES = ("GIT_TRACE", "GIT_OBJECT_", "GIT_ALTERNATE_")
_ADDED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Limits:
    """Seconds git may take: until its first word, and in all."""

    first_word: float
    total: float


LOCAL = Limits(first_word=120, total=120)


@dataclass(frozen=True)
class Result:
    """How a git command ended; `code` is None when a limit was passed and it was stopped."""

    code: int | None
    raw: bytes
    err: str

    @property
    def ok(self) -> bool:
        """Whether git ended by itself with success."""
        return self.code == 0

    @property
    def out(self) -> str:
        """Standard output as text; bytes that are not UTF-8 survive (PEP 383)."""
        return os.fsdecode(self.raw)

    @property
    def names(self) -> list[str]:
        """Standard output as the NUL-separated list that `-z` gives."""
        return [name for name in self.out.split("\0") if name]

    @property
    def disk_full(self) -> bool:
        """Whether git says that the disk is full, here: GitLab may say so of its own."""
        lines = [line for line in self.err.splitlines() if not line.startswith("remote:")]
        return any(words in line for line in lines for words in FULL_DISK_WORDS)

    @property
    def locked(self) -> bool:
        """Whether git found a lock file in its way."""
        return any(words in self.err for words in LOCK_WORDS)

    @property
    def reason(self) -> str:
        """The last line git said."""
        if self.code is None:
            return "stopped after its time limit"
        lines = [line for line in self.err.replace("\r", "\n").splitlines() if line.strip()]
        return without_user(lines[-1].strip()) if lines else f"exit code {self.code}"


def without_user(text: str) -> str:
    """Return a text whose addresses name no user and no password."""
    return _USER.sub("://", text)


def environment(base: Mapping[str, str], extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which git never asks a question and speaks plain English."""
    kept = {
        name: value
        for name, value in base.items()
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    }
    return {**kept, **_ADDED, **(extra or {})}


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
        break
    process.wait()


def run(
    folder: Path,
    *arguments: str,
    limits: Limits = LOCAL,
    given: bytes | None = None,
    extra: Mapping[str, str] | None = None,
    held: Sequence[int] = (),
) -> Result:
    """Run `git -C folder arguments`.

    A command that says nothing on its error output (where git shows progress) within
    `limits.first_word` seconds, or is not done within `limits.total`, is stopped.

    Args:
        folder: where git works.
        arguments: git's; paths go behind `--`, or are `given` NUL-separated.
        limits: how long it may take.
        given: standard input; only for commands that need no network.
        extra: more environment variables.
        held: file descriptors that git and its children keep open: a lock lives as long as they.
    """
    process = subprocess.Popen(  # noqa: S603 - arguments are a list, no shell
        ["git", "-C", str(folder), *_OPTIONS, *arguments],  # noqa: S607 - the PATH decides
        stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(os.environ, extra),
        pass_fds=tuple(held),
        start_new_session=True,
    )
    try:
        if given is not None:
            return _feed(process, given, limits)
        return _watch(process, limits)
    except BaseException:
        _stop(process)
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _feed(process: subprocess.Popen[bytes], given: bytes, limits: Limits) -> Result:
    try:
        out, err = process.communicate(given, timeout=limits.total)
    except subprocess.TimeoutExpired:
        _stop(process)
        return Result(None, b"", "")
    return Result(process.returncode, out, _text(err))


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> Result:
    started = time.monotonic()
    texts = {"out": bytearray(), "err": bytearray()}
    deadline = started + min(limits.first_word, limits.total)
    with selectors.DefaultSelector() as selector:
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            assert stream is not None  # noqa: S101 - both are pipes, asked for above
            selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                _stop(process)
                return Result(None, b"", _text(texts["err"]))
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
    return Result(code, bytes(texts["out"]), _text(texts["err"]))


def _text(raw: bytes | bytearray) -> str:
    return bytes(raw).decode("utf-8", "replace")[-_TAIL:]


def listed(names: Iterable[str]) -> bytes:
    """Return names as the NUL-separated input of git's `-z` options."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def lines(folder: Path, *arguments: str) -> list[str]:
    """Return the lines a local git command prints, or none when it fails."""
    result = run(folder, *arguments)
    return result.out.splitlines() if result.ok else []


def merge_lines(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> Result:
    """Merge three versions of a text by lines, as git-merge-file(1) does.

    Args:
        folder: an empty one, for the versions.
        base: what was there.
        ours: what we have.
        theirs: what they have.

    Returns:
        The merged text in `raw` if `ok`; not `ok`: both changed the same lines, or it is no text.
    """
    names = []
    for name, raw in (("ours", ours), ("base", base), ("theirs", theirs)):
        (folder / name).write_bytes(raw)
        names.append(str(folder / name))
    return run(folder, "merge-file", "-p", "--quiet", "--", *names)
