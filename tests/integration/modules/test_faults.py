"""Bad days: GitLab refuses, fails, hangs, dies. Nothing double or lost, all done in the end."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from gitlab_standin.testing import Standin, start
from kit.classroom import Classroom, writes
from kit.faults import (
    DROP_AFTER,
    DROP_BEFORE,
    FORWARD,
    SLOW,
    Request,
    Weather,
    weather,
)


@pytest.fixture
def storm(room: Classroom) -> Iterator[Weather]:
    """Fair weather at first; the room's modules go through it."""
    with weather(room.standin.port) as made:
        room.url = made.url
        yield made


def template(room: Classroom, *names: str) -> str:
    """A template with these files; its path."""
    gitlab = room.gitlab
    group = gitlab.groups.create({"name": room.prefix, "path": room.prefix})
    project = gitlab.projects.create({"name": "template", "namespace_id": group.id})
    for name in names:
        project.commits.create(
            {"branch": "main", "commit_message": name,
             "actions": [{"action": "create", "file_path": name, "content": name}]}
        )  # fmt: skip
    return f"{room.prefix}/template"


def test_after_a_429_everybody_waits_as_long_as_asked(room: Classroom, storm: Weather) -> None:
    storm.retry_after = "2"
    storm.choose = lambda request: 429 if request.number == 12 else FORWARD
    told = room.play(room.task("gitlab_learners", learners=room.learners(20), workers=4)).last()
    assert told["summary"] == {"created": 20}
    refused = storm.times[storm.fates.index(429)]
    early = [moment for moment in storm.times if refused < moment < refused + 2.0]
    assert len(early) <= 3, "what the other three had sent before they knew"
    assert all(moment < refused + 1.0 for moment in early), "and nothing once they did"
    assert len(room.accounts()) == 20


@pytest.mark.drawn
@pytest.mark.parametrize("fate", [500, 502, DROP_BEFORE, DROP_AFTER])
def test_a_failing_gitlab_makes_nothing_double(
    room: Classroom, storm: Weather, fate: str | int
) -> None:
    storm.choose = lambda request: fate if request.number % 3 == 2 else FORWARD
    make = room.task("gitlab_learners", learners=room.learners(24), workers=4)
    first, again = room.play(make, make).results
    assert storm.count(fate) > 8
    assert first["summary"]["created"] == 24
    assert not again["changed"]
    assert writes(again) == 0
    emails = Counter(user.email for user in room.accounts().values())
    assert len(emails) == 24
    assert set(emails.values()) == {1}


def test_forks_and_requests_are_not_double_either(room: Classroom, storm: Weather) -> None:
    path = template(room, "one.md")
    room.prepare(room.task("gitlab_learners", learners=room.learners(6)))
    storm.choose = lambda request: DROP_AFTER if request.writes and request.number % 2 else FORWARD
    common = {"template": path, "learners": room.names(6), "workers": 3}
    make = room.task("gitlab_forks", **common)  # type: ignore[arg-type]
    first, again = room.play(make, make).results
    assert first["summary"] == {"created": 6}
    assert not again["changed"]
    source = room.gitlab.projects.get(path)
    assert len(source.forks.list(get_all=True)) == 6

    for name in room.names(6):
        fork = room.gitlab.projects.get(f"{name}/{room.prefix}")
        fork.commits.create(
            {"branch": "main", "commit_message": "mine",
             "actions": [{"action": "create", "file_path": "mine.md", "content": "mine"}]}
        )  # fmt: skip
    source.commits.create(
        {"branch": "main", "commit_message": "news",
         "actions": [{"action": "create", "file_path": "news.md", "content": "news"}]}
    )  # fmt: skip
    storm.choose = lambda request: DROP_AFTER if request.writes else FORWARD
    propose = room.task("gitlab_forks", **common, update="merge_request")  # type: ignore[arg-type]
    first, again = room.play(propose, propose).results
    assert not first.get("failed"), first
    assert again["updates"] == {"merge_request_open": 6}
    for name in room.names(6):
        fork = room.gitlab.projects.get(f"{name}/{room.prefix}")
        assert len(fork.mergerequests.list(state="all")) == 1


def test_answers_that_come_too_late(room: Classroom, storm: Weather) -> None:
    storm.choose = lambda request: SLOW if request.writes and request.number % 3 == 0 else FORWARD
    make = room.task("gitlab_learners", learners=room.learners(12), timeout=0.25)
    first = room.play(make).last()
    assert storm.count(SLOW) > 2
    assert not first.get("failed"), first
    assert len(room.accounts()) == 12
    storm.choose = lambda _request: FORWARD
    assert not room.play(room.task("gitlab_learners", learners=room.learners(12))).last()["changed"]


@pytest.mark.usefixtures("short_pauses")
def test_one_bad_learner_does_not_stop_the_others(room: Classroom, storm: Weather) -> None:
    """GitLab has a bug that hits one person: a 500 each time."""
    make = room.task("gitlab_learners", expected=False, learners=room.learners(12), workers=4)
    unlucky = room.names(1)[0]
    room.prepare(room.task("gitlab_learners", learners=[room.learner(0, name="Before")]))
    number = room.accounts()[unlucky].id
    storm.choose = lambda request: 500 if request.path.endswith(f"/users/{number}") else FORWARD
    told = room.prepare(make)
    assert told["summary"] == {"created": 11, "failed": 1}
    assert [one["username"] for one in told["failed_learners"]] == [unlucky]
    assert "500" in told["failed_learners"][0]["reason"]
    storm.choose = lambda _request: FORWARD
    assert room.play(make).last()["summary"] == {"updated": 1, "unchanged": 11}


class Power:
    """Pulls GitLab's plug when so many accounts were asked for; perhaps puts it back."""

    def __init__(self, standin: Standin, after: int, back_after: float | None) -> None:
        self.standin = standin
        self.after = after
        self.back_after = back_after
        self.revived: Standin | None = None
        self._posts = 0
        self._thread: threading.Thread | None = None

    def choose(self, request: Request) -> str:
        self._posts += request.writes
        if self._posts == self.after and self._thread is None:
            self._thread = threading.Thread(target=self._cut)
            self._thread.start()
        return FORWARD

    def _cut(self) -> None:
        self.standin.kill()
        if self.back_after is not None:
            time.sleep(self.back_after)
            self.restore()

    def restore(self) -> None:
        self.revived = start(
            self.standin.root, self.standin.port, password=self.standin.root_password
        )
        self.revived.root_token = self.standin.root_token
        self.standin.process = self.revived.process

    def wait(self) -> None:
        assert self._thread is not None, "GitLab was not killed"
        self._thread.join()


def test_gitlab_dies_and_comes_back_during_the_run(own_room: Classroom) -> None:
    room = own_room
    power = Power(room.standin, after=20, back_after=1.0)
    with weather(room.standin.port, power.choose) as storm:
        room.url = storm.url
        make = room.task("gitlab_learners", learners=room.learners(60))
        first, again = room.play(make, make).results
        power.wait()
    assert first["summary"]["created"] == 60
    assert not first.get("failed")
    assert not again["changed"]
    assert len(room.accounts()) == 60


@pytest.mark.usefixtures("short_pauses")
def test_gitlab_dies_for_good_and_the_next_run_does_the_rest(own_room: Classroom) -> None:
    room = own_room
    power = Power(room.standin, after=20, back_after=None)
    with weather(room.standin.port, power.choose) as storm:
        room.url = storm.url
        make = room.task("gitlab_learners", expected=False, learners=room.learners(60), workers=4)
        began = time.monotonic()
        told = room.prepare(make)
        power.wait()
        assert told["failed"]
        assert told["changed"]
        # Not sixty times the patience for one: when GitLab is down the run stops.
        assert time.monotonic() - began < 120 / 10
        assert len(told["untried_learners"]) > 20
        assert "Stopped early" in told["msg"]
        done = {name for name, what in told["learners"].items() if what == "created"}
        power.restore()
        assert done <= set(room.accounts())
        missing = 60 - len(room.accounts())
        second = room.play(make).last()
    assert second["summary"]["created"] == missing
    assert len(room.accounts()) == 60


def test_a_revoked_token_stops_the_run_at_once(room: Classroom, storm: Weather) -> None:
    root = room.gitlab.users.get(1)
    token = root.impersonationtokens.create({"name": "short", "scopes": ["api"]})
    room.token_file.write_text(token.token)
    revoked = threading.Event()

    def choose(request: Request) -> str:
        if request.number == 30 and not revoked.is_set():
            revoked.set()
            token.delete()
        return FORWARD

    storm.choose = choose
    told = room.play(
        room.task("gitlab_learners", expected=False, learners=room.learners(80), workers=4)
    ).last()
    assert "refuses the token" in told["msg"]
    assert len(told["untried_learners"]) > 30
    assert len(storm.seen) < 60


def test_progress_is_visible_while_it_runs(room: Classroom, storm: Weather) -> None:
    storm.choose = lambda request: SLOW if request.writes else FORWARD
    make = room.task("gitlab_learners", learners=room.learners(50), workers=2)
    process = room.start(make, callback="ansible.builtin.default", options=["-vvv"])
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append((time.monotonic(), line))
    process.wait()
    shown = [(moment, line) for moment, line in lines if "gitlab_learners on localhost:" in line]
    assert len(shown) >= 2
    assert "of 50 (" in shown[1][1]
    assert "/s" in shown[1][1]
    assert " left" in shown[1][1]
    assert shown[1][0] - shown[0][0] < 20
    finished = next(moment for moment, line in lines if "changed: [localhost]" in line)
    assert shown[0][0] < finished - 1
    # Nothing of it is left behind.
    folders = {word for _, line in lines for word in re.findall(r"/tmp/\.atelier-[0-9a-f]+", line)}
    assert len(folders) == 1
    assert not Path(folders.pop()).exists()


def test_no_progress_when_not_wanted(room: Classroom) -> None:
    make = room.task("gitlab_learners", learners=room.learners(30), progress=False)
    told = room.play(make, callback="ansible.builtin.default")
    assert "gitlab_learners on localhost:" not in told.written
    assert len(room.accounts()) == 30
