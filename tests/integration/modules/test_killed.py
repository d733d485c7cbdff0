"""Everything is killed (SIGKILL) in the middle of the work: the next run does what is missing."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.modules.killed import kill_everything, processes_of
from kit.classroom import Classroom, Task, writes
from kit.faults import FORWARD, Request, Weather, weather


@pytest.fixture
def storm(room: Classroom) -> Iterator[Weather]:
    """What the room's modules ask for is counted on its way."""
    with weather(room.standin.port) as made:
        room.url = made.url
        yield made


class Axe:
    """Falls when so many writing requests were seen, those on their way included."""

    def __init__(self, room: Classroom, after: int) -> None:
        self._room = room
        self._left = after
        self._fallen = threading.Event()
        self.killed = 0

    def choose(self, request: Request) -> str:
        self._left -= request.writes
        # Once: reading requests that come after it change the count no more.
        if request.writes and self._left == 0:
            threading.Thread(target=self._fall).start()
        return FORWARD

    def _fall(self) -> None:
        self.killed = kill_everything(self._room.folder)
        self._fallen.set()

    def play(self, storm: Weather, task: Task) -> None:
        """Play the task until the axe falls."""
        storm.choose = self.choose
        process = self._room.start(task)
        process.communicate(timeout=300)
        assert self._fallen.wait(30), "it ended before it could be killed"
        assert process.returncode == -signal.SIGKILL
        # The controller, its worker and the module, at least.
        assert self.killed >= 3
        storm.choose = lambda _request: FORWARD


@pytest.mark.drawn
@pytest.mark.parametrize(("after", "watched"), [(1, True), (25, True), (40, False)])
def test_learners(room: Classroom, storm: Weather, after: int, watched: bool) -> None:
    """In the background with progress, and not."""
    make = room.task("gitlab_learners", learners=room.learners(60), progress=watched)
    Axe(room, after).play(storm, make)
    there = len(room.accounts())
    assert there < 60
    second, third = room.play(make, make).results
    # What was on its way when the axe fell may have arrived since.
    assert 60 - there - 8 <= second["summary"]["created"] <= 60 - there
    assert sum(second["summary"].values()) == 60
    assert not third["changed"]
    assert writes(third) == 0
    emails = Counter(user.email for user in room.accounts().values())
    assert len(emails) == 60
    assert set(emails.values()) == {1}


def course(room: Classroom, count: int) -> Task:
    """Accounts, a template and a teacher; the task that makes the forks."""
    gitlab = room.gitlab
    group = gitlab.groups.create({"name": room.prefix, "path": room.prefix})
    template = gitlab.projects.create({"name": "template", "namespace_id": group.id})
    template.commits.create(
        {"branch": "main", "commit_message": "first",
         "actions": [{"action": "create", "file_path": "a.md", "content": "a"}]}
    )  # fmt: skip
    gitlab.users.create(
        {"username": f"t{room.prefix}", "name": "Teacher", "email": f"t{room.prefix}@example.org",
         "force_random_password": True, "skip_confirmation": True}
    )  # fmt: skip
    room.prepare(room.task("gitlab_learners", learners=room.learners(count)))
    return room.task(
        "gitlab_forks",
        template=f"{room.prefix}/template",
        learners=room.names(count),
        members=[{"username": f"t{room.prefix}", "access_level": "reporter"}],
        progress_from=1,
    )


def check_forks(room: Classroom, count: int) -> None:
    """Every learner has one fork, with all that a fork has."""
    gitlab = room.gitlab
    template = gitlab.projects.get(f"{room.prefix}/template")
    assert len(template.forks.list(get_all=True)) == count
    for name in room.names(count):
        fork = gitlab.projects.get(f"{name}/{room.prefix}")
        assert fork.import_status == "finished"
        assert fork.branches.get("main").commit["message"].strip() == "first"
        rule = fork.protectedbranches.get("main")
        assert not rule.allow_force_push
        assert [level["access_level"] for level in rule.push_access_levels] == [40]
        roles = {member.username: member.access_level for member in fork.members.list()}
        assert roles[f"t{room.prefix}"] == 20


@pytest.mark.drawn
@pytest.mark.parametrize("after", [1, 9, 20])
def test_forks(room: Classroom, storm: Weather, after: int) -> None:
    """Between any two of a fork's steps: made, copied, staff let in."""
    make = course(room, 10)
    Axe(room, after).play(storm, make)
    second, third = room.play(make, make).results
    assert not second.get("failed"), second
    assert not third["changed"]
    assert writes(third) == 0
    check_forks(room, 10)


@pytest.mark.drawn
@pytest.mark.parametrize("after", [8, 16])
def test_forks_where_gitlab_protects_no_branch(own_room: Classroom, after: int) -> None:
    """There the module protects each fork: a fork made and not yet protected is seen later."""
    room = own_room
    settings = room.gitlab.settings.get()
    settings.default_branch_protection = 0
    settings.save()
    with weather(room.standin.port) as storm:
        room.url = storm.url
        make = course(room, 8)
        Axe(room, after).play(storm, make)
        second, third = room.play(make, make).results
    assert not second.get("failed"), second
    assert not third["changed"]
    assert writes(third) == 0
    check_forks(room, 8)


def test_the_module_alone(room: Classroom, storm: Weather) -> None:
    """The playbook outlives its module, ends at once and says so."""
    make = room.task("gitlab_learners", expected=False, learners=room.learners(60))
    fallen = threading.Event()

    def fall() -> None:
        for pid, command in processes_of(room.folder).items():
            # The worker has threads; who keeps its result, and the playbook, may live on.
            if "ansible-playbook" not in command and threads_of(pid) > 2:
                os.kill(pid, signal.SIGKILL)
                fallen.set()

    seen = [0]

    def choose(request: Request) -> str:
        seen[0] += request.writes
        if seen[0] == 20 and not fallen.is_set():
            fall()
        return FORWARD

    storm.choose = choose
    told = room.play(make).last()
    assert fallen.is_set()
    assert told["failed"]
    assert "killed (SIGKILL)" in told["msg"]
    assert "run it again" in told["msg"]
    assert room.play(make, make).last()["summary"] == {"unchanged": 60}


def test_all_but_the_playbook(room: Classroom, storm: Weather) -> None:
    """Nobody is left who could say how the module ended."""
    make = room.task("gitlab_learners", expected=False, learners=room.learners(60))
    fallen = threading.Event()
    seen = [0]

    def choose(request: Request) -> str:
        seen[0] += request.writes
        if seen[0] == 20 and not fallen.is_set():
            fallen.set()
            for pid, command in processes_of(room.folder).items():
                if "ansible-playbook" not in command:
                    os.kill(pid, signal.SIGKILL)
        return FORWARD

    storm.choose = choose
    told = room.play(make).last()
    assert fallen.is_set()
    assert told["failed"]
    assert "disappeared" in told["msg"]
    assert room.play(make, make).last()["summary"] == {"unchanged": 60}


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
