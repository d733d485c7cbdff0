"""The process for comparisons: it imports all modules once and forks one child for each job.

:mod:`atelier.exercises.runner` starts it with a socket as its standard input. Each message there
carries the file descriptor of a connection for one job. A child sets hard limits on memory, time
and files before it reads a learner's file, and exits after one answer, so that no data of one
learner can reach another.
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
from atelier.exercises.model import (
    ExpectedError,
    Limits,
    Message,
    ProsePart,
    Rule,
    failed,
    message,
)

READY = b"r"
GRACE_SECONDS = 2.0
"""Added to the longest wait, after which the runner no longer waits: a child that is killed earlier
has used up its processor time."""


def main() -> None:
    """Serve until the other side closes the socket."""
    os.nice(10)  # hub, desk and learners have priority
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C concerns the desk
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # auto-reap child processes
    warm_up()
    gc.collect()
    gc.freeze()  # keeps the memory pages of imported modules shared after fork
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
    """Run every format once: a child may not open files, so it cannot import modules."""
    notebook = b'{"cells": [{"cell_type": "markdown", "source": "# a\\n\\n- b _c_ 1"}]}'
    prose = (
        ProsePart(1, "number", number=1),
        ProsePart(1, "keywords", keywords=(("\u00e9",),)),
        ProsePart(1, "accepted", accepted=("b",)),
    )
    for name in ("ipynb", "md", "rmd", "org", "text", "python", "r", "csv"):
        rule = Rule(name, tolerance_absolute=0.1, prose=prose)
        content = notebook if name == "ipynb" else b"# a 1\n\n- b _c_ &amp;\n"
        json.dumps(compare(content, content.replace(b"b", b"c"), rule, content))
    "\u00e9".encode("cp1252").decode("latin-1")
    b"\xff\xfea\0".decode("utf-16")


def child(connection: socket.socket) -> None:
    """Run one comparison, then exit the process."""
    code = 1
    try:
        header, payload = receive(connection)
        limits = Limits(**header["limits"])
        confine(limits)
        gc.disable()  # the process is short-lived
        answer = json.dumps(outcome(header, payload, limits)).encode()
        connection.sendall(len(answer).to_bytes(8, "big") + answer)
        code = 0
    except Exception as error:  # the message may quote a learner's file
        place = traceback.extract_tb(error.__traceback__, limit=-1)[-1]
        where = f"{place.name}, line {place.lineno}"
        print(f"a comparison failed: {type(error).__name__} in {where}", file=sys.stderr)
    finally:
        os._exit(code)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Read a job: its header, and the concatenated files."""
    sizes = exactly(connection, 16)
    header = json.loads(exactly(connection, int.from_bytes(sizes[:8], "big")))
    return header, exactly(connection, int.from_bytes(sizes[8:], "big"))


def exactly(connection: socket.socket, size: int) -> bytes:
    """Read exactly ``size`` bytes.

    Raises:
        EOFError: the connection ended before.
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
    """Set limits on time and memory, and forbid this process to open files or to fork."""
    # If memory is short, the kernel kills this process rather than the desk.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
        score.write("1000")
    # Both signals kill a process that does not handle them, whatever it is doing.
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
    """Return ``{"comparison": ...}``, or ``{"expected": message}`` for an invalid course file."""
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
