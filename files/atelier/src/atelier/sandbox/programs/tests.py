"""Runs a teacher's Python tests, in a sandbox where the learner's code has never been.

What the tests use of the answer comes from the other sandbox: values as plain data, functions as
calls. The result of each test goes to the relay at once; a test without a result has failed.
"""

from __future__ import annotations

import ast
import base64
import builtins
import importlib
import json
import math
import os
import random
import re
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from atelier.sandbox.programs.clock import Clock
from atelier.sandbox.programs.names import MODULES, brought, wanted
from atelier.sandbox.programs.peer import CallTimeoutError, GoneError, Peer, UndefinedError
from atelier.sandbox.programs.values import CrossingError

_LONGEST_DETAIL = 1000


class TestTimeoutError(BaseException):
    """A test took too long; not an Exception, so that no test handles it."""


def main() -> None:
    """Read a job from the standard input, run its tests, and write a line for each."""
    results = os.fdopen(os.dup(1), "wb", buffering=0)
    quiet = os.open(os.devnull, os.O_RDWR)
    lines = sys.stdin.buffer
    sys.stdin = os.fdopen(os.dup(quiet))
    for standard in (1, 2):
        os.dup2(quiet, standard)
    job = json.loads(lines.readline())
    folder = Path(os.environ.get("TMPDIR", "/tmp"), "work")  # noqa: S108 (the sandbox's own)
    for path, content in job["files"].items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))
    folder.mkdir(exist_ok=True)
    os.chdir(folder)

    def reply() -> bytes:
        # Time for which the other sandbox is waited for does not count: it has its own limits.
        tests.clocks_pause()
        try:
            return lines.readline()
        finally:
            tests.clocks_go_on()

    lines.readline()  # the learner's file has run
    peer = Peer(reply, lambda line: _write(results, b"ask " + line), frozenset({"call"}))
    tests = Tests(peer, job["tests"], job["seconds"], job["names"])
    for number in range(len(job["tests"])):
        outcome = json.dumps(tests.run(number)).encode()
        _write(results, b"outcome " + outcome + b"\n")
    os._exit(0)


def _write(results: Any, line: bytes) -> None:
    view = memoryview(line)
    while view:
        view = view[results.write(view) :]


class Tests:
    """The tests of one job: they share their names, as the cells of a notebook do."""

    __test__ = False  # pytest

    # One test takes ``seconds`` at most, and all together twice as long.
    def __init__(
        self, peer: Peer, tests: list[dict[str, str]], seconds: float, names: list[str]
    ) -> None:
        self._peer = peer
        self._codes = [_without_magics(test["code"]) for test in tests]
        self._names = [test["name"] for test in tests]
        self._given = set(names)
        self._seconds = seconds
        self._all = Clock(2 * seconds)
        self._clock = self._all
        self._space: dict[str, Any] = {"__name__": "__tests__", "__builtins__": builtins}
        self._undefined: set[str] = set()
        self._problems: dict[str, Exception] = {}
        self._own: list[set[str]] = []
        for code in self._codes:
            try:
                self._own.append(brought(code))
            except (SyntaxError, ValueError):
                self._own.append(set())

    def run(self, number: int) -> dict[str, Any]:
        """Run a test, and return its outcome."""
        name = self._names[number]
        self._clock = Clock(self._seconds)
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, max(min(self._clock.left(), self._all.left()), 0.001))
        try:
            self._fetch(number)
            random.seed(0)
            score = _score(self._value(self._codes[number], f"<{name}>"))
            return {"name": name, "score": score, "problem": "" if score else "assertion"}
        except BaseException as error:
            told = self._problems.get(str(getattr(error, "name", "")), error)
            told = told.with_traceback(error.__traceback__)
            detail = _detail(told, self._codes[number], f"<{name}>")
            return {"name": name, "score": 0.0, "problem": self._problem(error), "detail": detail}
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, _number: int, _frame: FrameType | None) -> None:
        """End the test if its time is over; else look again later."""
        left = min(self._clock.left(), self._all.left())
        if left <= 0:
            raise TestTimeoutError("the test took too long")
        signal.setitimer(signal.ITIMER_REAL, max(left, 0.01))

    def clocks_pause(self) -> None:
        """Do not count the time from now on."""
        self._clock.pause()
        self._all.pause()

    def clocks_go_on(self) -> None:
        """Count the time again."""
        self._clock.go_on()
        self._all.go_on()

    def _fetch(self, number: int) -> None:
        """Get what a test needs of the answer.

        A name that another test defines is never taken from the answer: it could replace a helper
        by making the test that defines it fail.
        """
        others = set().union(*(names for at, names in enumerate(self._own) if at != number))
        for name in sorted(wanted(self._codes[number])):
            if name in MODULES and name not in self._given:
                self._space.setdefault(name, importlib.import_module(MODULES[name]))
            elif not (name in self._space or name in others or name.startswith("__")):
                if hasattr(builtins, name) and name not in self._given:
                    continue
                try:
                    self._space[name] = self._peer.ask("get", name=name)
                except UndefinedError:
                    self._undefined.add(name)
                except CrossingError as error:
                    self._problems[name] = CrossingError(f"{name}: {error}")

    def _value(self, code: str, name: str) -> Any:
        tree = ast.parse(code, name)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, name, "exec", dont_inherit=True), self._space)  # noqa: S102 (the task)
        if not isinstance(last, ast.Expr):
            return None
        expression = compile(ast.Expression(last.value), name, "eval", dont_inherit=True)
        return eval(expression, self._space)  # noqa: S307

    def _problem(self, error: BaseException) -> str:
        if isinstance(error, NameError) and error.name in self._undefined:
            return "undefined"
        if isinstance(error, NameError) and error.name in self._problems:
            return "crossing"
        for kinds, problem in (
            (AssertionError, "assertion"), (UndefinedError, "undefined"),
            (CrossingError, "crossing"),
            ((TestTimeoutError, CallTimeoutError), "timeout"), (GoneError, "timeout"),
        ):  # fmt: skip
            if isinstance(error, kinds):
                return problem
        return "error"


def _score(value: Any) -> float:
    """Return the score that a test's last value means: a number of 0 to 1, else all."""
    kind = type(value).__module__
    if kind == "numpy" and getattr(value, "shape", None) == ():
        value = value.item()
    if type(value) not in {bool, int, float} or value is None:
        return 1.0
    if math.isnan(value):
        return 0.0
    return float(value) if 0 <= value <= 1 else 1.0


def _detail(error: BaseException, code: str, name: str) -> str:
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    lines = code.splitlines()
    place = f" (line {line}: {lines[line - 1].strip()})" if 0 < line <= len(lines) else ""
    try:
        message = str(error)
    except Exception:
        message = ""
    return f"{type(error).__name__}: {message[: _LONGEST_DETAIL // 2]}{place}"[:_LONGEST_DETAIL]


def _without_magics(code: str) -> str:
    return re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", code)
