"""Programs that run inside a course's image, and how they get there.

Nothing is mounted: a program and the modules that it needs travel as the first line of its standard
input. They are written with the standard library alone; a course's image has Jupyter's ``nbclient``
for notebooks, and for R the package ``jsonlite``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_PACKAGE = "atelier.sandbox.programs"
SIDES = {
    "answer": (
        "clock", "values", "peer", "plain", "agent", "script", "cells", "bundle", "answer",
        "process", "notebook",
    ),
    "tests": ("clock", "values", "peer", "names", "tests"),
    "tests_r": ("tests_r",),
}  # fmt: skip
"""Modules of each program."""

# The modules are in no file there: each is made when it is imported.
BOOT = """
import importlib.abc, importlib.util, json, sys
class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name in sys._atelier_sources:
            package = sys._atelier_sources[name] == ""
            return importlib.util.spec_from_loader(name, self, is_package=package)
    def exec_module(self, module):
        source = sys._atelier_sources[module.__name__]
        exec(compile(source, "<" + module.__name__ + ">", "exec"), vars(module))
name, sys._atelier_sources, sys._atelier_files = json.loads(sys.stdin.buffer.readline())
sys.meta_path.insert(0, Loader())
importlib.import_module(name).main()
"""

# The folder of work is on no search path (-P), and neither are a user's own packages (-s). The
# environment is not ignored as a whole (-I), since PYTHONHASHSEED makes a run repeatable.
COMMAND = ("python3", "-s", "-P", "-c", BOOT)
"""Starts each of the programs."""


@cache
def first_line(side: str) -> bytes:
    """Return the line that makes :data:`COMMAND` one of the programs in :data:`SIDES`."""
    sources = dict.fromkeys(("atelier", "atelier.sandbox", _PACKAGE), "")
    for name in SIDES[side]:
        sources[f"{_PACKAGE}.{name}"] = (_FOLDER / f"{name}.py").read_text("utf-8")
    files = {path.name: path.read_text("utf-8") for path in _FOLDER.glob("*.R")}
    return json.dumps([f"{_PACKAGE}.{side}", sources, files]).encode() + b"\n"
