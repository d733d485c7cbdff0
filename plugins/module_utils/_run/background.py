# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Lets a module continue in the background while the playbook polls its progress.

Ansible's wrapper for asynchronous tasks is a second module: building, sending and starting it takes
longer than the work for a class of a hundred. Here the module itself forks after Ansible has
started it as usual. The process that Ansible waits for exits at once and returns the keeper's
process id. Two processes continue:

- a keeper, which waits for the worker and then renames its output to ``result`` in the folder, also
  if the worker was killed. The rename is atomic;
- the worker, which does the work and prints its result like any module, but into a file.

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


def detach(folder: Path) -> None:
    """Fork and return in the worker; the present process prints the keeper's id and exits.

    Args:
        folder: created here, for this user only.

    Raises:
        OSError: the folder exists or cannot be created.
    """
    folder.mkdir(mode=0o700)
    sys.stdout.flush()
    sys.stderr.flush()
    keeper = os.fork()
    if keeper:
        # Not exit(), whose handlers would remove the files that Ansible unpacked for the worker.
        os.write(1, json.dumps({"changed": False, "kept_by": keeper}).encode() + b"\n")
        os._exit(0)
    os.setsid()
    _redirect(folder)
    worker = os.fork()
    if worker:
        _wait_for_worker(folder, worker)


def _redirect(folder: Path) -> None:
    """Redirect the standard streams: Ansible waits until no process has them open."""
    made = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, name, how in (
        (0, os.devnull, os.O_RDONLY),
        (1, str(folder / OUTPUT), made),
        (2, str(folder / ERRORS), made),
    ):
        opened = os.open(name, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def _wait_for_worker(folder: Path, worker: int) -> NoReturn:
    """Wait for the worker, put its result in place, and exit."""
    try:
        _, status = os.waitpid(worker, 0)
        code = os.waitstatus_to_exitcode(status)
        if not _is_result(folder / OUTPUT):
            (folder / OUTPUT).write_text(json.dumps(_failure(folder, code)), encoding="utf-8")
        (folder / OUTPUT).replace(folder / RESULT)
    finally:
        os._exit(0)


def _is_result(output: Path) -> bool:
    """Return whether the worker wrote a complete result before it exited."""
    try:
        return isinstance(json.loads(output.read_bytes()), dict)
    except ValueError:
        return False


def _failure(folder: Path, code: int) -> dict[str, Any]:
    """Return the result for a worker that ended without one."""
    how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with status {code}"
    said = (folder / ERRORS).read_text(encoding="utf-8", errors="replace").strip()
    return {
        "failed": True,
        "changed": True,
        "msg": f"The module {how} before it was done. What it has done stays done: run it again, "
        "and it does what is missing." + (f" It said: {said[-1000:]}" if said else ""),
    }
