"""A learner's server reduced to the toolbar's commands, which can be killed at any moment.

A program: each line of its input is a command (JSON); it forks a process that does it and writes
what came of it to a file, says that process's number, and then how it ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import nbdime.merging.notebooks  # noqa: F401 (loaded once, before the forks)
import nbformat.v4.nbjson  # noqa: F401
from atelier_toolbar import commands, notebooks
from atelier_toolbar.problems import Problem
from atelier_toolbar.settings import Toolbar

_PR_SET_CHILD_SUBREAPER = 36


def perform(order: dict[str, Any]) -> dict[str, Any]:
    """Do one command; return what the browser would get last."""
    root, asked = Path(order["root"]), order["asked"]
    toolbar = Toolbar(outputs=order.get("outputs", "keep"))
    try:
        if order["command"] == "save":
            return {"result": commands.save(root, asked, toolbar, lambda _: None)}
        return {"result": commands.pull(root, asked, lambda _: None)}
    except Problem as problem:
        return {"problem": problem.as_json()}
    except Exception:
        return {"error": traceback.format_exc()}


def main() -> None:
    """Take orders until the input ends."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans stay below us
    commands.merge_notebook = lambda: notebooks.merge
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            answer = Path(order["answer"])
            answer.with_suffix(".new").write_text(json.dumps(perform(order)))
            answer.with_suffix(".new").rename(answer)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(status, flush=True)


if __name__ == "__main__":
    main()
