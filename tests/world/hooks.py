"""Git's hooks: which programs they run is in `.pre-commit-config.yaml`."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from world import needs, paths, venv
from world.run import WorldError, say, stream

SUBJECT_LENGTH = 72
SUBJECT = re.compile(r"[\w./-]+(, [\w./-]+)*: \S.*")
WRITTEN_BY_GIT = ("Merge ", "Revert ", "Reapply ", "fixup! ", "squash! ", "amend! ")
CHECK_SUBJECT = "commit-subject"


def install() -> int:
    """Install the hooks in this checkout's git. Returns an exit code."""
    found = needs.Needs()
    needs.venv(found)
    found.settle()
    venv.ensure()
    # Commits on a branch from before the hooks go through.
    command = [venv.program("pre-commit"), "install", "--allow-missing-config"]
    stream("installing the hooks", command, cwd=paths.ROOT)
    say("They look at what is committed and pushed; git commit --no-verify goes without them.")
    return 0


def run(program: str, arguments: Sequence[str]) -> int:
    """Run what a hook names: a program of the virtual environment, or the look at a subject.

    Returns its exit code.

    Raises:
        WorldError: the environment does not have it.
    """
    if program == CHECK_SUBJECT:
        refused = refusal(Path(arguments[0]).read_text(encoding="utf-8"))
        if refused:
            say(refused)
        return 1 if refused else 0
    command = venv.program(program)
    if not Path(command).exists():
        raise WorldError(f"{command} is missing: make hooks installs it.")
    environment = {**os.environ, **venv.environment()}
    return subprocess.run([command, *arguments], env=environment, check=False).returncode


def refusal(message: str) -> str | None:
    """Say what is wrong with a commit message's subject; None when it is as it should be."""
    lines = [line.rstrip() for line in message.splitlines() if not line.startswith("#")]
    subject = next((line for line in lines if line), "")
    if subject.startswith(WRITTEN_BY_GIT):
        return None
    form = "write `area: what changes`, imperative, for instance `nginx: reload only when ...`"
    if not SUBJECT.fullmatch(subject):
        return f"The subject {subject!r} names no area: {form}"
    if len(subject) > SUBJECT_LENGTH:
        return f"The subject has {len(subject)} characters, {SUBJECT_LENGTH} at most: {subject}"
    if subject.endswith("."):
        return f"The subject ends without a full stop: {subject}"
    return None
