"""The action that shows a long command's progress, with real processes of this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


watch = load("plugins/action/watch_command.py")


def shell(script: str) -> str:
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(
    state: Path, command: list[str], show: str = "Step", timeout: float = 20
) -> tuple[Any, Any, list[str]]:
    said: list[str] = []
    shell(watch.start_script(str(state), command))
    transcript = watch.Transcript(re.compile(show))
    ending = watch.follow(
        lambda offset: shell(watch.poll_script(str(state), offset)),
        transcript,
        said.append,
        timeout,
        sleep=lambda _: time.sleep(0.05),
    )
    return ending, transcript, said


def test_shows_the_steps_and_returns_the_exit_code(tmp_path: Path) -> None:
    script = "echo Step 1; echo noise; echo Step 2 >&2; exit 3"
    ending, transcript, said = run(tmp_path / "state", ["sh", "-c", script])
    assert ending.rc == 3
    assert said == ["Step 1", "Step 2"]
    assert transcript.last == ["Step 1", "noise", "Step 2"]


def test_words_reach_the_command_unchanged(tmp_path: Path) -> None:
    words = ["a b", "it's", '"q"', "$HOME", "-x", "é"]
    ending, transcript, _ = run(tmp_path / "a state's dir", ["printf", "[%s]\n", *words])
    assert ending.rc == 0
    assert transcript.last == [f"[{word}]" for word in words]


def test_long_output_arrives_whole(tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 12000 ]; do echo Step é $i; i=$((i+1)); done; printf end"
    ending, transcript, said = run(tmp_path, ["sh", "-c", script])
    assert ending.rc == 0
    assert said == [f"Step é {number}" for number in range(12000)]
    assert transcript.last[-1] == "end"


def test_a_silent_command_is_reported_every_ten_seconds() -> None:
    now = [0.0]
    said: list[tuple[float, str]] = []

    def look(_: int) -> str:
        return f"{watch.MARK}{'0' if now[0] > 45 else ''}:0:"

    def sleep(seconds: float) -> None:
        now[0] += seconds

    watch.follow(
        look,
        watch.Transcript(re.compile("x")),
        lambda line: said.append((now[0], line)),
        600,
        clock=lambda: now[0],
        sleep=sleep,
    )
    times = [0.0, *(when for when, _ in said), now[0]]
    assert max(later - sooner for sooner, later in itertools.pairwise(times)) <= 12


@pytest.mark.parametrize(("lasts", "at_most"), [(0.2, 0.4), (1.0, 1.6), (60.0, 62.1)])
def test_the_end_of_a_short_command_is_seen_soon(lasts: float, at_most: float) -> None:
    now = [0.0]
    looks: list[int] = []

    def look(_: int) -> str:
        looks.append(1)
        return f"{watch.MARK}{'0' if now[0] >= lasts else ''}:0:"

    def sleep(seconds: float) -> None:
        now[0] += seconds

    transcript = watch.Transcript(re.compile("x"))
    watch.follow(look, transcript, lambda _: None, 600, clock=lambda: now[0], sleep=sleep)
    assert now[0] <= at_most
    assert len(looks) <= 6 + lasts / 2


def commands_of_group(group: int) -> list[str]:
    """Command lines of the living processes of a process group (a zombie has none)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(process.name)) == group:
                found.append((process / "cmdline").read_text())
    return [command for command in found if command]


def written(path: Path) -> int:
    """The number in a file that a process in the background writes."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written")


def test_a_command_over_its_time_can_be_stopped_with_its_children(tmp_path: Path) -> None:
    ending, _, _ = run(tmp_path, ["sh", "-c", "sleep 98765; true"], timeout=0.3)
    assert ending.rc is None
    pid = written(tmp_path / "pid")
    shell(watch.stop_script(str(tmp_path)))
    assert commands_of_group(pid) == []


def test_a_new_run_stops_the_one_that_was_cut_short(tmp_path: Path) -> None:
    shell(watch.start_script(str(tmp_path), ["sleep", "98766"]))
    first = written(tmp_path / "pid")
    ending, transcript, _ = run(tmp_path, ["echo", "second"])
    assert (ending.rc, transcript.last) == (0, ["second"])
    assert commands_of_group(first) == []


def test_a_process_that_took_over_the_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "98767"], start_new_session=True) as stranger:
        (tmp_path / "pid").write_text(f"{stranger.pid}\n")
        shell(watch.stop_script(str(tmp_path)))
        assert stranger.poll() is None
        stranger.kill()
