"""Runs Python code that is no notebook, in a process which then answers for its values."""

from __future__ import annotations

import ast
import json
import linecache
import os
import sys
import types
from pathlib import Path
from typing import Any

from atelier.sandbox.programs.agent import serve, settle


def main(given: str, socket: str, told: str) -> None:
    """Run the cells that the file ``given`` lists, write ``told``, serve at ``socket``."""
    settle()
    spec = json.loads(Path(given).read_text("utf-8"))
    report = run(spec["file"], spec["cells"], spec["shows"])
    sys.stdout.flush()
    sys.stderr.flush()
    Path(told + ".new").write_text(json.dumps(report), "utf-8")
    os.rename(told + ".new", told)  # noqa: PTH104 (the learner's code may have changed pathlib)
    if not report:
        serve(socket)
    os._exit(0)


def run(file: str, cells: list[tuple[str, int]], shows: bool) -> dict[str, Any]:
    """Run cells one after the other; return the error that stopped them, or nothing."""
    module = types.ModuleType("__main__")
    vars(module).update(__file__=file, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    sys.argv = [file]
    sys.path.insert(0, str(Path(file).resolve().parent))
    # Tracebacks, and inspect.getsource, read the code here.
    for at, (source, line) in enumerate(cells):
        name = file if len(cells) == 1 else f"{file}[{at}]"
        text = "\n" * (line - 1) + source
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        try:
            _execute(text, name, vars(module), shows)
        except SystemExit as error:
            if error.code in {None, 0}:
                return {}
            return _told(error, name, at, line)
        except BaseException as error:
            return _told(error, name, at, line)
    return {}


def _execute(text: str, name: str, namespace: dict[str, Any], shows: bool) -> None:
    tree = ast.parse(text, name)
    last = tree.body[-1] if tree.body else None
    if not shows or not isinstance(last, ast.Expr):
        exec(compile(tree, name, "exec", dont_inherit=True), namespace)  # noqa: S102 (the task)
        return
    tree.body.pop()
    exec(compile(tree, name, "exec", dont_inherit=True), namespace)  # noqa: S102
    value = eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), namespace)  # noqa: S307
    if value is not None:
        print(repr(value))


def _told(error: BaseException, name: str, at: int, line: int) -> dict[str, Any]:
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == name and error.lineno:
        line = error.lineno
    try:
        message = str(error)[:2000]
    except Exception:
        message = ""
    return {"kind": type(error).__name__, "message": message, "at": at, "line": line}
