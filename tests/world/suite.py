"""`make check` and `make test`: what stands before pytest, and pytest itself."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from benchmarks import figures

from world import demo, engine, flakes, junit, lints, needs, passed, paths, venv
from world.outcome import Outcome, closing_line
from world.run import WorldError, beside, duration, fail, say, stream

QUICK = ("tests/quality", "tests/unit")
SCHEDULED = ("--dist=loadgroup", "--no-loadscope-reorder")
WORKERS = 3  # tests/pytest_hooks/schedule.py: two of them for what is heavy
QUICK_WORKERS = 2
SIGN_OF_LIFE_SECONDS = 60
TESTS_FAILED = 1  # of pytest's exit codes, the one after which a second try makes sense
OF_THE_DEMO = paths.ROOT / "tests/e2e"
SKIP_PASSED = "--skip-passed"
JUNIT = paths.RESULTS / "junit.xml"
OUTCOMES = paths.RESULTS / "outcomes.json"
KEPT_DEMO = OUTCOMES.with_name("demo-kept")
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
# Options of pytest that select tests, and those whose value may be the next word.
SELECTING = ("-k", "-m", "--lf", "--last-failed", "--deselect", "--ignore")
WITH_VALUE = ("-k", "-m", "-n", "-p", "-o", "-W", "-c", "-r")


def check() -> int:
    """Lint, types and the quick unit tests. Returns pytest's exit code."""
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, LINT_PROGRAMS)
    found.settle()
    venv.ensure()
    return _pytest(["-n", f"{QUICK_WORKERS}", *SCHEDULED, "-q", "-m", "not long", *QUICK])


def named_paths(arguments: Sequence[str]) -> list[str]:
    """Return the files, folders and tests among pytest's arguments."""
    before = ["", *arguments]
    return [
        word
        for word, previous in zip(arguments, before, strict=False)
        if not word.startswith("-") and previous not in WITH_VALUE
    ]


def is_whole(arguments: Sequence[str]) -> bool:
    """Tell whether pytest's arguments leave the choice of tests as it is: all."""
    return not named_paths(arguments) and not any(word.startswith(SELECTING) for word in arguments)


def needs_demo(arguments: Sequence[str]) -> bool:
    """Tell whether the named paths, or the whole, have tests that bring up the demo."""
    named = [word.partition("::")[0] for word in named_paths(arguments)] or ["tests"]
    places = [(paths.ROOT / word).resolve() for word in named]
    return any(
        path.is_relative_to(OF_THE_DEMO) or OF_THE_DEMO.is_relative_to(path) for path in places
    )


def test(arguments: Sequence[str]) -> int:
    """Everything: linters first, then one pytest run. Returns an exit code.

    Args:
        arguments: given to pytest; paths among them replace the whole. Where they select tests, no
            linter runs first.
    """
    began = time.monotonic()
    found = needs.Needs()
    needs.common(found)
    needs.programs(found, TEST_PROGRAMS)
    in_ci = bool(os.environ.get("CI"))
    with_demo = needs_demo(arguments)
    if with_demo and not in_ci:
        demo.look(found, os.environ.get("GITLAB_IMAGE"))
    found.settle()
    alone = _alone()
    started = engine.ensure()
    try:
        if in_ci and demo.is_of_another_checkout():
            demo.remove_server()  # nobody looks at a demo of an earlier run's checkout any more
        elif with_demo and started:
            demo.look_again()
        paths.RESULTS.mkdir(exist_ok=True)
        # The others are made by the first who needs them; this one can take minutes of waiting.
        with beside("the base image", "images", "--base", required=False):
            venv.ensure()
            if is_whole(arguments):
                _lint()
                arguments = ["-m", f"not {lints.MARKER}", SKIP_PASSED, *arguments]
            return _test(arguments, began)
    except lints.LintError as error:
        fail(error)
        say(closing_line({"failed": error.count}, time.monotonic() - began))
        return TESTS_FAILED
    finally:
        if started:
            engine.stop_own()
        alone.close()


def _lint() -> None:
    """Run the linters, before anything that takes long.

    Raises:
        LintError: they found something.
    """
    say("==> linters (about a minute)")
    began = time.monotonic()
    if found := lints.findings(lints.LINTS):
        raise lints.LintError(found)
    say(f"   {len(lints.LINTS)} linters found nothing ({duration(time.monotonic() - began)})")


def _test(arguments: Sequence[str], began: float) -> int:
    """Run pytest, repeat what may be flakes, and say how both ended together."""
    for former in (JUNIT, OUTCOMES, KEPT_DEMO):
        former.unlink(missing_ok=True)
    since = time.time()
    sources = passed.units() if SKIP_PASSED in arguments else {}
    where = [] if named_paths(arguments) else ["tests"]
    files = [f"--junit-xml={JUNIT}", f"--outcomes={OUTCOMES}"]
    try:
        code = _pytest(
            ["-n", f"{WORKERS}", *SCHEDULED, "-v", "--durations=40", *files, *arguments, *where]
        )
        outcome = Outcome.read(OUTCOMES)
        if outcome is None:  # no test ran, and pytest has said why
            return code
        if code == TESTS_FAILED and (repeated := outcome.to_repeat()):
            outcome = flakes.second_try(
                outcome, repeated, _pytest, since=since, results=paths.RESULTS
            )
            code = TESTS_FAILED if outcome.failed else 0
        if sources and outcome.whole:
            passed.note_units(sources, outcome.tests)
    finally:
        _remove_kept_demo()
    seconds = time.monotonic() - began
    if JUNIT.exists():
        _figures(junit.minutes(JUNIT), seconds / 60)
    say(closing_line(outcome.counts, seconds))
    return code


def _figures(by_directory: dict[str, float], whole: float) -> None:
    say(f"\n==> minutes of tests, fixtures included\n{junit.table(by_directory, whole)}\n")
    for name, minutes in {**by_directory, "whole": whole}.items():
        say(figures.line(f"test_minutes_{name}", minutes, None, "min"))


def _remove_kept_demo() -> None:
    """Remove the demo that the tests made and left for a second try."""
    if KEPT_DEMO.exists():
        stream(
            "removing the demo",
            [sys.executable, "-m", "world", "demo", "down"],
            env={"PYTHONPATH": str(paths.ROOT / "tests"), "KEEP_IMAGES": "1", "KEEP_ENGINE": "1"},
            log=paths.RESULTS / "demo-down.log",
        )
        KEPT_DEMO.unlink()


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


def _pytest(arguments: Sequence[str]) -> int:
    began = time.monotonic()
    process = subprocess.Popen(
        [venv.program("python"), "-m", "pytest", *arguments],
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
