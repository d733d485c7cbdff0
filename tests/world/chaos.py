"""Kill a playbook in the middle of its work, many times, as a bad day would."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from world import paths, playbook
from world.run import WorldError, duration, quoted, say

LONGEST_DELAY_SECONDS = 2.0
DEEP_SHARE, DEEPEST_DELAY_SECONDS = 0.2, 20.0  # some die deep inside a long task, an image's build
CHANGE_SHARE = 0.4  # some die between a change and what is to follow it, a handler or a note of it
USUAL_SHARE = 0.65  # the other tasks are for settings that the demo site does not have
QUOTED_LINES = 60  # of a run that failed by itself: its last tasks and the reason
WHOLE_RUN = paths.DEMO / "site.log"  # the demo's installation: the same playbook


def seed() -> int:
    """Return the number that all draws of a storm follow from: `ATELIER_SEED`, or one by chance."""
    return int(os.environ.get("ATELIER_SEED") or random.SystemRandom().randrange(1_000_000))


def expected_tasks() -> int:
    """Say how many tasks a run starts: those that the demo's run did, where it has ended.

    Else an estimate from those written in the roles, rather too few than too many: a run that ends
    before its death has repaired what the earlier ones left, and those that die after it die in
    finished work.
    """
    with contextlib.suppress(OSError):
        lines = WHOLE_RUN.read_text(encoding="utf-8").splitlines()
        if any(playbook.RECAP.match(line) for line in lines):
            return sum(_task(line) is not None for line in lines)
    total = 0
    for path in (paths.ROOT / "roles").glob("*/tasks/*.yml"):
        total += sum("block" not in task for task in yaml.safe_load(path.read_text()) or [])
    return round(total * USUAL_SHARE)


def _task(line: str) -> str | None:
    """Return the name of the task that begins with this line; None where none does."""
    found = playbook.TASK.match(line.rstrip())
    return found["name"] if found and not line.startswith("PLAY") else None


def kill_point(chance: random.Random, number: int, runs: int, tasks: int) -> int:
    """Draw the task at which run `number` of `runs` dies.

    Each run has its own stretch of the tasks, in rising order: every part of the site is hit, and
    each run dies in new territory.
    """
    first, last = tasks * number // runs + 1, tasks * (number + 1) // runs
    return chance.randint(first, max(first, last))


def delay_seconds(chance: random.Random, *, changes: bool = True) -> float | None:
    """Draw how long after the task's start the run dies; None is as soon as a task has changed
    something, and never drawn where `changes` is false.
    """
    kind = chance.random()
    deep = kind < DEEP_SHARE
    seconds = chance.uniform(0, DEEPEST_DELAY_SECONDS if deep else LONGEST_DELAY_SECONDS)
    return None if changes and kind >= 1 - CHANGE_SHARE else seconds


def interrupt(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    at: int,
    delay: float | None,
    log: Path,
) -> int | None:
    """Run ansible-playbook; kill it and its children `delay` seconds after task number `at` began,
    or, where that is None, as soon as this task or a later one has changed something.

    Returns:
        None when it was killed; else it ended well before that, after so many tasks.

    Raises:
        WorldError: it failed by itself; carries its last lines.
    """
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **env},
        start_new_session=True,
    )
    assert process.stdout is not None
    started, name = 0, ""
    last: deque[str] = deque(maxlen=QUOTED_LINES)
    with log.open("a") as sink:
        for line in process.stdout:
            sink.write(line)
            last.append(line.rstrip("\n"))
            if (begun := _task(line)) is not None:
                started, name = started + 1, begun
            due = line.startswith("changed:") if delay is None else begun is not None
            if due and started >= at:
                time.sleep(delay or 0)
                family = _family(process.pid)
                when = "its change" if delay is None else f"{delay:.1f} s"
                sink.write(f"--- killed at task {started}, after {when}\n")
                for pid in family:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.stdout.close()
                process.wait()
                say(f"   killed at task {started}, after {when}: {name}")
                return None
    code = process.wait()
    if code:
        raise WorldError(f"The playbook failed by itself, before task {at}: {log}\n{quoted(last)}")
    return started


def _family(pid: int) -> list[int]:
    """Return a process and all its descendants: Ansible's workers leave its process group."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    family = [pid]
    for member in family:
        family += children.get(member, [])
    return family


def storm(
    command: Sequence[str | Path], *, env: Mapping[str, str], runs: int, seed: int, log: Path
) -> None:
    """Interrupt a playbook `runs` times; the next ordinary run has to repair it.

    At least one of them dies between a change and what is to follow it.

    Raises:
        WorldError: a run failed by itself, which means that the one before left something behind
            that the playbook cannot handle.
    """
    began = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    chance = random.Random(seed)
    about = expected_tasks()
    say(f"==> interrupting {runs} runs, seed {seed}, out of about {about} tasks (log: {log})")
    longest: int | None = None  # no run has ended before its death yet
    owed = True  # a death right after a change
    for number in range(runs):
        while True:
            tasks = min(expected_tasks(), longest or sys.maxsize)
            at = kill_point(chance, number, runs, tasks)
            changes = longest is None  # else all is done already
            delay = delay_seconds(chance, changes=changes)
            if changes and owed and number == runs - 1:
                delay = None
            ended_after = interrupt(command, env=env, at=at, delay=delay, log=log)
            if ended_after is None:
                owed = owed and delay is not None
                break
            longest = max(1, min(tasks - 1, ended_after))
    say(f"==> {runs} runs interrupted in {duration(time.monotonic() - began)}")
