"""The clone is made while the server starts, and the server opens when it is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from atelier_notebook import gate

SOURCES = Path(__file__).resolve().parents[3] / "files/course-image/src"
# The first program becomes the second, as atelier-start becomes the notebook server.
ENTRY = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {sources!r})
from atelier_notebook import gate

made = Path("made")

def job():
    {job}

gate.meanwhile(job)
print("starts", "made" if made.exists() else "unmade", flush=True)
os.execv(sys.executable, [sys.executable, "-c", Path("server.py").read_text()])
"""
SERVER = """
import logging, os, sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, {sources!r})
from atelier_notebook import gate

logging.basicConfig(stream=sys.stdout, format="%(message)s", level="INFO")
gate._load_jupyter_server_extension(SimpleNamespace(log=logging.getLogger()))
print("opens", "made" if Path("made").exists() else "unmade", gate.VARIABLE in os.environ)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody is left")
"""


@pytest.mark.parametrize(
    ("job", "opens"),
    [
        ("time.sleep(0.5); made.touch()", "made"),
        ("raise RuntimeError('the clone cannot be made')", "unmade"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "unmade"),
    ],
)
def test_the_server_opens_when_the_clone_is_made_or_cannot_be(
    tmp_path: Path, job: str, opens: str
) -> None:
    (tmp_path / "server.py").write_text(SERVER.format(sources=str(SOURCES)))
    done = subprocess.run(
        [sys.executable, "-c", ENTRY.format(sources=str(SOURCES), job=job)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = done.stdout.splitlines()
    assert said[0] == "starts unmade"
    assert said[1:] == ["the clone is prepared", f"opens {opens} False", "nobody is left"]


def test_a_server_started_otherwise_waits_for_nobody() -> None:
    assert gate.wait({}) is False
    assert gate.wait({gate.VARIABLE: "nonsense"}) is False
