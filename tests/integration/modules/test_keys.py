"""lti_consumers in real playbook runs: made, found again, changed, rotated, removed; no secret."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from atelier.settings import Consumers, load
from integration.modules.classroom import LOCAL, Played, environment, played
from world import venv

GIVEN = "given-0123456789abcdef0123456789abcdef"
FUN = {"key": "fun", "platform": "fun"}
MOODLE = {"key": "moodle", "platform": "moodle", "secret": GIVEN, "courses": ["rr1"]}


class Keys:
    """A file of keys and the runs that change it; all that was ever said is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "consumers.yml"
        self.said = ""
        self.secrets: set[str] = set()

    def play(self, *consumers: dict[str, Any], options: tuple[str, ...] = ()) -> Played:
        """One run with the most words Ansible has."""
        task = {"path": str(self.file), "consumers": list(consumers), "mode": "0640"}
        playbook = self.folder / "play.yml"
        playbook.write_text(
            json.dumps([{"hosts": "localhost", "gather_facts": False,
                         "tasks": [{"mooc.atelier.lti_consumers": task}]}])
        )  # fmt: skip
        done = subprocess.run(
            [venv.program("ansible-playbook"), *LOCAL, "--diff", "-vvv", *options, playbook],
            env=environment(self.folder, {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.said += done.stdout + done.stderr
        self.secrets |= {secret for kept in self.accepted().values() for secret in kept}
        return played(done.returncode, done.stdout)

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
