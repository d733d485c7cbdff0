"""A run that is killed dies with its children; a run that fails by itself is not forgiven."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest
from world import chaos
from world.run import WorldError

pytestmark = pytest.mark.long

# A playbook that starts a worker in a session of its own, as Ansible does, and then goes on.
PLAYBOOK = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
worker = subprocess.Popen(sleep, start_new_session=True, **nowhere)
open(sys.argv[1], "w").write(str(worker.pid))
print("PLAY [all] ****", flush=True)
for name in ("one", "two", "three"):
    print(f"TASK [{name}] ****", flush=True)
    time.sleep(0.3)
    print("changed: [server]" if name == "two" else "ok: [server]", flush=True)
if code := int(sys.argv[2]):
    print("fatal: [server]: the disk is full", flush=True)
raise SystemExit(code)
"""


def command(note: Path, code: int = 0) -> list[str | Path]:
    return [sys.executable, "-c", PLAYBOOK, note, str(code)]


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_the_worker_dies_with_the_playbook_at_the_task_chosen(tmp_path: Path) -> None:
    note, log = tmp_path / "worker", tmp_path / "log"
    assert chaos.interrupt(command(note), env={}, at=2, delay=0.0, log=log) is None
    assert "TASK [two]" in log.read_text()
    assert "TASK [three]" not in log.read_text()
    deadline = time.monotonic() + 5
    while not is_gone(int(note.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_run_may_die_between_a_change_and_what_is_to_follow_it(tmp_path: Path) -> None:
    note, log = tmp_path / "worker", tmp_path / "log"
    assert chaos.interrupt(command(note), env={}, at=1, delay=None, log=log) is None
    assert log.read_text().endswith("changed: [server]\n--- killed at task 2, after its change\n")


def test_a_run_that_has_nothing_left_to_change_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    ended = chaos.interrupt(command(tmp_path / "worker"), env={}, at=3, delay=None, log=log)
    os.kill(int((tmp_path / "worker").read_text()), 9)
    assert ended == 3


def test_a_run_that_ends_before_its_death_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    ended = chaos.interrupt(command(tmp_path / "worker"), env={}, at=9, delay=0.0, log=log)
    os.kill(int((tmp_path / "worker").read_text()), 9)
    assert ended == 3


def test_a_run_that_fails_by_itself_is_a_failure(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(WorldError, match="failed by itself, before task 9") as told:
        chaos.interrupt(command(tmp_path / "worker", code=2), env={}, at=9, delay=0.0, log=log)
    assert "the disk is full" in str(told.value), "the log may be gone when somebody asks why"
    os.kill(int((tmp_path / "worker").read_text()), 9)


def test_every_part_of_a_run_is_hit_and_the_same_seed_hits_the_same_tasks() -> None:
    def points() -> list[int]:
        chance = random.Random(7)
        return [chaos.kill_point(chance, number, 10, 120) for number in range(10)]

    assert points() == points()
    assert [(point - 1) * 10 // 120 for point in points()] == list(range(10))


def test_a_run_shorter_than_the_storm_has_points_too() -> None:
    chance = random.Random(7)
    points = [chaos.kill_point(chance, number, 10, 3) for number in range(10)]
    assert points == sorted(points)
    assert set(points) == {1, 2, 3}


def test_some_runs_die_deep_inside_a_task_and_some_after_a_change() -> None:
    chance = random.Random(7)
    delays = [chaos.delay_seconds(chance) for _ in range(100)]
    timed = [delay for delay in delays if delay is not None]
    assert 25 < len(delays) - len(timed) < 55
    assert 5 < sum(delay > chaos.LONGEST_DELAY_SECONDS for delay in timed) < 35
    assert max(timed) <= chaos.DEEPEST_DELAY_SECONDS
    assert None not in [chaos.delay_seconds(chance, changes=False) for _ in range(100)]


def test_a_whole_run_of_the_demo_tells_how_many_tasks_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "site.log"
    monkeypatch.setattr(chaos, "WHOLE_RUN", log)
    written = chaos.expected_tasks()
    assert written > 50
    tasks = "PLAY [all] ***\n\nTASK [nginx : one] ***\nok: [a]\nRUNNING HANDLER [two] ***\n"
    log.write_text(tasks)
    assert chaos.expected_tasks() == written, "it has not ended"
    log.write_text(tasks + "PLAY RECAP ***\na    : ok=2    changed=0    unreachable=0\n")
    assert chaos.expected_tasks() == 2


def test_a_storm_learns_how_long_a_run_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    monkeypatch.setattr(chaos, "expected_tasks", lambda: 1000)
    monkeypatch.setattr(chaos, "delay_seconds", lambda _, **__: 0.0)
    chaos.storm(command(tmp_path / "worker"), env={}, runs=3, seed=7, log=log)
    assert log.read_text().count("--- killed at task") == 3
    assert capsys.readouterr().out.count("killed at task") == 3
    assert log.read_text().count("PLAY [all]") <= 4, "more than one whole run to learn its length"
