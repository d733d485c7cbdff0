"""`make soak`: what takes long by repetition, a line for each part. Goes on where it stopped."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from world import audit, demo, engine, images, locks, paths, venv
from world.notes import read_json
from world.run import WorldError, capture, duration, say, stream

KEPT = paths.CACHE / "soak"
SOAK = "ATELIER_SOAK"
WALK_STEPS = "2000"
SUITES = {"debian_12": "bookworm", "debian_13": "trixie"}
WHOLE_SITE = "default"
TRIES = 3


@dataclass(frozen=True)
class Part:
    """A part of the soak: what it proves, and what does it."""

    name: str
    proves: str
    run: Callable[[Path], None]


def wanted() -> bool:
    """Tell whether tests are to do what only the soak does (`ATELIER_SOAK`)."""
    return bool(os.environ.get(SOAK))


def _command(
    log: Path, *command: str, env: Mapping[str, str] | None = None, cwd: Path = paths.ROOT
) -> None:
    stream(
        log.stem,
        command,
        env={**venv.environment(), SOAK: "1", "ATELIER_AGAIN": "1", "NO_COLOR": "1", **(env or {})},
        cwd=cwd,
        log=log,
        show=lambda _: None,
    )


def _pytest(log: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
    _command(log, venv.program("python"), "-m", "pytest", "-n0", "-v", *words, env=env)


def kills(log: Path) -> None:
    """Install the site once without and once with ten kills, and compare the two."""
    if demo.TARGET.state():
        raise WorldError("This part makes the demo anew: make demo-down first.")
    try:
        demo.up()
        _pytest(log, "tests/molecule", "-k", f"[{WHOLE_SITE}] or interrupted")
    finally:
        _command(log, venv.program("python"), "-m", "world", "demo", "down", env={
            "KEEP_IMAGES": "1", "KEEP_ENGINE": "1",
        })  # fmt: skip


def walk(log: Path) -> None:
    """Draw the toolbar's operations at random, two thousand of them."""
    env = {"ATELIER_TOOLBAR_STEPS": WALK_STEPS}
    _pytest(log, "tests/integration/toolbar/test_random_operations.py", env=env)


def launches(log: Path) -> None:
    """Draw a hundred thousand launches, most of them malformed."""
    _pytest(
        log, "tests/unit/atelier/test_launch_properties.py", "tests/unit/atelier/test_growth.py"
    )


def attacks(log: Path) -> None:
    """Measure the hub's answers under each attack, beside its quiet ones."""
    _command(log, venv.program("python"), "-m", "world", "bench-attack", cwd=paths.ROOT / "tests")


def _molecule(log: Path, scenario: str, *steps: str, env: Mapping[str, str] | None = None) -> None:
    try:
        for step in ("destroy", *steps):
            _command(log, venv.program("molecule"), step, "-s", scenario, env=env)
    finally:
        _command(log, venv.program("molecule"), "destroy", "-s", scenario, env=env)


def drawn(log: Path) -> None:
    """Run every case of the tests of which `make test` draws one case."""
    _pytest(log, "tests", "-m", "drawn")


def dry_runs(log: Path) -> None:
    """Try each role by itself in check mode, on a server that has nothing."""
    for folder in sorted((paths.ROOT / "molecule").glob("*/prepare.yml")):
        if "dry_run.yml" in folder.read_text(encoding="utf-8"):
            _molecule(log, folder.parent.name, "create", "prepare")


def whole_site(suite: str) -> Callable[[Path], None]:
    """Return the part that installs the whole site on a server of that release, twice."""

    def run(log: Path) -> None:
        env = {images.SUITE_VARIABLE: suite}
        _molecule(log, WHOLE_SITE, "create", "converge", "idempotence", "verify", env=env)

    return run


def upgraded(log: Path) -> None:
    """Install the former version, work on it, and upgrade it to this one."""
    if demo.TARGET.state():
        raise WorldError("This part makes the demo anew: make demo-down first.")
    env = {"KEEP_IMAGES": "1", "KEEP_ENGINE": "1"}
    _pytest(log, "tests/soak/test_upgrade.py", env=env)


def archives(log: Path) -> None:
    """Build the toolbar twice, in two folders."""
    _pytest(log, "tests/integration/collection/test_archives.py")


def audit_python(item: locks.Lock) -> Callable[[Path], None]:
    """Return the part that looks for weaknesses known of a lock's packages."""
    return lambda _: audit.python_set(item)


def audit_npm(folder: str) -> Callable[[Path], None]:
    """Return the part that looks for weaknesses known of a folder's JavaScript packages."""
    return lambda _: audit.npm_set(folder)


def make_test(log: Path) -> None:
    """Run `make test` in an empty clone, without any image or download of before."""
    clone = KEPT / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    capture("git", "clone", "--quiet", str(paths.ROOT), str(clone))
    for tag in images.NAMES:
        images.remove(tag)
    environment = dict.fromkeys((SOAK, "ATELIER_AGAIN", "ATELIER_VENV", "PYTHONPATH"), "")
    _command(log, "make", "test", env={**environment, "CI": "true"}, cwd=clone)
    shutil.rmtree(clone, ignore_errors=True)


PARTS = (
    *(
        Part(f"audit_{item.name.replace('/', '_')}", f"no known weakness: {item.what}", run)
        for item in locks.LOCKS
        for run in (audit_python(item),)
    ),
    *(
        Part(f"audit_npm_{Path(folder).name}", f"no known weakness: npm's {folder}", run)
        for folder in locks.NPM_FOLDERS
        for run in (audit_npm(folder),)
    ),
    Part("archives", "what is given away is the same wherever it is built", archives),
    Part("kills", "ten runs killed at random, the site compared with one that was not", kills),
    Part("upgrade", "learners of the former version lose nothing by an upgrade", upgraded),
    Part("walk", f"{WALK_STEPS} random operations of the toolbar", walk),
    Part("launches", "100,000 launches, and as many that nobody signed", launches),
    Part("attacks", "the hub answers under each attack within twice its usual time", attacks),
    Part("drawn", "all cases of the tests of which make test draws one", drawn),
    Part("dry_runs", "a dry run of each role by itself", dry_runs),
    *(
        Part(name, f"the whole site on {suite}", whole_site(suite))
        for name, suite in SUITES.items()
    ),
    *(
        Part(f"test_{number}", "make test from nothing", make_test)
        for number in range(1, TRIES + 1)
    ),
)


def soak(words: Sequence[str]) -> int:
    """Run the parts that did not pass on this commit yet. Returns an exit code."""
    parser = argparse.ArgumentParser(prog="make soak ARGS=", description=__doc__)
    parser.add_argument(
        "-k", default="", metavar="WORD", help="run only the parts whose name contains the word"
    )
    parser.add_argument(
        "--again", action="store_true", help="repeat the parts that have passed on this commit"
    )
    options = parser.parse_args(words)
    chosen = [part for part in PARTS if options.k in part.name]
    if not chosen:
        raise WorldError(f"No part has {options.k!r} in its name: {_names()}")
    demo.check(None)
    engine.ensure()
    venv.ensure()
    commit = capture("git", "-C", str(paths.ROOT), "rev-parse", "--short=12", "HEAD")
    clean = not capture("git", "-C", str(paths.ROOT), "status", "--porcelain")
    say(f"==> soak of {commit}{'' if clean else ', with changes: nothing is remembered'}")
    record = KEPT / f"{commit}.json"
    failed = 0
    for part in chosen:
        passed: dict[str, float] = read_json(record) if clean else {}
        if part.name in passed and not options.again:
            say(f"soak {part.name}: passed before in {duration(passed[part.name])}")
            continue
        try:
            seconds = _run(part)
        except audit.NotRunError as reason:
            say(f"soak {part.name}: not run: {reason}")
            continue
        if seconds is None:
            failed += 1
        elif clean:
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(json.dumps({**passed, part.name: round(seconds, 1)}))
    return 1 if failed else 0


def _names() -> str:
    return ", ".join(part.name for part in PARTS)


def _run(part: Part) -> float | None:
    """Run one part and say how it went. Returns its seconds, or None when it failed."""
    log = paths.RESULTS / f"soak-{part.name}.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    say(f"   {part.name}: {part.proves} (log: {log.relative_to(paths.ROOT)})")
    began = time.monotonic()
    try:
        part.run(log)
    except audit.NotRunError:
        raise  # neither passed nor failed
    except WorldError as error:
        say(f"soak {part.name}: FAILED after {duration(time.monotonic() - began)}\n{error}")
        return None
    seconds = time.monotonic() - began
    say(f"soak {part.name}: passed in {duration(seconds)}")
    return seconds
