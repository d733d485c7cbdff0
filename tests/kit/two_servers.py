"""A GitLab of one project, two servers of one learner, and a ledger of every line ever saved."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from gitlab_standin.testing import free_port

HERE = Path(__file__).parent
CREDENTIAL_HELPER = """#!/bin/sh
# lends the token as the desk does: from a place that is neither configuration nor environment
[ "$1" = get ] && { printf 'username=learner\\npassword='; cat "$(dirname "$0")/lent"; echo; }
exit 0
"""
LINE = re.compile(rb"L\d{6}x")
BRANCH = "main"


def git(folder: Path, *arguments: str, given: bytes | None = None, **extra: str) -> str:
    """Run git; fail when it fails."""
    done = subprocess.run(
        ["git", "-C", folder, *arguments],
        input=given,
        capture_output=True,
        env={**os.environ, **extra},
        check=False,
    )
    assert done.returncode == 0, (arguments, os.fsdecode(done.stderr))
    return os.fsdecode(done.stdout).strip()


@dataclass
class GitLab:
    """A bare repository behind HTTP, which can be closed."""

    root: Path
    port: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, root: Path, token: str | None = None) -> GitLab:
        """Serve the projects below `root`."""
        root.mkdir(parents=True, exist_ok=True)
        port = free_port()
        environment = {**os.environ, **({"GIT_SERVER_TOKEN": token} if token else {})}
        command = [sys.executable, str(HERE / "git_server.py"), str(port), str(root)]
        process = subprocess.Popen(command, env=environment)
        server = cls(root, port, process)
        git(root, "init", "-q", "--bare", "u1/demo.git")
        git(server.bare, "config", "http.receivepack", "true")
        while True:
            assert process.poll() is None
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        return server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/u1/demo.git"

    @property
    def bare(self) -> Path:
        return self.root / "u1/demo.git"

    @property
    def closed(self) -> bool:
        return (self.root / "closed").exists()

    def close(self, *, closed: bool) -> None:
        """Answer nobody any more, or answer again."""
        if closed:
            (self.root / "closed").touch()
        else:
            (self.root / "closed").unlink(missing_ok=True)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def web_edit(self, change: Callable[[dict[str, bytes]], None]) -> None:
        """Commit to the branch as the web editor does: on what is there now."""
        head = git(self.bare, "rev-parse", BRANCH)
        files = {
            path: (self.blob(f"{head}:{path}"))
            for path in git(self.bare, "ls-tree", "-r", "-z", "--name-only", head).split("\0")
            if path
        }
        before = dict(files)
        change(files)
        index = self.root / "web-index"
        index.unlink(missing_ok=True)
        git(self.bare, "read-tree", head, GIT_INDEX_FILE=str(index))
        entries = []
        for path in before.keys() | files.keys():
            if path not in files:
                entries.append(f"0 {'0' * 40}\t{path}\0")
            elif before.get(path) != files[path]:
                oid = git(self.bare, "hash-object", "-w", "--stdin", given=files[path])
                entries.append(f"100644 {oid}\t{path}\0")
        listed = "".join(entries).encode()
        apart = str(index)
        git(self.bare, "update-index", "-z", "--index-info", given=listed, GIT_INDEX_FILE=apart)
        tree = git(self.bare, "write-tree", GIT_INDEX_FILE=apart)
        commit = git(self.bare, "commit-tree", tree, "-p", head, "-m", "on the web")
        git(self.bare, "update-ref", f"refs/heads/{BRANCH}", commit, head)

    def blob(self, name: str) -> bytes:
        return subprocess.run(
            ["git", "-C", self.bare, "cat-file", "blob", name], capture_output=True, check=True
        ).stdout


@dataclass
class Server:
    """One of the learner's servers: a clone, and a process that does the commands."""

    root: Path
    outputs: str = "keep"
    typical: dict[str, float] = field(default_factory=dict)
    """Seconds that a command takes, as seen lately."""

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "operate.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    @property
    def top(self) -> Path:
        return self.root / "demo"

    def files(self) -> dict[str, Path]:
        """What the learner sees, by name."""
        return {
            str(path.relative_to(self.top)): path
            for path in self.top.rglob("*")
            if ".git" not in path.relative_to(self.top).parts and not path.is_dir()
        }

    def stop(self) -> None:
        self._kill_below()
        self._process.kill()
        self._process.wait()

    def begin(self, command: str, files: list[str] | None = None) -> int:
        """Begin a command; return the number of the process that does it."""
        self._answer = self.root / "answer.json"
        self._answer.unlink(missing_ok=True)
        asked: dict[str, Any] = {"path": "demo", "message": f"{command}", "lang": "en"}
        asked |= {"files": None if files is None else [f"demo/{name}" for name in files]}
        order = {
            "command": command, "root": str(self.root), "asked": asked,
            "outputs": self.outputs, "answer": str(self._answer),
        }  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._began = time.monotonic()
        return int(self._say())

    def _say(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server's process is gone"
        return line

    def end(self, command: str) -> dict[str, Any] | None:
        """Wait for the command; its last line, or None when it was killed before."""
        self._say()
        if not self._answer.exists():
            return None
        taken = time.monotonic() - self._began
        self.typical[command] = 0.8 * self.typical.get(command, taken) + 0.2 * taken
        found: dict[str, Any] = json.loads(self._answer.read_text())
        assert "error" not in found, found["error"]
        return found

    def run(self, command: str, files: list[str] | None = None) -> dict[str, Any]:
        """Do a command to its end."""
        self.begin(command, files)
        found = self.end(command)
        assert found is not None
        return found

    def _below(self) -> list[psutil.Process]:
        try:
            return list(psutil.Process(self._process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def rest(self) -> None:
        """Wait for the gits that a killed command left behind."""
        while any(_is_alive(process) for process in self._below()):
            time.sleep(0.01)

    def kill_all(self) -> None:
        """Kill the command and every git below it, as a container that stops does."""
        self._kill_below()

    def _kill_below(self) -> None:
        while sum(self._kill_one(process) for process in self._below()):
            time.sleep(0.002)

    def _kill_one(self, process: psutil.Process) -> bool:
        """Kill a process; False when it was dead already."""
        if not _is_alive(process):
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
        return True

    def kill_a_git(self, pid: int, dice: random.Random) -> bool:
        """Kill one git process of the command, as a machine short of memory does."""
        found = [p for p in self._below() if p.pid != pid]
        try:
            if found:
                dice.choice(found).kill()
                return True
        except psutil.NoSuchProcess:
            pass
        return False

    def kill_server(self, pid: int) -> None:
        """Kill the command alone: its git goes on without it."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _reference_files(repository: Path) -> set[tuple[str, int]]:
    """What tells that no reference has moved, without asking git."""
    inside = repository / ".git" if (repository / ".git").exists() else repository
    found = [inside / "packed-refs", *(inside / "refs").rglob("*")]
    seen = set()
    for path in found:
        with contextlib.suppress(FileNotFoundError):  # a git without a parent may still work
            seen.add((str(path), path.stat().st_mtime_ns))
    return seen


@dataclass
class Ledger:
    """Every line that was ever saved in a file, and where it can be found."""

    repositories: list[Path]
    servers: list[Server]
    lines: set[bytes] = field(default_factory=set)
    committed: set[bytes] = field(default_factory=set)
    """Lines in objects that references reach."""
    _tips: dict[Path, set[str]] = field(default_factory=dict)
    _seen: dict[Path, set[tuple[str, int]]] = field(default_factory=dict)
    _number: int = 0

    def new_line(self) -> str:
        """A line nobody wrote before."""
        self._number += 1
        return f"L{self._number:06d}x"

    def in_files(self) -> set[bytes]:
        """Lines in files that the learner sees."""
        found: set[bytes] = set()
        for server in self.servers:
            for path in server.files().values():
                if not path.is_symlink():
                    found.update(LINE.findall(path.read_bytes()))
        return found

    def look(self) -> None:
        """Read what references reach now; no reference may have let go of anything."""
        for repository in self.repositories:
            files = _reference_files(repository)
            if self._seen.get(repository) == files:
                continue
            self._seen[repository] = files
            tips = set(git(repository, "for-each-ref", "--format=%(objectname)").split())
            before = self._tips.get(repository, set())
            if tips == before:
                continue
            gone = (
                git(repository, "rev-list", *sorted(before - tips), "--not", *sorted(tips))
                if before - tips
                else ""
            )
            assert gone == "", f"no reference reaches {gone} any more in {repository}"
            new = git(
                repository,
                "rev-list",
                "--objects",
                *sorted(tips - before),
                "--not",
                *sorted(before),
            )
            oids = "".join(line.split(" ")[0] + "\n" for line in new.splitlines())
            content = subprocess.run(
                ["git", "-C", repository, "cat-file", "--batch"],
                input=oids.encode(), capture_output=True, check=True,
            ).stdout  # fmt: skip
            self.committed.update(LINE.findall(content))
            self._tips[repository] = tips

    def saved(self, content: bytes) -> None:
        """The learner saved a file: its lines count from now on."""
        self.lines.update(LINE.findall(content))

    def given_up(self, lines: set[bytes]) -> None:
        """The learner took lines out of a file: they count only where they are also elsewhere."""
        self.look()
        elsewhere = self.committed | self.in_files()
        self.lines -= {line for line in lines if line not in elsewhere}

    def check(self) -> None:
        """Fail when a line is nowhere any more."""
        self.look()
        missing = self.lines - self.committed
        if missing:
            missing -= self.in_files()
        assert not missing, f"lost: {sorted(missing)[:5]}"
