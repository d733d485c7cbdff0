"""Lets the server wait for the clone, so that the first page finds its files.

`atelier-start` calls `meanwhile` and then executes the server, which loads this module as an
extension before it opens its port (`ServerApp.initialize`) and waits for the child's end. A
killed child ends the wait, too, as the kernel closes its end of the pipe.
"""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from typing import Any

VARIABLE = "ATELIER_GATE"
"""`<file descriptor>:<process id>` of pipe and child."""


def meanwhile(job: Callable[[], None]) -> None:
    """Run `job` in a child process; store in the environment what `wait` needs."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        try:
            job()
        finally:
            os._exit(0)
    os.close(theirs)
    os.set_inheritable(ours, True)
    os.environ[VARIABLE] = f"{ours}:{child}"


def wait(environment: MutableMapping[str, str]) -> bool:
    """Wait for the end of the child in `environment`, and remove it there. False: there is none.

    There is no limit here, as each git command of the child has its own.
    """
    named = environment.pop(VARIABLE, "")
    try:
        descriptor, child = map(int, named.split(":"))
    except ValueError:
        return False
    with os.fdopen(descriptor, "rb") as pipe:
        pipe.read()
    try:
        os.waitpid(child, 0)
    except ChildProcessError:  # not a child of this process, or already waited for
        return True
    return True


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Describe the extension to Jupyter Server."""
    return [{"module": "atelier_notebook.gate"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Wait for the clone when Jupyter Server loads the extension."""
    if wait(os.environ):
        server.log.info("the clone is prepared")
