"""The process that comparisons run in: it keeps everything imported, and forks one child for each.

Started by :mod:`atelier.exercises.runner` with a socket as its standard input; each message there
brings the file descriptor of a connection for one job. A child has hard limits on memory, time and
files before it looks at anything a learner wrote, and ends after one answer, so that nothing of one
learner's reaches another's.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import socket
import sys
import traceback
from typing import Any

from atelier.exercises.engine import compare
from atelier.exercises.model import ExpectedError, Limits, Message, Rule, failed, message

READY = b"r"
GRACE_SECONDS = 2.0
"""The answer is no longer waited for by then: what ends earlier has used up its processor time."""


def main() -> None:
    """Serve until the other side is gone."""
    os.nice(10)  # hub, desk and learners come first
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the desk's own business
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children need no funeral
    warm_up()
    gc.collect()
    gc.freeze()  # what is imported is not looked at again, so its pages stay shared
    jobs = socket.socket(fileno=0)
    jobs.sendall(READY)
    while True:
        try:
            data, descriptors, _, _ = socket.recv_fds(jobs, 1, 1)
        except InterruptedError:
            continue
        if not data:
            return
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as connection:
                if os.fork() == 0:
                    jobs.close()
                    child(connection)


def warm_up() -> None:
    """Run every format once, so that a child imports nothing when it may open no file."""
    notebook = b'{"cells": [{"cell_type": "markdown", "source": "# a\\n\\nb"}]}'
    for name in ("ipynb", "md", "rmd", "org", "text", "python", "r", "csv"):
        rule = Rule(name, tolerance_absolute=0.1)
        content = notebook if name == "ipynb" else b"# a 1\n\n- b\n"
        json.dumps(compare(content, content.replace(b"b", b"c"), rule, content))
    "\u00e9".encode("cp1252").decode("latin-1")
    b"\xff\xfea\0".decode("utf-16")


def child(connection: socket.socket) -> None:
    """One comparison; never returns."""
    code = 1
    try:
        header, payload = receive(connection)
        limits = Limits(**header["limits"])
        confine(limits)
        gc.disable()  # it will not live long
        answer = json.dumps(outcome(header, payload, limits)).encode()
        connection.sendall(len(answer).to_bytes(8, "big") + answer)
        code = 0
    except Exception as error:  # its text may quote a learner's file
        place = traceback.extract_tb(error.__traceback__, limit=-1)[-1]
        where = f"{place.name}, line {place.lineno}"
        print(f"a comparison failed: {type(error).__name__} in {where}", file=sys.stderr)
    finally:
        os._exit(code)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The job: its header, and the files one after the other."""
    sizes = exactly(connection, 16)
    header = json.loads(exactly(connection, int.from_bytes(sizes[:8], "big")))
    return header, exactly(connection, int.from_bytes(sizes[8:], "big"))


def exactly(connection: socket.socket, size: int) -> bytes:
    """That many bytes.

    Raises:
        EOFError: there are fewer.
    """
    content = bytearray(size)
    view = memoryview(content)
    got = 0
    while got < size:
        count = connection.recv_into(view[got:])
        if count == 0:
            raise EOFError
        got += count
    return bytes(content)


def confine(limits: Limits) -> None:
    """Let the kernel end this process when it takes too much, and forbid it files and children."""
    # Where memory is short, this process ends and not the desk.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
        score.write("1000")
    # Both signals end a process that does not catch them, whatever it is doing.
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    signal.setitimer(signal.ITIMER_REAL, limits.longest_wait + GRACE_SECONDS)
    seconds = max(int(limits.seconds), 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def outcome(header: dict[str, Any], payload: bytes, limits: Limits) -> dict[str, Any]:
    """``{"comparison": ...}``, or ``{"expected": message}`` when the course's file is no good."""
    rule = Rule.from_json(header["rule"])
    files: list[bytes | None] = []
    at = 0
    for size in header["sizes"]:
        files.append(None if size is None else payload[at : at + size])
        at += size or 0
    expected, answer, given = files
    problem: Message
    try:
        return {"comparison": compare(expected or b"", answer, rule, given, limits)}
    except ExpectedError as error:
        return {"expected": error.message}
    except MemoryError:
        problem = message("check_problem_memory")
    except RecursionError:
        problem = message("check_problem_deep")
    return {"comparison": failed(rule, problem)}
