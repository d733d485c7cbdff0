"""Many learners at a time: failures apart, a stop in time, and numbers to follow."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import bulk
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.bulk import (
    Outcome,
    Progress,
    Run,
    UnwatchedError,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.calls import (
    Calls,
    LearnerError,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.errors import (
    GitLabUnavailableError,
)
from ansible_collections.mooc.atelier.plugins.module_utils._run.changes import Changes
from ansible_collections.mooc.atelier.plugins.plugin_utils._watched import (
    ProgressText,
    duration_text,
)


def unused() -> Calls:
    return Calls(lambda: None)  # type: ignore[arg-type, return-value]


def run(count: int, work: object, workers: int = 4, progress: Progress | None = None) -> Outcome:
    return Run(
        unused(),
        progress or Progress(None),
        workers=workers,
        name=str,
        work=work,  # type: ignore[arg-type]
        explain=str,
        fatal=lambda error: isinstance(error, PermissionError),
    ).over(range(count))


def test_each_item_once_and_never_more_at_a_time_than_allowed() -> None:
    lock, now, most, done = threading.Lock(), [0], [0], []

    def work(item: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.001)
        with lock:
            now[0] -= 1
            done.append(item)

    outcome = run(200, work, workers=5)
    assert sorted(done) == list(range(200))
    assert 1 < most[0] <= 5
    assert outcome == Outcome()


def test_a_failure_is_one_learners() -> None:
    def work(item: int) -> None:
        if item % 10 == 3:
            raise LearnerError(f"no {item}")

    outcome = run(50, work)
    assert outcome.failed == {str(n): f"no {n}" for n in (3, 13, 23, 33, 43)}
    assert outcome.stopped is None
    assert outcome.untried == []


def test_what_concerns_everybody_stops_the_run() -> None:
    done = []

    def work(item: int) -> None:
        if item == 20:
            raise PermissionError("token")
        done.append(item)

    outcome = run(1000, work, workers=2)
    assert isinstance(outcome.stopped, PermissionError)
    assert len(outcome.untried) + len(outcome.failed) + len(done) == 1000
    assert len(outcome.untried) > 900


def test_a_gitlab_that_is_down_stops_the_run_but_a_bad_moment_does_not() -> None:
    def moments(item: int) -> None:
        if item % 3 == 0:
            raise GitLabUnavailableError("bad moment")

    assert run(300, moments, workers=1).stopped is None

    def down(item: int) -> None:
        if item > 10:
            raise GitLabUnavailableError("down")

    outcome = run(300, down, workers=4)
    assert isinstance(outcome.stopped, GitLabUnavailableError)
    assert len(outcome.untried) > 250


def test_an_unwatched_run_ends_by_itself(tmp_path: Path) -> None:
    progress = Progress(str(tmp_path / "p"))
    progress.heartbeat()
    watched = tmp_path / "p/watched"
    watched.touch()
    progress.heartbeat()
    old = time.time() - bulk.UNWATCHED_AFTER - 1
    os.utime(watched, (old, old))
    with pytest.raises(UnwatchedError):
        progress.heartbeat()
    outcome = run(10000, lambda _item: time.sleep(0.01), progress=progress)
    assert isinstance(outcome.stopped, UnwatchedError)
    assert len(outcome.untried) > 9000
    assert outcome.failed == {}


def test_numbers_are_written_whole_and_not_too_often(tmp_path: Path) -> None:
    now = [0.0]
    progress = Progress(str(tmp_path / "p"), clock=lambda: now[0])
    progress.note = lambda: "GitLab asks to wait"
    progress.begin("learners", 100)
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o700
    file = tmp_path / "p/progress"
    assert json.loads(file.read_text())["total"] == 100
    stamp = file.stat().st_ino
    progress.step()
    assert file.stat().st_ino == stamp
    now[0] = 5.0
    progress.step(failed=1)
    assert json.loads(file.read_text()) == {
        "what": "learners", "done": 2, "failed": 1, "total": 100, "seconds": 5.0,
        "note": "GitLab asks to wait",
    }  # fmt: skip


def test_a_full_disk_does_not_stop_the_work(tmp_path: Path) -> None:
    progress = Progress(str(tmp_path / "p"))
    (tmp_path / "p/progress.new").mkdir()  # it cannot be written
    progress.begin("learners", 3)
    progress.step()
    progress.heartbeat()


def test_a_module_whose_folder_is_gone_stops(tmp_path: Path) -> None:
    """The playbook removes it when it is interrupted."""
    progress = Progress(str(tmp_path / "p"))
    progress.begin("learners", 3)
    progress.heartbeat()
    shutil.rmtree(tmp_path / "p")
    with pytest.raises(UnwatchedError):
        progress.heartbeat()


def test_lines_of_progress() -> None:
    progress_text = ProgressText("gitlab_learners", "mooc")
    first = {"what": "learners", "done": 90, "failed": 10, "total": 10000, "seconds": 10.0}
    assert progress_text.line(first) == (
        "gitlab_learners on mooc: learners: 100 of 10,000 (1 %), 10/s, 16 min 30 s left, 10 failed"
    )
    faster = {"what": "learners", "done": 4100, "failed": 0, "total": 10000, "seconds": 50.0}
    assert "4,100 of 10,000 (41 %), 100/s, 59 s left" in progress_text.line(faster)
    stuck = {**faster, "seconds": 200.0, "note": "GitLab asks to wait 20 s more (429)"}
    line = progress_text.line(stuck)
    assert "nothing new for 2 min 30 s" in line
    assert line.endswith("; GitLab asks to wait 20 s more (429)")
    assert progress_text.line(
        {"what": "accounts read", "done": 500, "total": None, "seconds": 2.0}
    ) == ("gitlab_learners on mooc: accounts read: 500, 250/s")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3599, "59 min 59 s"), (7500, "2 h 05 min")],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    assert duration_text(seconds) == words


def test_changes_drive_result_and_diff() -> None:
    changes = Changes(detailed=True)
    assert not changes.changed
    changes.note("b", "updated", {"name": "x"}, {"name": "y"})
    changes.note("a", "created", None, {"name": "z"})
    assert changes.changed
    assert changes.done == {"a": "created", "b": "updated"}
    assert changes.diff() == {
        "before": {"b": {"name": "x"}},
        "after": {"a": {"name": "z"}, "b": {"name": "y"}},
    }
    short = Changes(detailed=False)
    short.note("b", "updated", {"name": "x"}, {"name": "y"})
    assert short.changed
    assert short.diff() == {"before": {}, "after": {}}
