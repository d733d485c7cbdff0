"""A process we started is recognised again; another one with its number is left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from world import process
from world.notes import read_json


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.kill()
    child.wait()


def test_what_was_recorded_is_found_and_stopped(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record = tmp_path / "it.json"
    process.record(record, sleeper.pid, "sleeper", inputs="v1")
    assert process.alive(record) == sleeper.pid
    assert read_json(record)["inputs"] == "v1"
    assert process.stop(record)
    assert process.alive(record) is None
    assert not record.exists()


@pytest.mark.parametrize("key", ["birth", "boot"])
def test_a_stranger_with_the_same_number_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], key: str
) -> None:
    record = tmp_path / "it.json"
    process.record(record, sleeper.pid, "sleeper")
    record.write_text(json.dumps({**json.loads(record.read_text()), key: "another"}))
    assert process.alive(record) is None
    assert not process.stop(record)
    assert sleeper.poll() is None


def test_nothing_recorded_is_nothing_to_stop(tmp_path: Path) -> None:
    assert not process.stop(tmp_path / "absent.json")
