"""What a learner finds in their home folder after a start, whatever happened before."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from atelier_notebook import clone, git
from atelier_notebook.texts import Topic

from .conftest import ROOT, add_commit
from .conftest import git as run_git

ENOUGH = git.Limits(first_word=60, total=60)
SHORT = git.Limits(first_word=0.5, total=20)
LATER = time.time() + 60


def wanted(
    home: Path, url: str | Path, template: Path | None, limits: git.Limits = ENOUGH
) -> clone.Wanted:
    return clone.Wanted(home, "demo", str(url), template, limits)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/u1/demo.git"
        for connection in taken:
            connection.close()


def nothing_half_made(home: Path) -> bool:
    return not list(home.glob(".atelier-*"))


def test_a_first_start_clones_the_fork(home: Path, template: Path, fork: Path) -> None:
    outcome = clone.prepare(wanted(home, fork, template), LATER)
    place = home / "demo"
    assert (outcome.state, outcome.notices) == ("fork", [])
    assert (place / "mine.md").exists()
    assert run_git(place, "remote", "get-url", "origin") == str(fork)
    assert run_git(place, "status", "-sb").splitlines() == ["## main...origin/main"]
    assert nothing_half_made(home)


def test_without_a_mirror_the_fork_is_enough(home: Path, fork: Path) -> None:
    assert clone.prepare(wanted(home, fork, None), LATER).state == "fork"


@pytest.mark.parametrize("branch", ["main", "trunk"])
def test_the_branch_is_the_one_that_is_there(home: Path, template: Path, branch: str) -> None:
    run_git(template, "branch", "-m", "main", branch)
    clone.prepare(wanted(home, template, None), LATER)
    assert run_git(home / "demo", "symbolic-ref", "--short", "HEAD") == branch


def test_gitlab_refusing_gives_the_template(home: Path, template: Path) -> None:
    outcome = clone.prepare(wanted(home, "http://127.0.0.1:9/u1/demo.git", template), LATER)
    place = home / "demo"
    assert outcome.state == "template"
    assert [notice.topic for notice in outcome.notices] == [Topic.FROM_TEMPLATE]
    assert (place / "data" / "series.csv").exists()
    assert run_git(place, "remote", "get-url", "origin") == "http://127.0.0.1:9/u1/demo.git"
    assert run_git(place, "config", "branch.main.merge") == "refs/heads/main"


def test_gitlab_silent_costs_no_more_than_the_limit(
    home: Path, template: Path, silent_server: str
) -> None:
    began = time.monotonic()
    outcome = clone.prepare(wanted(home, silent_server, template, SHORT), LATER)
    assert outcome.state == "template"
    assert time.monotonic() - began < SHORT.total
    assert clone.FORK.first_word <= 10


def test_nothing_reachable_leaves_nothing_half_made(home: Path) -> None:
    outcome = clone.prepare(wanted(home, "http://127.0.0.1:9/u1/demo.git", None), LATER)
    assert outcome.state == "none"
    assert [notice.topic for notice in outcome.notices] == [Topic.NO_COPY]
    assert list(home.iterdir()) == []


def from_template(home: Path, template: Path, fork: Path) -> Path:
    """A clone made while the fork did not answer."""
    hidden = fork.rename(fork.with_name("hidden.git"))
    assert clone.prepare(wanted(home, fork, template), LATER).state == "template"
    hidden.rename(fork)
    return home / "demo"


def test_a_clone_of_the_template_catches_up(home: Path, template: Path, fork: Path) -> None:
    place = from_template(home, template, fork)
    outcome = clone.prepare(wanted(home, fork, template), LATER)
    assert (outcome.state, outcome.notices) == ("existing", [])
    assert (place / "mine.md").exists()
    assert run_git(place, "status", "-sb").splitlines() == ["## main...origin/main"]


def test_changes_keep_a_clone_from_catching_up(home: Path, template: Path, fork: Path) -> None:
    place = from_template(home, template, fork)
    (place / "exo.ipynb").write_text('{"my": "work"}\n')
    clone.prepare(wanted(home, fork, template), LATER)
    assert (place / "exo.ipynb").read_text() == '{"my": "work"}\n'
    assert not (place / "mine.md").exists()


def test_an_untracked_file_is_not_overwritten(home: Path, template: Path, fork: Path) -> None:
    place = from_template(home, template, fork)
    (place / "mine.md").write_text("something else\n")
    clone.prepare(wanted(home, fork, template), LATER)
    assert (place / "mine.md").read_text() == "something else\n"


def test_commits_keep_a_clone_from_catching_up(home: Path, template: Path, fork: Path) -> None:
    place = from_template(home, template, fork)
    (place / "exo.ipynb").write_text('{"my": "work"}\n')
    run_git(place, "commit", "-qam", "my work")
    mine = run_git(place, "rev-parse", "HEAD")
    clone.prepare(wanted(home, fork, template), LATER)
    assert run_git(place, "rev-parse", "HEAD") == mine


def test_a_clone_in_use_is_left_as_it_is(home: Path, template: Path, fork: Path) -> None:
    place = home / "demo"
    clone.prepare(wanted(home, fork, template), LATER)
    (place / "exo.ipynb").write_text("unsaved\n")
    (place / "new.md").write_text("new\n")
    add_commit(fork, "later.md", "later\n")
    before = run_git(place, "status", "--porcelain")
    outcome = clone.prepare(wanted(home, fork, template), LATER)
    assert outcome.state == "existing"
    assert run_git(place, "status", "--porcelain") == before
    assert not (place / "later.md").exists()


def test_origin_is_always_the_fork(home: Path, template: Path, fork: Path) -> None:
    clone.prepare(wanted(home, fork, template), LATER)
    moved = fork.rename(fork.with_name("moved.git"))
    clone.prepare(wanted(home, moved, template), LATER)
    assert run_git(home / "demo", "remote", "get-url", "origin") == str(moved)


@pytest.mark.parametrize("what", ["folder", "file", "broken link", "broken clone"])
def test_what_had_the_name_is_kept_beside(
    home: Path, template: Path, fork: Path, what: str
) -> None:
    place = home / "demo"
    if what == "folder":
        place.mkdir()
        (place / "work.txt").write_text("mine\n")
    elif what == "file":
        place.write_text("mine\n")
    elif what == "broken link":
        place.symlink_to("nowhere")
    else:
        clone.prepare(wanted(home, fork, template), LATER)
        (place / "work.txt").write_text("mine\n")
        (place / ".git" / "HEAD").write_text("")
    (home / "demo (yours)").mkdir()
    outcome = clone.prepare(wanted(home, fork, template), LATER)
    beside = home / "demo (yours 2)"
    assert outcome.state == "fork"
    assert [(n.topic, n.name) for n in outcome.notices] == [(Topic.KEPT_BESIDE, beside.name)]
    assert os.path.lexists(beside)
    if beside.is_dir():
        assert (beside / "work.txt").read_text() == "mine\n"
    assert (place / "mine.md").exists()


def test_what_had_the_name_stays_when_there_is_nothing_better(home: Path) -> None:
    (home / "demo").mkdir()
    (home / "demo" / "work.txt").write_text("mine\n")
    clone.prepare(wanted(home, "http://127.0.0.1:9/x.git", None), LATER)
    assert (home / "demo" / "work.txt").read_text() == "mine\n"


def test_an_empty_folder_is_no_loss(home: Path, fork: Path) -> None:
    (home / "demo").mkdir()
    outcome = clone.prepare(wanted(home, fork, None), LATER)
    assert (outcome.state, outcome.notices) == ("fork", [])
    assert [path.name for path in home.iterdir()] == ["demo"]


def test_a_lock_of_a_dead_git_is_removed(
    home: Path, template: Path, fork: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.prepare(wanted(home, fork, template), LATER)
    place = home / "demo"
    old, ref, young = (
        place / ".git" / "index.lock",
        place / ".git" / "refs" / "heads" / "main.lock",
        place / ".git" / "config.lock",
    )
    for lock in (old, ref, young):
        lock.touch()
    for lock in (old, ref):
        os.utime(lock, (1000, 1000))
    monkeypatch.setattr(clone, "git_is_running", lambda: True)
    assert clone.remove_stale_locks(place, before=2000) == []
    monkeypatch.setattr(clone, "git_is_running", lambda: False)
    assert clone.remove_stale_locks(place, before=2000) == ["index.lock", "refs/heads/main.lock"]
    assert young.exists()


def end_all_in(folder: Path) -> None:
    """End the processes at work in a folder: a container that is killed leaves none."""
    found = True
    while found:
        found = False
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                here = (process / "cwd").readlink().is_relative_to(folder)
                if here or os.fsencode(folder) in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
                    found = True


@pytest.mark.long
def test_killed_at_any_moment_leaves_nothing_or_everything(
    home: Path, template: Path, fork: Path
) -> None:
    """A start killed after 0, 10, 20, ... ms; the next one always ends with a whole clone."""
    program = (
        "import sys, pathlib\n"
        f"sys.path.insert(0, {str(ROOT / 'files/course-image/src')!r})\n"
        "from atelier_notebook import clone, git\n"
        "home, fork, template = map(pathlib.Path, sys.argv[1:])\n"
        "wanted = clone.Wanted(home, 'demo', str(fork), template)\n"
        "print('go', flush=True)\n"
        "clone.prepare(wanted, 0)\n"
        "print('done', flush=True)\n"
    )
    states = set()
    for delay in range(0, 200, 10):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(home), str(fork), str(template)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(delay / 1000)
            process.send_signal(signal.SIGKILL)
        end_all_in(home)
        place = home / "demo"
        states.add(place.exists())
        if place.exists():
            assert run_git(place, "status", "--porcelain") == ""
            assert (place / "mine.md").exists()
            shutil.rmtree(place)
    outcome = clone.prepare(wanted(home, fork, template), LATER)
    assert outcome.state == "fork"
    assert nothing_half_made(home)
    assert False in states
