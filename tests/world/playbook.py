"""Run ansible-playbook and show its progress: a line per task, changes, failures, and the recap."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from world import venv
from world.run import duration, say, stream

TASK = re.compile(r"^(?:TASK|RUNNING HANDLER|PLAY) \[(?P<name>.*)\] \*+$")
RECAP = re.compile(r"^\S+ +: ok=\d+ +changed=(?P<changed>\d+) ")
NEWS = re.compile(r"^(?!ok:|skipping:|included:|changed:)[\w.-]+: (?P<news>\S.*)$")
LOUD = ("changed:", "fatal:", "failed:", "FAILED - RETRYING", "[WARNING]", "[ERROR]")


@dataclass
class Progress:
    """Turn ansible-playbook's lines into what a person wants to see; remember the recap."""

    task: str = "starting"
    changed: int | None = None

    def __call__(self, line: str) -> str | None:
        """Return what to print for a line, or None."""
        if found := TASK.match(line):
            self.task = found["name"].replace("mooc.atelier.", "")
            return f"   {self.task}"
        if found := RECAP.match(line):
            self.changed = (self.changed or 0) + int(found["changed"])
            return f"   {line}"
        if line.startswith(LOUD):
            return f"     {line[:160]}"
        if found := NEWS.match(line):  # a long task of ours says how far it is
            return f"     {found['news'][:120]}"
        return None

    def __str__(self) -> str:
        """Name the task at work, for the heartbeat."""
        return self.task


@dataclass(frozen=True)
class Outcome:
    """How a run went: seconds it took, and how many tasks changed something."""

    seconds: float
    changed: int


def run(
    playbook: str,
    options: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a playbook.

    Args:
        playbook: path or `namespace.collection.playbook`.
        options: passed on, e.g. `-i inventories/demo`.
        log: receives every line; written anew.
        env: variables for it; by default those that let it find the checkout's collection.

    Raises:
        WorldError: it failed; carries the last lines and the log's path.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    log.touch(mode=0o600)
    progress = Progress()
    began = time.monotonic()
    stream(
        progress,
        [venv.program("ansible-playbook"), playbook, *options],
        env=venv.environment() if env is None else env,
        log=log,
        show=progress,
    )
    seconds = time.monotonic() - began
    changed = progress.changed or 0
    say(f"==> {playbook}: {duration(seconds)}, changed={changed}")
    return Outcome(seconds, changed)
