"""Python programs as forks of a process that has imported the packages they need.

Most of the start of hub, desk, GitLab's stand-in or Ansible is the import of packages. `make dev`
forks hub and desk, and each fork imports the site's own package anew, because it changes. Tests ask
a process of its own for forks: `kit.fork_server`.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Protocol

PACKAGE = "atelier"
POLL_SECONDS = 0.02


def import_once(modules: Iterable[str]) -> None:
    """Import modules for all forks to come; a name that is no module is passed over."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # the collectors of the forks then leave these objects, and their memory, shared


class Process(Protocol):
    """What tests need of a process they have started, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Handle:
    """Signals for a process."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, minus the signal that ended it, or None while it runs."""
        raise NotImplementedError

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Forked(Handle):
    """`python -m MODULE ARGUMENTS` as a fork of this process, which must have no threads.

    Open files are the fork's too. What it must not hold, `register_at_fork` closes by its object:
    closed by its number, it would later close another file that has that number by then.

    Args:
        name: shown by ps and top.
        words: module and arguments.
        source: folder from which to import the site's package anew; None: it is imported from
            where it was, and other modules as the environment says.
        cwd: its working directory.
        env: its whole environment.
        output: where it writes; None: to this terminal, which it then reads too.
        errors: where it writes errors; by default to the same file.
    """

    def __init__(
        self,
        name: str,
        words: list[str],
        *,
        source: Path | None,
        cwd: Path,
        env: Mapping[str, str],
        output: IO[bytes] | None,
        errors: IO[bytes] | None = None,
    ) -> None:
        self._code: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                _become(name, source, cwd, env, (output, errors or output))
                code = _run(words)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)

    def poll(self) -> int | None:
        """Return the exit code, minus the signal that ended it, or None while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        deadline = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while (code := self.poll()) is None:
            if time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(PACKAGE, timeout or 0)
            time.sleep(POLL_SECONDS)
        return code


def _become(
    name: str,
    source: Path | None,
    cwd: Path,
    env: Mapping[str, str],
    outputs: tuple[IO[bytes] | None, IO[bytes] | None],
) -> None:
    """Turn the fork into what a process that begins would be, but for imported packages."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output, errors = outputs
    if output is not None and errors is not None:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for own, there in enumerate((nothing, output.fileno(), errors.fileno())):
            os.dup2(there, own)
        output.close()
        errors.close()
    before = _searched_first(Path.cwd(), os.environ)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None  # TMPDIR may be another one
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    if source is not None:
        for module in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
            del sys.modules[module]
        folders = [folder for folder in sys.path if not (Path(folder or ".") / PACKAGE).is_dir()]
        sys.path[:] = [str(source), *folders]
    else:
        installed = [folder for folder in sys.path if folder not in before]
        sys.path[:] = [*_searched_first(cwd, env), *installed]
        gc.unfreeze()  # it measures and collects its memory as any process
    sys.path_importer_cache.clear()
    if sys.modules.pop("sitecustomize", None) is not None or source is None:
        with contextlib.suppress(ImportError):
            importlib.import_module("sitecustomize")
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def _searched_first(cwd: Path, env: Mapping[str, str]) -> list[str]:
    """Return where `python -m` looks for modules before it looks at what is installed."""
    return [str(cwd), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]


def _run(words: list[str]) -> int:
    """Run a module to its end, and what it wants done then. Returns its exit code."""
    sys.argv = list(words)
    if not hasattr(sys.modules.get(words[0]), "__path__"):
        sys.modules.pop(words[0], None)  # a module that was imported begins again as `__main__`
    sys.modules.pop(f"{words[0]}.__main__", None)
    code: object = 0
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # as Python does before atexit
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 0 if code is None else 1
