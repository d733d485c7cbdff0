"""`atelier-course` waits for GitLab, and gives up, as the desk and the modules do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from atelier.courses import gitlab_projects
from atelier.gitlab import calls
from kit.clock import Clock
from kit.course_source import Course, course_site

DOING = "keeping the projects of rr1"


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    with course_site(tmp_path) as made:
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.drive(monkeypatch, calls)
    return clock


def test_bad_moments_of_gitlab_are_not_noticed(course: Course, clock: Clock) -> None:
    course.gitlab.faults = [(429, {"Retry-After": "60"}), (502, {}), "lost", (429, {}), "lost"]
    began = clock.now
    assert course.run() == 0
    assert 60 <= clock.now - began < 70
    assert course.live()[0] == course.head(course.source)
    made = [path for method, path, _ in course.gitlab.writes if method == "POST"]
    assert [path.rpartition("/")[2] for path in made] == ["groups", "projects", "members"]


@pytest.mark.parametrize(
    ("pause", "words", "tries"),
    [
        ("3600", "GitLab asks to wait 3600 s before the next request (429)", 1),
        ("110", "no answer within 300 s", 3),
    ],
)
def test_a_gitlab_that_stays_busy_is_said_in_bounded_time(
    course: Course,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    pause: str,
    words: str,
    tries: int,
) -> None:
    course.gitlab.faults = [(429, {"Retry-After": pause})] * 20
    began = clock.now
    assert course.run() == 1
    assert f"{course.gitlab.url}: {DOING}: {words}" in capsys.readouterr().err
    assert clock.now - began <= gitlab_projects.RUN_SECONDS
    assert len(course.gitlab.asked) == tries
    assert not course.mirror.exists()


def test_a_gitlab_that_stays_down_is_said_after_seven_tries(
    course: Course, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    course.gitlab.faults = [(502, {})] * 20
    assert course.run() == 1
    assert f"{DOING}: GitLab answers 502" in capsys.readouterr().err
    assert len(course.gitlab.asked) == calls.TRIES
    course.gitlab.url = "http://127.0.0.1:9"
    course.write_settings()
    assert course.run() == 1
    assert f"{DOING}: GitLab does not answer (ConnectionError)" in capsys.readouterr().err
    assert sum(clock.slept) < 60
