"""A module that goes on in the background: its result is there as a whole, however it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._run import background
from world import paths

_MODULE = """
import os, signal, sys, time
from pathlib import Path
from ansible_collections.mooc.atelier.plugins.module_utils._run.background import detach
detach(Path(sys.argv[1]))
{work}
"""


def run(folder: Path, work: str) -> dict[str, Any]:
    """Start a module that does this in the background; what it says at once."""
    done = subprocess.run(
        [sys.executable, "-c", _MODULE.format(work=work), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(paths.link_collection())},
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def result(folder: Path) -> dict[str, Any]:
    """The result, as soon as it is there."""
    until = time.monotonic() + 60
    while not (folder / background.RESULT).exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    found: dict[str, Any] = json.loads((folder / background.RESULT).read_text())
    return found


def test_the_work_outlives_the_process_that_was_started(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    gate = tmp_path / "gate"
    told = run(
        folder,
        f"while not Path({str(gate)!r}).exists(): time.sleep(0.02)\n"
        "print(); print('{\"changed\": true}')",
    )
    assert told["kept_by"] > 1
    assert not (folder / background.RESULT).exists()
    assert folder.stat().st_mode & 0o777 == 0o700
    gate.touch()
    assert result(folder) == {"changed": True}
    assert (folder / background.RESULT).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("work", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed (SIGKILL) before it was done"),
        ("print('half {'); os._exit(3)", "ended with status 3"),
        ("raise ValueError('why')", "ValueError: why"),
    ],
)
def test_an_end_without_a_result_is_told(tmp_path: Path, work: str, words: str) -> None:
    run(tmp_path / "run", work)
    told = result(tmp_path / "run")
    assert told["failed"]
    assert words in told["msg"]
    assert "run it again" in told["msg"]


def test_a_folder_that_is_there_already_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(tmp_path, "print('{}')")
    assert "FileExistsError" in caught.value.stderr
