"""Whoever waits for a long command sees that it lives, and why it failed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from world import paths, run


def test_lines_are_printed_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    run.stream("greeting", [sys.executable, "-c", "print('one'); print('two')"])
    assert capsys.readouterr().out == "one\ntwo\n"


def test_a_silent_command_gives_a_sign_of_life(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "HEARTBEAT_SECONDS", 0.2)
    run.stream("a long sleep", [sys.executable, "-c", "import time; time.sleep(0.7)"])
    assert "... a long sleep: " in capsys.readouterr().out


def test_lines_kept_from_the_screen_do_not_silence_the_sign_of_life(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "HEARTBEAT_SECONDS", 0.2)
    chatter = "import time\nfor n in range(8): print(n, flush=True); time.sleep(0.1)"
    run.stream("chatter", [sys.executable, "-c", chatter], show=lambda _: None)
    assert "... chatter: " in capsys.readouterr().out


def test_a_failure_names_the_step_and_quotes_its_last_lines() -> None:
    with pytest.raises(run.WorldError, match=r"the step: failed with code 3(?s:.*)no room left"):
        run.stream("the step", [sys.executable, "-c", "print('no room left'); raise SystemExit(3)"])


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.4, "7 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert run.duration(seconds) == text


def test_a_terminated_command_leaves_nothing_running(tmp_path: Path) -> None:
    record = tmp_path / "pid"
    slow = f"import os, time; open({str(record)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    program = f"""
import sys
from world import __main__, demo, run
demo.status = lambda: run.stream("slow", [sys.executable, "-c", {slow!r}])
sys.argv[1:] = ["demo", "status"]
sys.exit(__main__.main())
"""
    world = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT / "tests")},
    )
    wait_for(lambda: record.exists() and record.read_text())
    world.terminate()
    said, _ = world.communicate(timeout=60)
    assert "goes on from here" in said
    assert world.returncode == 130
    started = Path("/proc") / record.read_text()
    wait_for(lambda: not started.exists())


def test_an_interruption_while_a_command_is_started_stops_that_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[subprocess.Popen[str]] = []
    usual = subprocess.Popen

    def popen(*words: Any, **options: Any) -> subprocess.Popen[str]:
        process = usual(*words, **options)
        started.append(process)
        signal.raise_signal(signal.SIGTERM)  # before anybody knows of the process
        return process

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run.interruption.install()
    monkeypatch.setattr(subprocess, "Popen", popen)
    try:
        with pytest.raises(KeyboardInterrupt):
            run.stream("slow", [sys.executable, "-c", "import time; time.sleep(60)"])
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert started[0].wait(30) == -signal.SIGTERM


@pytest.fixture
def instead_of_the_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `world` for child processes: write it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "world.py"


def test_a_command_beside_the_body_has_ended_when_the_body_and_it_have(
    instead_of_the_world: Path,
) -> None:
    mark = instead_of_the_world.with_name("mark")
    instead_of_the_world.write_text(f"import time; time.sleep(0.3); open({str(mark)!r}, 'w')")
    with run.beside("images", "images"):
        assert not mark.exists()
    assert mark.exists()


def test_a_command_that_fails_beside_the_body_is_named(instead_of_the_world: Path) -> None:
    instead_of_the_world.write_text("raise SystemExit(3)")
    with pytest.raises(run.WorldError, match="images: failed with code 3"), run.beside("images"):
        pass


def test_a_command_that_is_not_required_may_fail(
    instead_of_the_world: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    instead_of_the_world.write_text(f"open({str(mark)!r}, 'w'); raise SystemExit(3)")
    with run.beside("images", required=False):
        pass
    assert mark.exists()


def test_a_body_that_fails_stops_what_runs_beside_it(instead_of_the_world: Path) -> None:
    record = instead_of_the_world.with_name("pid")
    instead_of_the_world.write_text(
        f"import os, time; open({str(record)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )

    def fail_beside_it() -> None:
        wait_for(lambda: record.exists() and record.read_text())
        raise run.WorldError("of its own")

    with pytest.raises(run.WorldError, match="of its own"), run.beside("images"):
        fail_beside_it()
    assert not Path("/proc", record.read_text()).exists()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
