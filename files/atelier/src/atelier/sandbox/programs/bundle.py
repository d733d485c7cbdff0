"""Programs that the learner's own process begins with: they bring their modules along."""

from __future__ import annotations

import json
import sys

_LOADER = """
import json, sys, types
def _load(sources):
    for name, source in sources:
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(compile(source, "<" + name + ">", "exec"), module.__dict__)
_load(json.loads({sources!r}))
"""
_PACKAGE = "atelier.sandbox.programs"
_NEEDED = ("values", "peer", "plain", "agent")

_MAIN = {
    "kernel": """
del sys.path[0]
from atelier.sandbox.programs.agent import settle, limit_output
settle()
limit_output({limit})
from ipykernel import kernelapp
kernelapp.launch_new_instance()
""",
    "script": """
del sys.path[0]
from atelier.sandbox.programs.script import main
main(*sys.argv[1:4])
""",
}


def host_program(kind: str, limit: int = 0) -> str:
    """Return the source of a program: ``kernel``, or ``script``."""
    names = [*_NEEDED, *(["script"] if kind == "script" else [])]
    sources = [(name, "") for name in ("atelier", "atelier.sandbox", _PACKAGE)]
    sources += [(f"{_PACKAGE}.{name}", SOURCES[f"{_PACKAGE}.{name}"]) for name in names]
    return _LOADER.format(sources=json.dumps(sources)) + _MAIN[kind].format(limit=limit)


SOURCES: dict[str, str] = getattr(sys, "_atelier_sources", {})
"""Sources of the modules that the loader has been given."""
