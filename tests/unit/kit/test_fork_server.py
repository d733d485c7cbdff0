"""Programs that a server forks are like processes that began by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from kit import fork_server
from kit.site import until

MAIN = """
import json, os, sys, tempfile, time
from pathlib import Path
open_files = sorted(os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.is_symlink())
known = {
    "words": sys.argv[1:],
    "environment": dict(os.environ),
    "folder": os.getcwd(),
    "first": sys.path[:2],
    "kit": any(Path(one, "kit").is_dir() for one in sys.path),
    "imported": "wave" in sys.modules,
    "customized": sys.modules["sitecustomize"].WORD,
    "temporary": tempfile.gettempdir(),
    "input": sys.stdin.read(),
    "sockets": sum(one.startswith("socket:") for one in open_files),
}
print(json.dumps(known))
print("wrong", file=sys.stderr)
if "wait" in sys.argv:
    Path("begun").touch()
    time.sleep(600)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def server() -> str:
    return fork_server.of("wave")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(MAIN)
    (tmp_path / "sitecustomize.py").write_text("WORD = 'mine'")
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(folder), "TMPDIR": str(folder), "NAME": "Ada"}


def test_a_fork_has_what_a_new_process_has(server: str, program: Path) -> None:
    env = environment(program)
    done = fork_server.run(server, ["program", "-x"], cwd=program, env=env)
    said = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (3, "wrong\n")
    assert said == {
        "words": ["-x"],
        "environment": env,
        "folder": str(program),
        "first": [str(program), str(program)],
        "kit": False,
        "imported": True,
        "customized": "mine",
        "temporary": str(program),
        "input": "",
        "sockets": 0,
    }


def test_several_run_at_once_and_each_ends_when_it_is_told(server: str, program: Path) -> None:
    words, env = ["program", "wait"], environment(program)
    with tempfile.TemporaryFile() as log:
        one, two = (
            fork_server.fork(server, words, cwd=program, env=env, output=log) for _ in range(2)
        )
    until((program / "begun").exists, "it has begun")
    assert (one.poll(), two.poll()) == (None, None)
    with pytest.raises(subprocess.TimeoutExpired):
        one.wait(0.01)
    one.terminate()
    two.kill()
    assert (one.wait(30), two.wait(30)) == (-15, -9)
    assert (one.poll(), two.poll()) == (-15, -9)
    one.kill()  # a number that may be another process's by now is sent nothing


def test_what_takes_too_long_is_killed(server: str, program: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        fork_server.run(
            server, ["program", "wait"], cwd=program, env=environment(program), seconds=1
        )


OWNER = """
import os, sys
from pathlib import Path
from kit import fork_server
folder = Path(sys.argv[1])
with (folder / "log").open("wb") as log:
    fork = fork_server.fork(
        fork_server.of(), ["program", "wait"], cwd=folder, env=dict(os.environ), output=log
    )
print(fork.pid, flush=True)
sys.stdin.readline()
if sys.argv[2] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["killed", "ended"])
def test_nothing_outlives_its_owner(program: Path, end: str) -> None:
    path = os.pathsep.join([str(program), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(program), end],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        until((program / "begun").exists, "it has begun")
        owner.communicate("\n", timeout=60)
    until(lambda: not Path(f"/proc/{pid}").exists(), "its fork has ended")
