# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""A module that goes on in the background, while the playbook looks how far it is.

Ansible's own background wrapper is a second module: to build it, send it and start it takes
longer than a class of a hundred. Here the module itself forks, once Ansible has started it as
any other: the process that Ansible waits for ends at once and says where to look. What goes on is

- a keeper, which waits for the worker and then puts its result in place, also when the worker was
  killed: ``result`` in the folder is there as a whole or not at all;
- the worker, which does the work and prints its result as any module does, into a file.

Standard library only.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

OUTPUT, ERRORS, RESULT = "output", "errors", "result"


def go_on(folder: Path) -> None:
    """Return in the worker, a new process; the present one ends, telling who keeps it.

    Args:
        folder: made here, for this user only.

    Raises:
        OSError: it is there, or cannot be made.
    """
    folder.mkdir(mode=0o700)
    sys.stdout.flush()
    sys.stderr.flush()
    keeper = os.fork()
    if keeper:
        # Not exit(): what Ansible has unpacked for this module is the worker's now.
        os.write(1, json.dumps({"changed": False, "kept_by": keeper}).encode() + b"\n")
        os._exit(0)
    os.setsid()
    _redirect(folder)
    worker = os.fork()
    if worker:
        _keep(folder, worker)


def _redirect(folder: Path) -> None:
    """Let go of what connects with Ansible, which waits until nobody holds it."""
    made = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, name, how in (
        (0, os.devnull, os.O_RDONLY),
        (1, str(folder / OUTPUT), made),
        (2, str(folder / ERRORS), made),
    ):
        opened = os.open(name, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def _keep(folder: Path, worker: int) -> NoReturn:
    """Wait for the worker; put its result in place. Never returns to the module's own code."""
    try:
        _, status = os.waitpid(worker, 0)
        code = os.waitstatus_to_exitcode(status)
        if not _is_result(folder / OUTPUT):
            (folder / OUTPUT).write_text(json.dumps(_failure(folder, code)), encoding="utf-8")
        (folder / OUTPUT).replace(folder / RESULT)
    finally:
        os._exit(0)


def _is_result(output: Path) -> bool:
    """Whether the worker has written all of a result before it ended."""
    try:
        return isinstance(json.loads(output.read_bytes()), dict)
    except ValueError:
        return False


def _failure(folder: Path, code: int) -> dict[str, Any]:
    """What to say of a worker that ended without a result."""
    how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with status {code}"
    said = (folder / ERRORS).read_text(encoding="utf-8", errors="replace").strip()
    return {
        "failed": True,
        "changed": True,
        "msg": f"The module {how} before it was done. What it has done stays done: run it again, "
        "and it does what is missing." + (f" It said: {said[-1000:]}" if said else ""),
    }
