"""A second try of tests that failed in a browser or on a server: a flake fails no run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from world import junit
from world.outcome import Outcome
from world.run import say

NOTES = "tests/flaky.md"


def second_try(
    first: Outcome,
    repeated: Sequence[str],
    run: Callable[[Sequence[str]], int],
    *,
    since: float,
    results: Path,
) -> Outcome:
    """Run tests once more, alone, and keep what both tries left. Returns the outcome of both.

    Args:
        first: how the run ended.
        repeated: the tests.
        run: runs pytest with arguments.
        since: time of the clock when the run began.
        results: folder of the run's logs, screenshots and `junit.xml`, which is brought up to date.
    """
    folder = results / "flaky"
    shutil.rmtree(folder, ignore_errors=True)
    _keep(results, folder / "first", since)
    say(f"\n==> {len(repeated)} failed in a browser or on a server: once more, alone")
    since = time.time()
    kept = folder / "second"
    kept.mkdir()
    report, outcomes = kept / "junit.xml", kept / "outcomes.json"
    run(["-v", "-n", "0", f"--junit-xml={report}", f"--outcomes={outcomes}", *repeated])
    _keep(results, kept, since)
    second = Outcome.read(outcomes)
    if second is None:
        say("   The second try ended before its tests: the first one counts.")
        return first
    junit.put_in(results / "junit.xml", report)
    flakes = first.flakes(second)
    for test in flakes:
        say(f"FLAKY {test}")
    if flakes:
        say(f"An entry is owed in {NOTES}. Both tries: {folder.relative_to(results.parent)}/")
    return first.with_second_try(repeated, second)


def _keep(results: Path, folder: Path, since: float) -> None:
    """Copy what the run has written into `results` since a time."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results)
        if name.parts[0] != "flaky" and path.is_file() and path.stat().st_mtime >= since:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, folder / name)
