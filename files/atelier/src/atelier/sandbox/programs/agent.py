"""What the learner's own process does once the learner's file has run: it answers for its values.

Whatever the learner's code has done to this process, to this module too, can change its answers and
nothing else: a value that is wrong fails its test, and so does silence.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import json
import random
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from atelier.sandbox.programs.peer import Peer, UndefinedError
from atelier.sandbox.programs.plain import Plain

SERVES = frozenset({"get", "call", "attr", "item", "length", "text", "iterator", "next"})
_SEED = 0


class LearnerPeer(Peer):
    """The learner's side."""

    def do_get(self, message: dict[str, Any]) -> Any:
        """Return a variable."""
        return variable(message["name"])


def variable(name: str) -> Any:
    """Return a variable of the learner's file.

    Raises:
        UndefinedError: there is none of that name.
    """
    try:
        return vars(sys.modules["__main__"])[name]
    except KeyError:
        raise UndefinedError(name) from None


def serve(path: str) -> None:
    """Answer requests, one a line, until the other side closes the socket."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    lines = connection.makefile("rb")
    peer = LearnerPeer(lines.readline, connection.sendall, SERVES)
    while True:
        try:
            line = lines.readline()
            if not line:
                return
            message = json.loads(line)
            reply = found(message["plain"]) if "plain" in message else peer.answer(message)
            connection.sendall(json.dumps(reply).encode() + b"\n")
        except KeyboardInterrupt:  # the call that it was for has ended just before
            continue


def found(name: str) -> dict[str, Any]:
    """Return a variable's plain value, or why there is none."""
    try:
        return {"present": True, "value": Plain().of(variable(name))}
    except UndefinedError:
        return {"present": False, "problem": "undefined"}
    except Exception:
        return {"present": True, "problem": "crossing"}


def settle() -> None:
    """Make runs repeatable, and this process the first to end when memory is short."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    random.seed(_SEED)
    sys.meta_path.insert(0, _SeedNumpy())


def limit_output(most: int) -> None:
    """Stop code that prints too much where it does so; the sandbox counts as well."""
    from ipykernel import iostream

    written = 0
    write = iostream.OutStream.write

    def bounded(self: Any, text: str) -> Any:
        nonlocal written
        written += len(text)
        if threading.current_thread() is not threading.main_thread():
            # What a child prints: the sandbox stops it, which only needs to be told enough.
            return write(self, text) if written < 2 * most else len(text)
        if written > most:
            raise OutputLimitError(f"more than {most} characters were printed")
        return write(self, text)

    iostream.OutStream.write = bounded


class OutputLimitError(Exception):
    """The file prints too much."""


class _SeedNumpy(importlib.abc.MetaPathFinder):
    """Seeds numpy's generators when numpy is imported."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the module as usual, and seed it once it is loaded."""
        if fullname != "numpy.random":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def seeded(module: ModuleType) -> None:
                load(module)
                module.seed(_SEED)
                bits = random.Random(_SEED)  # noqa: S311 (repeatable, as asked for)
                module.bit_generator.randbits = bits.getrandbits

            spec.loader.exec_module = seeded  # type: ignore[method-assign]
        return spec
