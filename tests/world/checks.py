"""`make check`, `make test`, `make bench`, `make clean`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from world import demo, dev, engine, images, needs, paths, venv
from world.run import WorldError, beside, duration, say, succeeds

QUICK = ("tests/quality", "tests/unit")
WORKERS = "2"
SIGN_OF_LIFE_SECONDS = 60
LINT_PROGRAMS = {"shellcheck": "shellcheck", "npm": "npm"}
TEST_PROGRAMS = {
    **LINT_PROGRAMS,
    "certutil": "libnss3-tools",
    "chromium": "chromium",
    "nginx": "nginx",
    "node": "nodejs",
    "openssl": "openssl",
    "pg_createcluster": "postgresql",
    "ruby": "ruby",
}


def check() -> int:
    """Lint, types and the quick unit tests. Returns pytest's exit code."""
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, LINT_PROGRAMS)
    found.settle()
    venv.ensure()
    return _pytest(QUICK, ["-q", "-m", "not long"])


def test(arguments: Sequence[str]) -> int:
    """Everything, in one pytest run. Returns pytest's exit code.

    Args:
        arguments: given to pytest; paths among them replace the whole.
    """
    found = needs.Needs()
    needs.common(found)
    needs.programs(found, TEST_PROGRAMS)
    found.settle()
    alone = _alone()
    started = engine.ensure()
    if os.environ.get("CI") and demo.is_of_another_checkout():
        demo.remove_server()  # nobody looks at a demo of an earlier run's checkout any more
    with beside("images", "images"):
        venv.ensure()
    named = [word for word in arguments if not word.startswith("-")]
    options = [word for word in arguments if word.startswith("-")]
    paths.RESULTS.mkdir(exist_ok=True)
    report = f"--junit-xml={paths.RESULTS / 'junit.xml'}"
    try:
        return _pytest(named or ("tests",), ["-v", "--durations=40", report, *options])
    finally:
        if started:
            engine.stop_own()
        alone.close()


def _alone() -> IO[str]:
    """Keep other checkouts' tests away: servers for tests have the same names in all of them.

    Raises:
        WorldError: another one's tests are running.
    """
    folder = Path("/run/lock") if Path("/run/lock").is_dir() else Path(tempfile.gettempdir())
    path = folder / "atelier-test.lock"
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        handle = path.open()
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # taken, or made by somebody whose files we may not read
        raise WorldError(
            "The tests of another checkout are running on this machine, and would be disturbed:\n"
            f"  wait until they have ended (see who they are with: fuser -v {path})"
        ) from None
    return handle


def _pytest(where: Sequence[str], options: Sequence[str]) -> int:
    command = [
        venv.program("python"), "-m", "pytest", "-n", WORKERS, "--dist=loadgroup",
        "--no-loadscope-reorder", *options, *where,
    ]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=paths.ROOT,
        env={**os.environ, **venv.environment()},
        start_new_session=False,
    )
    over = threading.Event()
    threading.Thread(target=_live_sign, args=(over, began), daemon=True).start()
    try:
        return process.wait()
    except KeyboardInterrupt:  # of the whole group: pytest has had it too, and cleans up
        return process.wait()
    finally:
        over.set()


def _live_sign(over: threading.Event, began: float) -> None:
    """Say now and then which logs grow, for a person in front of two long tests."""
    while not over.wait(SIGN_OF_LIFE_SECONDS):
        recent = [
            path.name
            for path in sorted(paths.RESULTS.glob("*.log"))
            if time.time() - path.stat().st_mtime < SIGN_OF_LIFE_SECONDS
        ]
        doing = f": {', '.join(recent)} in test-results/" if recent else ""
        say(f"   ... {duration(time.monotonic() - began)}{doing}")


def bench() -> int:
    """Print the figures, on the running demo. Returns an exit code."""
    if demo.TARGET.state() != "running" or not demo.DETAILS.exists():
        raise WorldError("The benchmarks measure the demo: run make demo first.")
    done = subprocess.run(
        [venv.program("python"), "-m", "benchmarks"],
        cwd=paths.ROOT,
        env={**os.environ, **venv.environment()},
        check=False,
    )
    return done.returncode


def bench_modules() -> int:
    """Print the figures of the modules for whole classes. Returns an exit code."""
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, {"ruby": "ruby"})  # the stand-in evaluates gitlab.rb
    found.settle()
    venv.ensure()
    return _measured("benchmarks.bench_modules")


def bench_launch() -> int:
    """Print the figures of launches. Returns an exit code."""
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, {"nginx": "nginx", "node": "nodejs", "npm": "npm"})
    found.settle()
    venv.ensure()
    return _measured("benchmarks.bench_launch")


def bench_check() -> int:
    """Print the figures of checks of answers. Returns an exit code."""
    found = needs.Needs()
    needs.venv(found)
    found.settle()
    venv.ensure()
    return _measured("benchmarks.bench_check")


def bench_toolbar() -> int:
    """Print the figures of the toolbar's server part. Returns an exit code."""
    found = needs.Needs()
    needs.venv(found)
    found.settle()
    venv.ensure()
    return _measured("benchmarks.bench_toolbar")


def _measured(module: str) -> int:
    done = subprocess.run(
        [venv.program("python"), "-m", module],
        cwd=paths.ROOT,
        env={**os.environ, **venv.environment()},
        check=False,
    )
    return done.returncode


def clean() -> int:
    """Remove the demo, downloads, tools and results. Returns an exit code."""
    dev.alone(paths.DEV).close()  # one that runs would lose what it stands on
    cache = paths.CACHE
    if demo.is_of_another_checkout():
        say(f"==> The demo of {demo.TARGET.checkout() or 'another checkout'} stays.")
    else:
        demo.down()
    try:
        for folder in (paths.RESULTS, paths.DEV, paths.ROOT / ".venv", cache):
            if folder.exists():
                shutil.rmtree(folder)
    except PermissionError:  # root of a container wrote there; root of a container may remove
        mount = f"{cache}:/cache"
        if not succeeds(
            "docker", "run", "--rm", "-v", mount, images.BASE, "rm", "-rf", "/cache/world"
        ):
            print(f"Some files belong to root: sudo rm -rf {cache}", file=sys.stderr)
            return 1
        shutil.rmtree(cache, ignore_errors=True)
    return 0
