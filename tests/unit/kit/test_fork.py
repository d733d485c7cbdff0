"""A fork is like a new Python, but for packages that were imported once for all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from world import paths

PARENT = """
import os, signal, sys
from pathlib import Path
from kit.fork import Forked, import_once

source, log = map(Path, sys.argv[1:])
lock = open(source / "lock", "w")
os.register_at_fork(after_in_child=lock.close)
import_once(["wave", "wave.open", "no_such_module"])
sys.path.insert(0, str(source))
import atelier.words
(source / "atelier/words.py").write_text("WORD = 'changed'")
with log.open("wb") as output:
    env = {"NAME": "Ada"}
    fork = Forked("desk", ["atelier.main", "-x"], source=source, cwd=source, env=env, output=output)
print(fork.pid, fork.wait(60), fork.poll())
"""
MAIN = """
import atexit, json, os, signal, sys
from pathlib import Path
from atelier.words import WORD
if __name__ == "__main__":
    atexit.register(lambda: print("the end"))
    print(json.dumps([WORD, sys.argv[1:], dict(os.environ), os.getcwd(), "wave" in sys.modules]))
    open_files = {os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()}
    print("lock" in {Path(one).name for one in open_files}, os.getsid(0) == os.getpid())
    %s
"""


@pytest.mark.parametrize(
    ("last", "code"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('no')", 1),
        ("raise ValueError('wrong')", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    ],
)
def test_it_runs_a_module_as_python_does(tmp_path: Path, last: str, code: int) -> None:
    package = tmp_path / "atelier"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "words.py").write_text("WORD = 'first'")
    (package / "main.py").write_text(MAIN % last)
    log = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-c", PARENT, str(tmp_path), str(log)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT / "tests"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout.split()[1:] == [str(code), str(code)], done.stderr
    said = log.read_text()
    if code >= 0:  # else it could not even write
        first, second, *rest = said.splitlines()
        assert first == f'["changed", ["-x"], {{"NAME": "Ada"}}, "{tmp_path}", true]'
        assert second == "False True", "the lock stays with its owner; Ctrl+C too"
        assert rest[-1] == "the end"
        assert ("ValueError: wrong" in said) == ("ValueError" in last)


@pytest.mark.parametrize("said", ["", "1"])
def test_its_environment_says_whether_it_writes_bytecode(tmp_path: Path, said: str) -> None:
    """`make dev` itself does; of two changes within a second the fork could overlook one."""
    package = tmp_path / "atelier"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "words.py").write_text("WORD = 'first'")
    (package / "main.py").write_text("import sys\nfrom atelier.words import WORD\n")
    parent = PARENT.replace('{"NAME": "Ada"}', f'{{"PYTHONDONTWRITEBYTECODE": "{said}"}}')
    parent = parent.replace("import atelier.words", "")
    cache = tmp_path / "bytecode"
    subprocess.run(
        [sys.executable, "-c", parent, str(tmp_path), str(tmp_path / "log")],
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": str(paths.ROOT / "tests"),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(cache),
        },
    )
    assert bool(list(cache.rglob("words.*.pyc"))) == (said == "")
