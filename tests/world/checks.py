"""`make bench` and its parts, `make clean`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from world import demo, dev, images, needs, paths, venv
from world.run import WorldError, say, succeeds


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


def bench_attack() -> int:
    """Print the hub's answers under attack. Returns an exit code."""
    return _behind_nginx("benchmarks.bench_attack")


def bench_launch() -> int:
    """Print the figures of launches. Returns an exit code."""
    return _behind_nginx("benchmarks.bench_launch")


def _behind_nginx(module: str) -> int:
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, {"nginx": "nginx", "node": "nodejs", "npm": "npm"})
    found.settle()
    venv.ensure()
    return _measured(module)


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
