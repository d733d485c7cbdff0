"""Hub and desk as forks of `make dev`, which has imported what they need from elsewhere.

Most of their start is the import of other people's packages. Those do not change while `make dev`
runs, so it imports them once; each fork imports the site's own package anew.
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
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

PACKAGE = "atelier"
POLL_SECONDS = 0.02


def import_once(modules: Iterable[str]) -> None:
    """Import modules for all forks to come; a name that is no module is passed over."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # the collectors of the forks then leave these objects, and their memory, shared


class Forked:
    """`python -m MODULE ARGUMENTS` as a fork of this process, which must have no threads.

    Open files are the fork's too. What it must not hold, `register_at_fork` closes by its object:
    closed by its number, it would later close another file that has that number by then.

    Args:
        name: shown by ps and top.
        words: module and arguments.
        source: folder of the site's package.
        cwd: its working directory.
        env: its whole environment.
        output: where it writes; None: to this terminal, which it then reads too.
    """

    def __init__(
        self,
        name: str,
        words: list[str],
        *,
        source: Path,
        cwd: Path,
        env: Mapping[str, str],
        output: IO[bytes] | None,
    ) -> None:
        self._code: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                _become(name, source, cwd, env, output)
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


def _become(
    name: str, source: Path, cwd: Path, env: Mapping[str, str], output: IO[bytes] | None
) -> None:
    """Turn the fork into what a process that begins would be, but for imported packages."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if output is not None:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for own, there in enumerate((nothing, output.fileno(), output.fileno())):
            os.dup2(there, own)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    for module in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
        del sys.modules[module]
    folders = [folder for folder in sys.path if not (Path(folder or ".") / PACKAGE).is_dir()]
    sys.path[:] = [str(source), *folders]
    sys.path_importer_cache.clear()
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def _run(words: list[str]) -> int:
    """Run a module to its end, and what it wants done then. Returns its exit code."""
    sys.argv = list(words)
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
