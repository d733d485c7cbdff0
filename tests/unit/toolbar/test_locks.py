"""Commands that meet, and commands that were killed."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest
from atelier_toolbar import locks
from atelier_toolbar.kept import KEPT

from .conftest import Desk, git, problem_of


def lock_files(desk: Desk) -> list[str]:
    return sorted(path.name for path in (desk.top / ".git").rglob("*.lock"))


def test_locks_of_a_killed_git_are_removed(desk: Desk, gitlab: Path) -> None:
    names = ["index.lock", "HEAD.lock", "packed-refs.lock", "config.lock"]
    names += ["refs/heads/main.lock", "logs/refs/heads/main.lock", "objects/info/alternates.lock"]
    for name in names:
        (desk.top / ".git" / name).touch()
    desk.write("notes.md", "mine\n")
    desk.save()
    assert git(gitlab, "show", "main:notes.md") == "mine"
    assert lock_files(desk) == []


def test_the_lock_of_a_program_at_work_is_respected(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks.clear, "__defaults__", (0.2,))
    lock = desk.top / ".git" / "index.lock"
    desk.write("notes.md", "mine\n")
    with lock.open("w"):
        assert problem_of(desk.save) == {"code": "busy", "detail": "index.lock"}
        assert lock.exists()
    assert desk.save()["files"] == 1


def test_a_terminals_git_at_work_is_waited_for(desk: Desk) -> None:
    """git holds its lock while it asks for a message; then it ends."""
    desk.write("notes.md", "mine\n")
    editor = desk.root / "editor"
    editor.write_text("#!/bin/sh\nsleep 1\necho from a terminal > $1\n")
    editor.chmod(0o755)
    process = subprocess.Popen(
        ["git", "-c", f"core.editor={editor}", "commit", "-qa"], cwd=desk.top
    )
    while not (desk.top / ".git/index.lock").exists():
        assert process.poll() is None
    desk.save()
    assert process.wait() == 0
    assert git(desk.top, "log", "-1", "--format=%s") == "from a terminal"


def test_two_windows_save_one_after_the_other(desk: Desk, gitlab: Path) -> None:
    for number in range(4):
        desk.write(f"file {number}.md", f"{number}\n")
    problems: list[BaseException] = []

    def save(number: int) -> None:
        try:
            desk.save(f"file {number}.md")
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert git(gitlab, "log", "--format=%s", "main").count("work") == 4


def test_a_second_command_waits_and_then_says_busy(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks.operation.__wrapped__, "__defaults__", (0.2,))  # type: ignore[attr-defined]
    with locks.operation(desk.top / ".git"):
        assert problem_of(desk.pull)["code"] == "busy"
        assert desk.status()["busy"]
    assert not desk.status()["busy"]


def test_a_question_waits_for_the_one_that_the_bar_has_just_asked(desk: Desk) -> None:
    asking = threading.Event()

    def ask() -> None:
        with locks.operation(desk.top / ".git"):
            asking.set()
            time.sleep(0.5)

    bar = threading.Thread(target=ask)
    bar.start()
    asking.wait()
    told = desk.status(ask=True)
    bar.join()
    assert (told["gitlab"], told["busy"]) == ("reached", False)


def test_the_lock_lasts_as_long_as_the_last_git(desk: Desk) -> None:
    """A server that is killed leaves its git running: nobody may work beside that one."""
    common = desk.top / ".git"
    with locks.operation(common) as lock:
        orphan = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    try:
        assert locks.is_busy(common)
    finally:
        orphan.kill()
        orphan.wait()
    assert not locks.is_busy(common)


def test_what_a_killed_pull_had_in_its_hands_is_reachable(desk: Desk) -> None:
    stage = desk.top / ".git/atelier/stage-1/new"
    stage.mkdir(parents=True)
    (stage / "notes.md").write_text("displaced, perhaps never stored\n")
    (desk.top / ".git/atelier/scratch-1").mkdir()
    desk.pull()
    (kept,) = git(desk.top, "for-each-ref", "--format=%(refname)", KEPT).splitlines()
    names = git(desk.top, "ls-tree", "--name-only", kept)
    assert git(desk.top, "show", f"{kept}:{names}") == "displaced, perhaps never stored"
    left = [path.name for path in (desk.top / ".git/atelier").iterdir()]
    assert left == ["lock"]
