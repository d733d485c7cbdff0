"""The server waits here for the clone: a page that opens finds its files.

`atelier-start` calls `meanwhile`, then becomes the server; the server loads this module as an
extension, before it opens its port (`ServerApp.initialize`), and waits for the child to end. A
child that is killed opens the gate as well, since the kernel closes its end of the pipe.
"""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from typing import Any

VARIABLE = "ATELIER_GATE"
"""`<file descriptor>:<process id>` of the pipe and of the child."""


def meanwhile(job: Callable[[], None]) -> None:
    """Run `job` in a child process, and leave what the server needs to wait for its end."""
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
    """Wait for the end of the child named in `environment`; forget it. False when there is none.

    How long it may take is the child's affair: each of its git commands has its limit.
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
    except ChildProcessError:  # another parent, or somebody has waited already
        return True
    return True


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What Jupyter Server asks an extension."""
    return [{"module": "atelier_notebook.gate"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Wait, as an extension of Jupyter Server."""
    if wait(os.environ):
        server.log.info("the clone is prepared")
