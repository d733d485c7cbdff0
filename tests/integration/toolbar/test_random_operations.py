"""Two servers, the web editor, dead networks and kills, in any order: no line is ever lost.

`ATELIER_TOOLBAR_STEPS` and `ATELIER_SEED` change length and course of the walk. One that
passed is not repeated within a day while what it goes through is the same; CI always walks.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.two_servers import BRANCH, GitLab, Ledger, Server, git
from world import passed, paths, seed
from world.images import digest

STEPS = int(os.environ.get("ATELIER_TOOLBAR_STEPS", "200"))  # make soak walks further
SEED = seed.current()
NAMES = [
    "notes.md",
    "exo.ipynb",
    "a b/été.Rmd",
    "-x.org",
    'journal "d\'ici".ipynb',
    "deux\nlignes.R",
    "data.tmp",
]
LOG = "toolbar-walk.log"
WALKED = (
    "files/toolbar",
    "requirements-dev.txt",
    "tests/gitlab_standin",
    "tests/integration/toolbar",
    "tests/world",
)
ROOM_BYTES = 300 * 10**6
CONFIGURATION = """
[user]
	name = Ada L
	email = ada@example.org
[init]
	defaultBranch = main
[core]
	fsync = none
"""  # fmt: skip


def notebook(cells: list[list[str]]) -> str:
    """A notebook as Jupyter writes it."""
    whole = {
        "cells": [
            {
                "cell_type": "code", "execution_count": number, "id": f"c{number}", "metadata": {},
                "outputs": [], "source": [f"{line}\n" for line in lines],
            }
            for number, lines in enumerate(cells)
        ],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


class Walk:
    """The world, and one random step after the other."""

    def __init__(self, place: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.gitlab = GitLab.start(place / "gitlab")
        first = place / "first"
        git(place, "init", "-q", "first")
        (first / "notes.md").write_text("".join(f"line {n}\n" for n in range(12)))
        (first / "exo.ipynb").write_text(notebook([[f"cell {n}"] for n in range(5)]))
        (first / ".gitignore").write_text("*.tmp\n")
        git(first, "add", "-A")
        git(first, "commit", "-qm", "files of the course")
        git(first, "push", "-q", self.gitlab.url, f"HEAD:{BRANCH}")
        self.servers = []
        for name in ("one", "two"):
            (place / name).mkdir()
            git(place / name, "clone", "-q", self.gitlab.url, "demo")
            self.servers.append(Server(place / name))
        self.servers[1].outputs = "strip"
        tops = [server.top for server in self.servers]
        self.ledger = Ledger([*tops, self.gitlab.bare], self.servers)

    def stop(self) -> None:
        for server in self.servers:
            server.stop()
        self.gitlab.stop()

    # what a learner does to files

    def _write(self, path: Path, content: bytes) -> None:
        """Save as Jupyter does: beside, then in place."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(".~saving")
        beside.write_bytes(content)
        beside.replace(path)
        self.ledger.saved(content)

    def _edited(self, content: bytes, name: str) -> bytes:
        line = self.ledger.new_line()
        if name.endswith(".ipynb"):
            try:
                whole = json.loads(content)
            except ValueError:
                whole = json.loads(notebook([["start"]]))
            cells = whole["cells"]
            if not cells or self.dice.random() < 0.2:
                cell = json.loads(notebook([[line]]))["cells"][0]
                cells.insert(self.dice.randint(0, len(cells)), {**cell, "id": line})
            else:
                self.dice.choice(cells)["source"].append(f"{line}\n")
            return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()
        lines = content.split(b"\n")
        lines.insert(self.dice.randrange(len(lines)), line.encode())
        return b"\n".join(lines)

    def _some_file(self, server: Server) -> str | None:
        names = sorted(server.files())
        return self.dice.choice(names) if names else None

    def edit(self, server: Server) -> None:
        name = self._some_file(server)
        path = server.top / (name or "notes.md")
        if path.name == ".gitignore":
            return
        self._write(path, self._edited(path.read_bytes() if path.exists() else b"", path.name))

    def new_file(self, server: Server) -> None:
        path = server.top / self.dice.choice(NAMES)
        if path.exists():
            return self.edit(server)
        content = (
            notebook([[self.ledger.new_line()]])
            if path.suffix == ".ipynb"
            else self.ledger.new_line() + "\n"
        )
        self._write(path, content.encode())
        return None

    def binary(self, server: Server) -> None:
        line = self.ledger.new_line().encode()
        self._write(server.top / "figure.png", b"\x89PNG\0" + line + b"\0" + self.dice.randbytes(8))
        self.ledger.given_up(set(self.ledger.lines))

    def delete(self, server: Server) -> None:
        name = self._some_file(server)
        if name and name != ".gitignore":
            (server.top / name).unlink()
            self.ledger.given_up(set(self.ledger.lines))

    def rename(self, server: Server) -> None:
        name = self._some_file(server)
        if name and name != ".gitignore":
            path = server.top / name
            path.rename(path.with_name(f"r{self.dice.randrange(4)}{path.suffix}"))
            self.ledger.given_up(set(self.ledger.lines))

    def stage(self, server: Server) -> None:
        """A learner who knows some git."""
        server.rest()
        if not (server.top / ".git/index.lock").exists():  # else git says so, and does nothing
            git(server.top, "add", "-A", "--", ".")

    def web(self, _: Server) -> None:
        def change(files: dict[str, bytes]) -> None:
            name = self.dice.choice([*files, *NAMES[:4]])
            if self.dice.random() < 0.1 and len(files) > 3:
                files.pop(name, None)
            elif name != ".gitignore":
                files[name] = self._edited(files.get(name, b""), name)

        self.gitlab.web_edit(change)
        self.ledger.look()
        self.ledger.lines |= self.ledger.committed

    # what the toolbar does

    def _finish(self, server: Server, command: str) -> None:
        """After a command that nobody killed."""
        found = server.end(command)
        assert found is not None
        problem = found.get("problem", {}).get("code")
        if problem:
            allowed = {"nothing"} | ({"offline"} if self.gitlab.closed else set())
            assert problem in allowed, found
            self.done[f"{command}: {problem}"] += 1
        self.done["kept beside"] += len(found.get("result", {}).get("kept_beside", []))
        assert not [*(server.top / ".git").rglob("*.lock")]
        assert sorted(p.name for p in (server.top / ".git/atelier").iterdir()) == ["lock"]
        git(server.top, "symbolic-ref", "HEAD")

    def save(self, server: Server) -> None:
        server.begin("save")
        self._finish(server, "save")

    def save_some(self, server: Server) -> None:
        names = sorted(server.files())
        server.begin("save", self.dice.sample(names, min(2, len(names))))
        self._finish(server, "save")

    def pull(self, server: Server) -> None:
        server.begin("pull")
        self._finish(server, "pull")

    def edit_while(self, server: Server) -> None:
        """Jupyter saves what it has in memory while a command is at work."""
        name = self._some_file(server)
        if name is None or name == ".gitignore":
            return
        command = self.dice.choice(["save", "pull", "pull"])
        path = server.top / name
        content = self._edited(path.read_bytes(), path.name)
        server.begin(command)
        time.sleep(self.dice.random() * server.typical.get(command, 0.1))
        self._write(path, content)
        self._finish(server, command)

    def both(self, _: Server) -> None:
        """Both servers at the same time."""
        for server in self.servers:
            server.begin("save")
        for server in self.servers:
            self._finish(server, "save")

    def kill(self, server: Server) -> None:
        command = self.dice.choice(["save", "save", "pull"])
        pid = server.begin(command)
        time.sleep(self.dice.random() * 1.1 * server.typical.get(command, 0.1))
        how = self.dice.choice(["everything", "everything", "a git", "the server alone"])
        if how == "everything":
            server.kill_all()
        elif how == "the server alone":
            server.kill_server(pid)
        really = server.kill_a_git(pid, self.dice) if how == "a git" else True
        ended = server.end(command)
        if really and (ended is None or how == "a git"):
            self.done[f"killed {how} in {command}"] += 1
        else:
            self.done["kill came too late"] += 1

    def offline(self, _: Server) -> None:
        self.gitlab.close(closed=not self.gitlab.closed)

    def step(self) -> None:
        weights = {
            self.edit: 34, self.new_file: 7, self.binary: 3, self.delete: 3, self.rename: 3,
            self.stage: 3, self.web: 7, self.save: 8, self.save_some: 4, self.pull: 8,
            self.edit_while: 5, self.both: 2, self.kill: 11, self.offline: 2,
        }  # fmt: skip
        if self.gitlab.closed:
            weights[self.offline] = 20
        action = self.dice.choices(list(weights), list(weights.values()))[0]
        self.done[action.__name__] += 1
        action(self.dice.choice(self.servers))
        self.ledger.check()

    def report(self, seconds: float) -> str:
        """How many of each operation, and of each kind of kill, really happened."""
        lines = [f"{sum(self.done.values())} events in {seconds:.0f} s, seed {SEED}:"]
        lines += [f"  {count:5} {name}" for name, count in sorted(self.done.items())]
        return "\n".join([*lines, f"  {len(self.ledger.lines)} lines in the ledger", ""])

    def settle(self) -> None:
        """GitLab answers again, and both servers send what they have."""
        self.gitlab.close(closed=False)
        for server in 3 * self.servers:  # what the last pulls kept beside is saved, too
            self.save(server)
            self.pull(server)
        for server in self.servers:
            self.pull(server)
        self.ledger.check()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is room, for the walk is long."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < ROOM_BYTES:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="atelier-walk-", dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def inputs() -> str:
    """What the walk's outcome depends on; the same that passed lately is not walked again."""
    programs = f"{git(paths.ROOT, '--version')}, Python {platform.python_version()}"
    wanted = digest(f"{STEPS} {SEED} {programs}", *(paths.ROOT / name for name in WALKED))
    if said := passed.lately("toolbar-walk", wanted):
        pytest.skip(f"{said} ({LOG})")
    passed.forget("toolbar-walk")
    return wanted


@pytest.fixture
def walk(inputs: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walk]:
    del inputs  # asked first: the world is not made for nothing
    (place / "gitconfig").write_text(CONFIGURATION)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(place / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    running = Walk(place, SEED)
    try:
        yield running
    finally:
        running.stop()


def test_no_line_is_ever_lost(walk: Walk, inputs: str, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    try:
        for number in range(STEPS):
            at = f"step {number} of seed {SEED}, after {dict(walk.done)}"
            walk.step()
        at = "settling"
        walk.settle()
    except AssertionError as error:
        error.add_note(at)
        raise
    finally:
        report = walk.report(time.monotonic() - began)
        paths.RESULTS.mkdir(exist_ok=True)
        (paths.RESULTS / LOG).write_text(report)
        with capsys.disabled():  # for who runs it alone; a worker's words are not shown
            print(f"\n{report}")
    one, two = walk.servers
    trees = {git(server.top, "rev-parse", "HEAD^{tree}") for server in (one, two)}
    assert trees == {git(walk.gitlab.bare, "rev-parse", f"{BRANCH}^{{tree}}")}
    for server in (one, two):
        for name, path in server.files().items():
            assert b"<<<<<<<" not in path.read_bytes(), name
            if name.endswith(".ipynb"):
                json.loads(path.read_bytes())
    killed = sum(count for name, count in walk.done.items() if name.startswith("killed"))
    assert killed > STEPS / 40
    passed.note("toolbar-walk", inputs)
