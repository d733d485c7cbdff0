"""lti_consumers in real playbook runs: made, found again, changed, rotated, removed; no secret."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import pytest
import yaml
from atelier.config.models import Consumers, load
from integration.modules.killed import kill_everything, processes_of
from kit import playbook
from kit.classroom import LOCAL, Played, environment, played
from world import venv

GIVEN = "given-0123456789abcdef0123456789abcdef"
FUN = {"key": "fun", "platform": "fun"}
MOODLE = {"key": "moodle", "platform": "moodle", "secret": GIVEN, "courses": ["rr1"]}


class Keys:
    """A file of keys and the runs that change it; all that was ever said is kept."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.env = env or {}
        self.validate: str | None = None
        self.file = folder / "consumers.yml"
        self.said = ""
        self.secrets: set[str] = set()

    def start(self, *consumers: dict[str, Any]) -> Popen[str]:
        """Begin a run that is to be killed."""
        return Popen(
            [venv.program("ansible-playbook"), *self._words(consumers)],
            env=self._environment(),
            stdout=DEVNULL,
            stderr=DEVNULL,
            text=True,
        )

    def play(self, *consumers: dict[str, Any], options: tuple[str, ...] = ()) -> Played:
        """One run, to its end."""
        done = playbook.run(
            *self._words(consumers), *options, cwd=Path.cwd(), env=self._environment()
        )
        self.said += done.stdout + done.stderr
        self.secrets |= {secret for kept in self.accepted().values() for secret in kept}
        return played(done.returncode, done.stdout)

    def _words(self, consumers: Sequence[dict[str, Any]]) -> list[str]:
        """Arguments of a run with the most words Ansible has."""
        task = {"path": str(self.file), "consumers": list(consumers), "mode": "0640"}
        task |= {"validate": self.validate} if self.validate else {}
        book = self.folder / "play.yml"
        book.write_text(
            json.dumps([{"hosts": "localhost", "gather_facts": False,
                         "tasks": [{"mooc.atelier.lti_consumers": task}]}])
        )  # fmt: skip
        return [*LOCAL, "--diff", "-vvv", str(book)]

    def _environment(self) -> dict[str, str]:
        return environment(
            self.folder, {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", **self.env}
        )

    def accepted(self) -> dict[str, tuple[str, ...]]:
        """The secrets that the hub accepts now, by key."""
        now = datetime.now(UTC).timestamp()
        if not self.file.exists():
            return {}
        return {one.key: one.secrets_at(now) for one in load(Consumers, self.file).consumers}


def test_keys_from_the_first_to_the_last_day(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    checked = keys.play(FUN, MOODLE, options=("--check",)).last()
    assert checked["changed"]
    assert not keys.file.exists()
    made = keys.play(FUN, MOODLE).last()
    assert made["diff"]["after"] == checked["diff"]["after"]
    assert made["consumers"] == checked["consumers"]
    assert keys.file.stat().st_mode & 0o777 == 0o640
    first = keys.accepted()
    assert first["moodle"] == (GIVEN,)
    assert not keys.play(FUN, MOODLE).last()["changed"]
    assert keys.accepted() == first

    wider = {**MOODLE, "courses": ["rr1", "stats"], "trust_email": True, "trust_roles": True}
    changed = keys.play(wider).last()
    assert set(changed["diff"]["after"]) == {"moodle"}
    assert (changed["diff"]["before"]["moodle"]["trust_roles"],
            changed["diff"]["after"]["moodle"]["trust_roles"]) == (False, True)  # fmt: skip
    assert keys.accepted() == first

    spring = {**FUN, "rotate": "2027-spring", "grace": "14d"}
    before = keys.file.read_bytes()
    checked = keys.play(spring, options=("--check",)).last()
    assert checked["changed"]
    assert keys.file.read_bytes() == before
    rotated = keys.play(spring).last()
    assert rotated["diff"]["after"]["fun"]["secret"] == "replaced"
    (end,) = rotated["diff"]["after"]["fun"]["previous_until"]
    left = datetime.fromisoformat(end) - datetime.now(UTC)
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)
    second = keys.accepted()
    assert second["fun"][1:] == first["fun"]
    assert not keys.play(spring).last()["changed"]

    data = yaml.safe_load(keys.file.read_text())
    data["consumers"][0]["previous"][0]["until"] = "2026-01-01T00:00:00Z"
    keys.file.write_text(yaml.safe_dump(data))
    assert keys.accepted()["fun"] == second["fun"][:1]
    assert keys.play(spring).last()["changed"]
    assert first["fun"][0] not in keys.file.read_text()
    assert not keys.play(spring).last()["changed"]

    gone = [{"key": "fun", "state": "absent"}, {"key": "moodle", "state": "absent"}]
    assert keys.play(*gone, options=("--check",)).last()["changed"]
    assert keys.play(*gone).last()["changed"]
    assert not keys.play(*gone).last()["changed"]
    assert keys.accepted() == {}

    assert len(keys.secrets) == 3
    assert [secret for secret in keys.secrets if secret in keys.said] == []


# The first is killed while the new file is complete and not yet in place.
@pytest.mark.drawn
@pytest.mark.parametrize(("delay", "stall"), [(0.0, True), (0.0, False), (0.002, False)])
def test_killed_at_any_moment_the_file_is_whole(tmp_path: Path, delay: float, stall: bool) -> None:
    """SIGKILL around the moment it is replaced: the hub finds the old keys or the new ones."""
    keys = Keys(tmp_path, {"ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote")})
    many = [{"key": f"k{number}", "platform": "fun"} for number in range(300)]
    keys.play(*many)
    kept = keys.accepted()
    assert len(kept) == 300
    spring = [{**one, "rotate": "spring", "grace": "14d"} for one in many]
    keys.validate = "sleep 60 %s" if stall else None
    kill_when_written(keys.start(*spring), tmp_path, delay)
    keys.validate = None
    found = keys.accepted()
    replaced = {key for key in found if found[key][0] != kept[key][0]}
    assert set(found) == set(kept)
    assert replaced in (set(), set(found))
    assert not (stall and replaced)

    assert keys.play(*spring).last()["changed"] == (not replaced)
    assert not keys.play(*spring).last()["changed"]
    # Rotated once, not twice: what was replaced is the first secret.
    now = keys.accepted()
    assert all(now[key][1] == kept[key][0] for key in now)


def kill_when_written(process: Popen[str], folder: Path, delay: float) -> None:
    """Wait until the module has begun the new file, and a little longer; then kill everything."""

    def begun() -> bool:
        return bool(list(folder.glob("remote/ansible-moduletmp-*/*")))

    found: dict[int, str] = {}
    while process.poll() is None and not begun():
        found = processes_of(folder)  # beforehand: to look for them takes longer than to write
        for _ in range(20):
            if not begun():
                time.sleep(0.001)
    time.sleep(delay)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    kill_everything(folder)
    process.wait()
    shutil.rmtree(folder / "remote")
