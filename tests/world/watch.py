"""`make watch`: the toolbar in a JupyterLab of its own, built again whenever its sources change.

src, style       -> copied to .cache/watch/toolbar -> tsc --watch -> jupyter-builder
                 -> the labextension that JupyterLab serves when its page is reloaded
atelier_toolbar  -> read where it is; the server is started again
"""

from __future__ import annotations

import contextlib
import fcntl
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from world import front, needs, npm, watch_lab
from world.run import WorldError, interruption, quoted, say

POLL_SECONDS = 0.2
COMPILER_SECONDS = 120
WATCHED = ("src", "style", "schema", "package.json", "tsconfig.json", "webpack.config.cjs")
FOUND = "Watching for file changes."
"""Ends tsc's last line on a compilation: `Found 0 errors. Watching for file changes.`"""


def run(sources: Path = front.SOURCES, state: Path = watch_lab.FOLDER) -> int:
    """Serve and rebuild until interrupted. Returns an exit code.

    Args:
        sources: the toolbar's folder.
        state: where the copy, the learner's clone and the server's files go.

    Raises:
        WorldError: something is missing, or a program has ended.
    """
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, {"git": "git", "node": "nodejs", "npm": "npm"})
    found.settle()
    state.mkdir(parents=True, exist_ok=True)
    with _alone(state):
        watch_lab.ensure_packages()
        _serve(sources, state)
    return 0


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Hold the folder: two would write over each other's builds."""
    with (state / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorldError("make watch runs in this checkout already.") from None
        yield


def _serve(sources: Path, state: Path) -> None:
    build = Build(sources, state / "toolbar")
    lab = watch_lab.Lab(sources, state, build.labextension)
    try:
        with build.compiling(), lab.serving():
            build.wait()
            say(
                f"\nJupyterLab with the toolbar: {lab.address}\n"
                "After a change, wait for the word here, then reload the page in the browser."
                " Ctrl+C stops all."
            )
            while True:
                lab.check()
                build.follow(POLL_SECONDS)
                lab.follow()
    except KeyboardInterrupt:
        say("\nStopped.")


class Build:
    """The labextension, made again after each change.

    Attributes:
        labextension: the folder that JupyterLab serves.
    """

    def __init__(self, sources: Path, folder: Path) -> None:
        self.labextension = folder / "atelier_toolbar/labextension"
        self._sources = sources
        self._folder = folder
        self._seen: watch_lab.Snapshot = {}
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._said: list[str] = []
        self._began = time.monotonic()
        self._compiled = False

    @contextlib.contextmanager
    def compiling(self) -> Iterator[None]:
        """Keep the compiler at work in the block."""
        self._folder.mkdir(parents=True, exist_ok=True)
        packages = self._folder / npm.PACKAGES
        packages.unlink(missing_ok=True)
        packages.symlink_to(front.packages())
        self._copy()
        tsc = str(packages / ".bin/tsc")
        command = [tsc, "--watch", "--preserveWatchOutput", "--pretty", "false"]
        with interruption.held():
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        try:
            interruption.let()
            assert process.stdout is not None
            threading.Thread(target=self._pump, args=(process.stdout,), daemon=True).start()
            yield
        finally:
            watch_lab.stop(process)

    def _pump(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def wait(self) -> None:
        """Wait for the first compilation.

        Raises:
            WorldError: it takes too long.
        """
        deadline = time.monotonic() + COMPILER_SECONDS
        while not self._compiled:
            if time.monotonic() > deadline:
                raise WorldError(f"tsc has not ended in {COMPILER_SECONDS} s.")
            self._listen(1)

    def follow(self, seconds: float) -> None:
        """Give changes to the compiler, and bundle what it has compiled within `seconds`."""
        now = watch_lab.snapshot(self._sources, WATCHED)
        if now != self._seen:
            changed = self._copy()
            if any(path.suffix != ".ts" for path in changed):
                self._bundle()
        self._listen(seconds)

    def _copy(self) -> set[Path]:
        """Copy what differs, remove what is gone; return these files' paths."""
        self._seen = watch_lab.snapshot(self._sources, WATCHED)
        self._began = time.monotonic()
        changed = set()
        for path in self._seen:
            source, copy = self._sources / path, self._folder / path
            with contextlib.suppress(FileNotFoundError):  # gone since: the next look tells
                if not copy.exists() or copy.read_bytes() != source.read_bytes():
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, copy)
                    changed.add(path)
        for path in watch_lab.snapshot(self._folder, WATCHED).keys() - self._seen.keys():
            (self._folder / path).unlink()
            changed.add(path)
        return changed

    def _listen(self, seconds: float) -> None:
        """Take the compiler's next line, and act when it is its last on a compilation."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return
        if line is None:
            raise WorldError(f"tsc has ended\n{quoted(self._said)}")
        if not line.endswith(FOUND):
            self._said.append(line)
            return
        errors = [word for word in self._said if "error TS" in word or word.startswith("  ")]
        self._said.clear()
        self._compiled = True
        if " 0 errors." in line:
            self._bundle()
        else:
            say(f"==> not rebuilt, the page stays as it was:\n{quoted(errors)}")

    def _bundle(self) -> None:
        builder = watch_lab.program("jupyter-builder")
        done = subprocess.run(
            [builder, "build", "--development", "True", "."],
            cwd=self._folder,
            env=watch_lab.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            say(f"==> jupyter-builder failed:\n{quoted(done.stdout.splitlines()[-20:])}")
            return
        say(f"==> built in {time.monotonic() - self._began:.1f} s: reload the page")
