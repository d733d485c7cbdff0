"""Runs of a course's pipeline that are killed, or at work at the same time."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.course_source import Course, course_site, git


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    with course_site(tmp_path) as made:
        yield made


def test_two_runs_at_once_wait_for_each_other(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.run()
    with (course.state / "pipeline/rr1.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert course.run("update", "--wait", "0") == 1
        assert "is still at work" in capsys.readouterr().err
        made = course.commit("more.md", "more\n")
        done: list[int] = []
        both = [threading.Thread(target=lambda: done.append(course.run())) for _ in range(2)]
        for one in both:
            one.start()
        assert done == []
    for one in both:
        one.join()
    assert done == [0, 0]
    assert course.live()[:3] == (made, made, made)


def test_the_lock_lasts_until_git_has_ended(course: Course, tmp_path: Path) -> None:
    """A run that was killed may leave git at work."""
    course.run()
    started, go = tmp_path / "started", tmp_path / "go"
    os.mkfifo(started)
    os.mkfifo(go)
    helper = tmp_path / "bin/ssh"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\necho > {started}\nread line < {go}\n")
    helper.chmod(0o755)
    course.write_settings(template={"repository": "git@slow.example:x.git"})

    def slow() -> None:
        os.environ["PATH"] = f"{helper.parent}:{os.environ['PATH']}"
        course.run()

    pid = forked(slow)
    started.read_text()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    course.write_settings()
    assert course.run("update", "--wait", "0") == 1
    go.write_text("\n")
    assert course.run("update", "--wait", "60") == 0


def forked(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def killed_at(course: Course, moment: int) -> bool:
    """Run in a process that is killed before its n-th git or change of a file's name."""

    def work() -> None:
        left = moment

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*given, **named)

            return call

        subprocess.run = counted(subprocess.run)
        for name in ("rename", "replace", "chmod"):
            setattr(Path, name, counted(getattr(Path, name)))
        os.fsync = counted(os.fsync)
        os._exit(course.run())

    pid = forked(work)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


@pytest.mark.long
@pytest.mark.parametrize("first", [True, False], ids=["first run", "later run"])
def test_a_run_killed_anywhere_leaves_old_or_new(course: Course, first: bool) -> None:
    moment = 0
    if not first:
        course.run()
    while True:
        old = None if first else course.head(course.mirror)
        new = course.commit("more.md", f"{moment}\n")
        killed = killed_at(course, moment)
        if course.mirror.exists():
            assert course.head(course.mirror) in (old, new)
            git("fsck", "--strict", cwd=course.mirror)
        else:
            assert first
        if course.declaration.exists():
            written = json.loads(course.declaration.read_text())
            assert written["commit"] in (old, new)
        if not killed:
            break
        assert course.run() == 0
        assert course.live()[:3] == (new, new, new)
        left = [path.name for path in course.declaration.parent.iterdir()]
        assert sorted(left) == ["rr1.git", "rr1.json"]
        if first:
            for path in (course.state, course.gitlab.folder):
                subprocess.run(["rm", "-rf", str(path)], check=True)
            course.gitlab.objects = {"groups": {}, "projects": {}}
        moment += 1
    assert moment > 20


def test_a_lock_that_a_killed_git_left_is_no_obstacle(course: Course) -> None:
    course.run()
    made = course.commit("more.md", "more\n")
    for repository in (course.mirror, course.state / "pipeline/rr1.git"):
        (repository / "refs/heads/main.lock").touch()
        (repository / "packed-refs.lock").touch()
    assert course.run() == 0
    assert course.head(course.mirror) == made
