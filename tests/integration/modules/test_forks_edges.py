"""gitlab_forks where learners, staff and GitLab do what nobody thought of."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
from gitlab.v4.objects import Project
from kit.classroom import Classroom, Task


@pytest.fixture
def template(room: Classroom) -> Project:
    gitlab = room.gitlab
    group = gitlab.groups.create({"name": room.prefix, "path": room.prefix})
    made = gitlab.projects.create({"name": "template", "namespace_id": group.id})
    commit(made, "exercise.md")
    room.prepare(room.task("gitlab_learners", learners=room.learners(3)))
    return gitlab.projects.get(made.id)


def commit(project: Any, name: str, branch: str = "main", **more: Any) -> str:
    made = project.commits.create(
        {"branch": branch, "commit_message": name,
         "actions": [{"action": "create", "file_path": name, "content": name}], **more}
    )  # fmt: skip
    return str(made.id)


def task(room: Classroom, count: int = 1, **arguments: Any) -> Task:
    return room.task(
        "gitlab_forks",
        template=f"{room.prefix}/template",
        learners=room.names(count),
        **arguments,
    )


def fork_of(room: Classroom, number: int = 0) -> Project:
    return room.gitlab.projects.get(f"{room.names(number + 1)[number]}/{room.prefix}")


@pytest.mark.usefixtures("template")
def test_work_on_the_last_of_many_branches_is_not_overlooked(room: Classroom) -> None:
    """GitLab lists a hundred branches at a time."""
    room.prepare(task(room))
    fork = fork_of(room)
    for number in range(101):
        fork.branches.create({"branch": f"b{number:03d}", "ref": "main"})
    commit(fork, "mine.md", "z-mine", start_branch="main")
    told = room.play(task(room, state="absent", expected=False)).last()
    assert [one["own_commits"] for one in told["lost"]] == [True]


def test_staff_named_twice_would_change_back_and_forth(room: Classroom, template: Project) -> None:
    staff = [
        {"username": "root", "access_level": "developer"},
        {"username": "Root", "access_level": "reporter"},
    ]
    told = room.play(task(room, expected=False, members=staff)).last()
    assert "Staff given twice: root" in told["msg"]
    assert template.forks.list() == []


def test_a_blocked_learner_has_a_fork_like_others(room: Classroom, template: Project) -> None:
    block = room.task("gitlab_learners", learners=[room.learner(0, state="blocked")])
    first, again = room.play(block, task(room, 2), task(room, 2)).results[1:]
    assert first["summary"] == {"created": 2}
    assert not again["changed"]
    commit(template, "news.md")
    forward = room.play(task(room, 2, update="fast_forward")).last()
    assert forward["updates"] == {"fast_forwarded": 2}
    assert room.accounts()[room.names(1)[0]].state == "blocked"


def test_an_empty_template_and_nobody(room: Classroom) -> None:
    group = room.gitlab.groups.create({"name": room.prefix, "path": room.prefix})
    empty = room.gitlab.projects.create({"name": "template", "namespace_id": group.id})
    for options in ([], ["--check"]):
        told = room.play(task(room, expected=False), options=options).last()
        assert "has no commit yet" in told["msg"]
    commit(empty, "first.md")
    told = room.play(task(room, 0)).last()
    assert not told["changed"]
    assert told["forks"] == []


def test_a_branch_that_the_learner_has_closed_to_everybody(
    room: Classroom, template: Project
) -> None:
    """News are refused by GitLab for this one, which is told; the others have theirs."""
    room.prepare(task(room, 2))
    fork = fork_of(room)
    fork.protectedbranches.delete("main")
    fork.protectedbranches.create({"name": "main", "push_access_level": 0, "merge_access_level": 0})
    commit(template, "news.md")
    told = room.play(task(room, 2, update="fast_forward", expected=False)).last()
    (failed,) = told["failed_learners"]
    assert failed["username"] == room.names(1)[0]
    assert "protected" in failed["reason"]
    assert told["updates"] == {"fast_forwarded": 1}
    # Asked for, the protection is what it should be again, and the news arrive.
    mended = room.play(task(room, 2, update="fast_forward", check_protection=True)).last()
    assert not mended.get("failed"), mended
    assert mended["updates"] == {"fast_forwarded": 1, "current": 1}


def test_where_no_administrator_may_push_the_owner_does(room: Classroom, template: Project) -> None:
    """Newer GitLabs look at an administrator's role in the project, and there is none."""
    room.prepare(task(room, 2))
    news = commit(template, "news.md")
    wrapper = room.folder / "git"
    # A `git` before the real one in PATH answers the administrator's pushes as GitLab does then.
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case " $* " in *{room.token_file}*" push "*)\n'
        '  echo "remote: GitLab: You are not allowed to push code to protected branches on this '
        'project." >&2\n'
        '  echo " ! [remote rejected] main -> main (pre-receive hook declined)" >&2; exit 1 ;;\n'
        "esac\n"
        'PATH="${PATH#*:}" exec git "$@"\n'
    )
    wrapper.chmod(0o755)
    told = room.play(
        task(room, 2, update="fast_forward"),
        env={"PATH": f"{room.folder}:{os.environ['PATH']}"},
        options=["-vvv"],
    )
    assert told.last()["updates"] == {"fast_forwarded": 2}
    for number in range(2):
        assert str(fork_of(room, number).branches.get("main").commit["id"]) == news
        owner = room.accounts()[room.names(2)[number]]
        tokens = owner.impersonationtokens.list()
        assert [(one.scopes, one.active) for one in tokens] == [(["write_repository"], False)]
    assert "glpat-" not in told.written


def test_a_template_whose_history_was_rewritten_overwrites_nothing(
    room: Classroom, template: Project
) -> None:
    room.prepare(task(room, 2))
    old = str(fork_of(room).branches.get("main").commit["id"])
    mine = commit(fork_of(room, 1), "mine.md")
    # Another root: the template's branch is made anew from nothing of the old one.
    template.branches.create({"branch": "kept", "ref": "main"})
    other = room.gitlab.projects.create({"name": f"o{room.prefix}"})
    commit(other, "else.md")
    url = room.standin.git_url
    push(room, url(other.path_with_namespace, room.standin.root_token),
         url(template.path_with_namespace, room.standin.root_token))  # fmt: skip
    told = room.play(task(room, 2, update="fast_forward")).last()
    assert told["updates"] == {"touched": 2}
    assert not told["changed"]
    assert str(fork_of(room).branches.get("main").commit["id"]) == old
    assert str(fork_of(room, 1).branches.get("main").commit["id"]) == mine


def push(room: Classroom, source: str, target: str) -> None:
    """Put another history into the template's branch, as its owner may after unprotecting it."""
    project = room.gitlab.projects.get(f"{room.prefix}/template")
    project.protectedbranches.delete("main")
    copy = room.folder / "copy"
    for command in (
        ["git", "clone", "--quiet", source, str(copy)],
        ["git", "-C", str(copy), "push", "--quiet", "--force", target, "HEAD:refs/heads/main"],
    ):
        subprocess.run(command, check=True, capture_output=True)


def test_a_request_that_the_learner_closed_stays_closed_until_there_are_news(
    room: Classroom, template: Project
) -> None:
    room.prepare(task(room))
    commit(fork_of(room), "mine.md")
    commit(template, "news.md")
    propose = task(room, update="merge_request")
    room.play(propose)
    (request,) = fork_of(room).mergerequests.list()
    request.state_event = "close"
    request.save()
    assert room.play(propose).last()["updates"] == {"declined": 1}
    request = fork_of(room).mergerequests.get(request.iid)
    request.state_event = "reopen"
    request.save()
    assert room.play(propose).last()["updates"] == {"merge_request_open": 1}
    assert len(fork_of(room).mergerequests.list(state="all")) == 1
