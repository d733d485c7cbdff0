"""gitlab_forks in real playbook runs: made, repaired, kept current, archived, deleted, restored."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from dataclasses import dataclass
from typing import Any

import pytest
from gitlab.v4.objects import Project
from kit.classroom import Classroom, Task, writes


@dataclass
class Course:
    """A class with accounts, a template and a teacher."""

    room: Classroom
    template: Project
    teacher: str

    @property
    def slug(self) -> str:
        return self.room.prefix

    def task(self, count: int, **arguments: Any) -> Task:
        return self.room.task(
            "gitlab_forks",
            template=f"{self.slug}/template",
            learners=self.room.names(count),
            **arguments,
        )

    def fork(self, number: int) -> Project:
        name = self.room.learner(number)["username"]
        return self.room.gitlab.projects.get(f"{name}/{self.slug}")

    def commit(self, project: Project, name: str, text: str = "text\n") -> str:
        made = project.commits.create(
            {"branch": "main", "commit_message": name,
             "actions": [{"action": "create", "file_path": name, "content": text}]}
        )  # fmt: skip
        return str(made.id)

    def head(self, project: Project) -> str:
        return str(project.branches.get("main").commit["id"])


@pytest.fixture
def course(room: Classroom) -> Course:
    gitlab = room.gitlab
    group = gitlab.groups.create(
        {"name": room.prefix, "path": room.prefix, "visibility": "internal"}
    )
    template = gitlab.projects.create(
        {"name": "template", "namespace_id": group.id, "visibility": "private"}
    )
    teacher = f"t{room.prefix}"
    gitlab.users.create(
        {"username": teacher, "name": "Teacher", "email": f"{teacher}@example.org",
         "force_random_password": True, "skip_confirmation": True}
    )  # fmt: skip
    made = Course(room, gitlab.projects.get(template.id), teacher)
    made.commit(made.template, "exercise.md")
    room.prepare(room.task("gitlab_learners", learners=room.learners(6)))
    return made


def by_name(told: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(told["forks"], key=lambda one: str(one["username"]))


def test_forks_are_made_once_as_they_must_be(course: Course) -> None:
    make = course.task(4, members=[{"username": course.teacher, "access_level": "reporter"}])
    checked = course.room.play(make, options=["--check", "--diff"]).last()
    assert checked["summary"] == {"created": 4}
    assert writes(checked) == 0
    assert list(course.template.forks.list()) == []
    first, again = course.room.play(make, make, options=["--diff"]).results
    assert first["changed"]
    assert first["summary"] == {"created": 4}
    assert set(first["diff"]["after"]) == set(checked["diff"]["after"])
    assert not again["changed"]
    assert writes(again) == 0
    # Version, token (2), template, teacher, GitLab's settings, one page of forks, one of the
    # teacher's roles.
    assert again["requests"]["read"] <= 8
    for number in range(4):
        fork = course.fork(number)
        assert fork.import_status == "finished"
        assert fork.visibility == "private"
        assert fork.forked_from_project["id"] == course.template.id
        rule = fork.protectedbranches.get("main")
        assert not rule.allow_force_push
        assert [level["access_level"] for level in rule.push_access_levels] == [40]
        roles = {member.username: member.access_level for member in fork.members.list()}
        assert roles[course.teacher] == 20


def test_changes_to_what_is_asked_for(course: Course) -> None:
    staff = {"username": course.teacher, "access_level": "developer"}
    course.room.prepare(course.task(3))
    add = course.task(3, members=[staff])
    rise = course.task(3, members=[{**staff, "access_level": "maintainer"}])
    leave = course.task(3, members=[{**staff, "access_level": "none"}])
    results = course.room.play(add, add, rise, leave, leave, options=["--diff"]).results
    assert [told["changed"] for told in results] == [True, False, True, True, False]
    name = course.room.names(1)[0]
    assert results[2]["diff"]["before"][name]["members"] == {course.teacher: 30}
    assert results[2]["diff"]["after"][name]["members"] == {course.teacher: 40}
    roles = {member.username for member in course.fork(0).members.list()}
    assert course.teacher not in roles


def test_visibility_is_put_right_and_never_above_the_template(course: Course) -> None:
    course.room.prepare(course.task(1))
    fork = course.fork(0)
    course.template.visibility = "internal"
    course.template.save()
    public = course.task(1, visibility="public")
    first, again = course.room.play(public, public).results
    assert first["summary"] == {"updated": 1}
    assert not again["changed"]
    assert course.room.gitlab.projects.get(fork.id).visibility == "internal"


def test_protection_of_older_forks_is_checked_on_request(course: Course) -> None:
    course.room.prepare(course.task(2))
    course.fork(0).protectedbranches.delete("main")
    rule = course.fork(1).protectedbranches.get("main")
    rule.allow_force_push = True
    rule.save()
    plain, full, again = course.room.play(
        course.task(2), course.task(2, check_protection=True), course.task(2, check_protection=True)
    ).results
    assert not plain["changed"]
    assert full["summary"] == {"updated": 2}
    assert not again["changed"]
    assert not course.fork(0).protectedbranches.get("main").allow_force_push
    assert not course.fork(1).protectedbranches.get("main").allow_force_push


def test_forks_are_kept_current_and_no_commit_is_lost(course: Course) -> None:
    room = course.room
    room.prepare(course.task(5))
    # 0 and 1 untouched; 2 and 3 have begun; 4 has begun, after the news arrived there.
    old = course.head(course.template)
    mine = {n: course.commit(course.fork(n), f"mine{n}.md") for n in (2, 3)}
    news = course.commit(course.template, "news.md")

    none = room.play(course.task(5)).last()
    assert not none["changed"]
    forward = course.task(5, update="fast_forward")
    checked = room.play(forward, options=["--check", "--diff"]).last()
    assert checked["updates"] == {"fast_forwarded": 3, "touched": 2}
    assert course.head(course.fork(0)) == old
    done, again = room.play(forward, forward, options=["--diff"]).results
    assert done["updates"] == checked["updates"]
    assert done["diff"]["after"] == checked["diff"]["after"]
    assert again["updates"] == {"current": 3, "touched": 2}
    assert not again["changed"]
    for number in (0, 1, 4):
        assert course.head(course.fork(number)) == news
    for number, commit in mine.items():
        assert course.head(course.fork(number)) == commit

    ahead = course.commit(course.fork(4), "mine4.md")
    propose = course.task(5, update="merge_request")
    checked = room.play(propose, options=["--check"]).last()
    assert checked["updates"] == {"current": 2, "ahead": 1, "merge_request_opened": 2}
    assert course.fork(2).mergerequests.list() == []
    done, again = room.play(propose, propose).results
    assert done["updates"] == checked["updates"]
    assert done["summary"] == {"updated": 2, "unchanged": 3}
    assert not again["changed"]
    assert again["updates"] == {"current": 2, "ahead": 1, "merge_request_open": 2}
    (request,) = course.fork(2).mergerequests.list(state="all")
    assert request.source_project_id == course.template.id
    assert by_name(done)[2]["merge_request"] == request.web_url
    assert course.head(course.fork(2)) == mine[2]
    assert course.head(course.fork(4)) == ahead

    # More news while the request is open: the same request carries them.
    course.commit(course.template, "more.md")
    more = room.play(propose).last()
    assert more["updates"] == {
        "fast_forwarded": 2,
        "merge_request_open": 2,
        "merge_request_opened": 1,
    }
    assert len(course.fork(2).mergerequests.list(state="all")) == 1

    # One learner merges, the other closes: both are left in peace until there are news again.
    course.fork(2).mergerequests.list()[0].merge()
    refused = course.fork(3).mergerequests.list()[0]
    refused.state_event = "close"
    refused.save()
    after = room.play(propose).last()
    assert not after["changed"]
    stand = {one["username"]: one["update"] for one in after["forks"]}
    assert stand[room.names(3)[2]] == "ahead"
    assert stand[room.names(4)[3]] == "declined"
    course.commit(course.template, "later.md")
    later = room.play(propose).last()
    stand = {one["username"]: one["update"] for one in later["forks"]}
    assert stand[room.names(4)[3]] == "merge_request_opened"
    # Whatever happened, every commit of a learner is still in their branch.
    for number, commit in {**mine, 4: ahead}.items():
        history = {item.id for item in course.fork(number).commits.list(get_all=True)}
        assert commit in history


def test_a_learner_quicker_than_the_push_loses_nothing(course: Course) -> None:
    """The fork moves between the comparison and the push: Git refuses, the module looks again."""
    room = course.room
    room.prepare(course.task(1))
    course.commit(course.template, "news.md")
    fork = course.fork(0)
    hook = room.folder / "git"
    mine = room.folder / "mine"
    # A `git` before the real one in PATH commits as the learner just before the push.
    hook.write_text(
        "#!/bin/sh\n"
        f'case " $* " in *" push "*) [ -e {mine} ] || {{ : > {mine}; '
        f"curl -fsS -X POST -H 'PRIVATE-TOKEN: {room.standin.root_token}' "
        "-H 'Content-Type: application/json' -d "
        "'" + '{"branch":"main","commit_message":"mine","actions":'
        '[{"action":"create","file_path":"mine.md","content":"mine"}]}' + "' "
        f"{room.standin.url}/api/v4/projects/{fork.id}/repository/commits >/dev/null; }};; esac\n"
        'PATH="${PATH#*:}" exec git "$@"\n'
    )
    hook.chmod(0o755)
    told = room.play(
        course.task(1, update="merge_request"),
        env={"PATH": f"{room.folder}:{os.environ['PATH']}"},
    ).last()
    assert mine.exists()
    assert told["updates"] == {"merge_request_opened": 1}
    assert course.fork(0).files.get("mine.md", ref="main").decode() == b"mine"


def test_half_made_forks_are_repaired(course: Course) -> None:
    room = course.room
    room.prepare(course.task(3))
    broken = {n: course.fork(n).id for n in (0, 1)}
    mine = course.commit(course.fork(1), "mine.md")
    for number, identity in broken.items():
        fail_import(room, identity, empty=number == 0)
    told = room.play(course.task(3, expected=False)).last()
    why = {one["username"]: one["reason"] for one in told["failed_learners"]}
    names = room.names(3)
    assert set(why) == {names[1]}
    assert "commits of the learner's own" in why[names[1]]
    assert course.head(course.fork(1)) == mine
    done = {one["username"]: one["done"] for one in told["forks"]}
    assert done == {names[0]: "repaired", names[1]: "failed", names[2]: "unchanged"}
    assert course.fork(0).id != broken[0]
    assert course.fork(0).import_status == "finished"


def fail_import(room: Classroom, identity: int, *, empty: bool) -> None:
    """What a copy that broke half-way leaves in GitLab's database."""
    database = next(room.standin.root.rglob("standin.sqlite"))
    with sqlite3.connect(database, timeout=30) as connection:
        connection.execute(
            "UPDATE projects SET import_status='failed', import_error='broken' WHERE id=?",
            (identity,),
        )
    if empty:
        path = next(room.standin.root.rglob("git-data/repositories"))
        for refs in path.rglob("*.git"):
            if refs.name.startswith(hashed(identity)):
                shutil.rmtree(refs)


def hashed(identity: int) -> str:
    """Name of a project's repository in GitLab's hashed storage."""
    return hashlib.sha256(str(identity).encode()).hexdigest()


def test_another_project_in_the_way_is_left_alone(course: Course) -> None:
    room = course.room
    owner = room.accounts()[room.names(1)[0]]
    mine = owner.projects.create({"name": course.slug, "path": course.slug})
    told = room.play(course.task(2, expected=False)).last()
    assert "is not a fork of the template" in told["failed_learners"][0]["reason"]
    assert told["summary"] == {"failed": 1, "created": 1}
    assert room.gitlab.projects.get(mine.id).path == course.slug


def test_a_learner_without_account(course: Course) -> None:
    room = course.room
    task = room.task(
        "gitlab_forks", expected=False, template=f"{course.slug}/template",
        learners=[f"{room.prefix}nobody", room.names(1)[0]],
    )  # fmt: skip
    checked = room.play(task, options=["--check"]).last()
    told = room.play(task).last()
    for one in (checked, told):
        assert "no account with this username" in one["failed_learners"][0]["reason"]
        assert one["summary"] == {"failed": 1, "created": 1}


def test_a_group_is_no_learner(course: Course) -> None:
    """GitLab would put the fork into the group, and into root's own space for an empty name."""
    room = course.room
    group = room.gitlab.groups.create({"name": f"{room.prefix}g", "path": f"{room.prefix}g"})
    source = room.gitlab.projects.get(f"{course.slug}/template")
    common: Task = {"template": f"{course.slug}/template", "expected": False}
    told = room.play(room.task("gitlab_forks", **common, learners=[group.path])).last()
    assert "no account with this username" in told["failed_learners"][0]["reason"]
    for nobody in ("", "../x"):
        told = room.play(room.task("gitlab_forks", **common, learners=[nobody])).last()
        assert "Nothing was changed" in told["msg"]
    assert source.forks.list(get_all=True) == []

    # A fork that the group's people made by themselves is theirs.
    theirs = source.forks.create({"namespace_path": group.path, "path": course.slug})
    gone = room.task(
        "gitlab_forks", **common, learners=[group.path], state="absent", path=course.slug,
        confirm_absent=True,
    )  # fmt: skip
    assert not room.play(gone).last()["changed"]
    assert room.gitlab.projects.get(theirs.id).path == course.slug


def test_archived_and_back(course: Course) -> None:
    room = course.room
    room.prepare(course.task(2))
    close = course.task(2, state="archived")
    checked = room.play(close, options=["--check"]).last()
    assert checked["summary"] == {"archived": 2}
    assert not course.fork(0).archived
    first, again, back, last = room.play(close, close, course.task(2), course.task(2)).results
    assert first["summary"] == {"archived": 2}
    assert not again["changed"]
    assert back["summary"] == {"unarchived": 2}
    assert not last["changed"]


def test_deleted_after_confirmation_and_brought_back_with_the_work(course: Course) -> None:
    room = course.room
    room.prepare(course.task(3))
    mine = course.commit(course.fork(1), "mine.md")
    course.commit(course.template, "news.md")
    refused = room.play(course.task(2, state="absent", expected=False)).last()
    assert refused["failed"]
    assert not refused["changed"]
    assert refused["summary"] == {"unchanged": 2}
    assert [one["own_commits"] for one in refused["lost"]] == [False, True]
    assert course.head(course.fork(1)) == mine

    remove = course.task(2, state="absent", confirm_absent=True)
    checked = room.play(remove, options=["--check"]).last()
    assert checked["changed"]
    assert course.head(course.fork(1)) == mine
    done, again = room.play(remove, remove).results
    assert done["summary"] == {"deletion_scheduled": 2}
    assert all(one["deleted_for_good_on"] for one in done["lost"])
    assert not again["changed"]
    left = room.play(
        room.task("gitlab_forks_info", template=f"{course.slug}/template", path=course.slug)
    ).last()
    assert [bool(one["deleted_for_good_on"]) for one in left["forks"]] == [True, True, False]

    back, last = room.play(course.task(3), course.task(3)).results
    assert back["summary"] == {"restored": 2, "unchanged": 1}
    assert not last["changed"]
    assert course.head(course.fork(1)) == mine


def test_the_report(course: Course) -> None:
    room = course.room
    room.prepare(course.task(2))
    course.commit(course.fork(1), "mine.md")
    course.commit(course.template, "news.md")
    told = room.play(
        room.task("gitlab_forks_info", template=f"{course.slug}/template", compare=True)
    ).last()
    assert told["standings"] == {"behind": 1, "diverged": 1}
    assert [one["owner"] for one in told["forks"]] == room.names(2)
    assert told["template"]["commit"] == course.head(course.template)


def test_a_template_that_is_not_there(course: Course) -> None:
    task = course.room.task(
        "gitlab_forks", expected=False, template="no/such", learners=course.room.names(1)
    )
    assert "no project 'no/such'" in course.room.play(task).last()["msg"]
