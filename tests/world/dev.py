"""`make dev`: see that the machine has what it takes, then become the site that follows changes."""

from __future__ import annotations

import argparse
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn

from world import needs, paths, venv
from world.notes import read_json
from world.run import WorldError

PROGRAMS = {"git": "git", "node": "nodejs", "npm": "npm", "ruby": "ruby"}
"""The proxy runs on Node.js; the stand-in evaluates GitLab's settings, which are Ruby."""


def dev(arguments: Sequence[str]) -> NoReturn:
    """Run the site in the foreground, without containers.

    Args:
        arguments: given to `python -m devsite`.
    """
    known = argparse.ArgumentParser(add_help=False)
    known.add_argument("--folder", type=Path, default=paths.DEV)
    alone(known.parse_known_args(arguments)[0].folder).close()
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, PROGRAMS)
    found.settle()
    venv.ensure()
    python = venv.program("python")
    os.chdir(paths.ROOT)
    words = [python, "-m", "devsite", *arguments]
    # The same process from here on: Ctrl+C reaches it, and nobody in between.
    os.execve(python, words, {**os.environ, **venv.environment()})  # noqa: S606 (no shell is needed)


def alone(folder: Path) -> IO[str]:
    """Return the lock of the folder that holds the state of a `make dev`; closed, it is let go.

    Raises:
        WorldError: a `make dev` runs that has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = (folder / "lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        pid, page = handle.read().strip() or "?", read_json(folder / "ports.json").get("page")
        handle.close()
        raise WorldError(
            f"make dev already runs in this checkout (process {pid}): http://127.0.0.1:{page}/\n"
            "  Use that one, or stop it with Ctrl+C where it runs."
        ) from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle
