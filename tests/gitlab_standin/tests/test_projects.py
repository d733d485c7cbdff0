"""Groups, projects, members and forks."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gitlab
import httpx
import pytest
from gitlab.exceptions import GitlabError
from gitlab.v4.objects import Project
from gitlab_standin.testing import Standin, running_standin

from .conftest import NewUser, fork_of, token_of


def _code(error: pytest.ExceptionInfo[GitlabError]) -> int | None:
    return error.value.response_code


def test_groups_are_made_found_changed_and_removed(gl: gitlab.Gitlab) -> None:
    group = gl.groups.create({"name": "Parent", "path": "parent", "visibility": "internal"})
    child = gl.groups.create({"name": "Child", "path": "child", "parent_id": group.id})
    assert child.full_path == "parent/child"
    assert gl.groups.get("parent/child").id == child.id
    assert [g.id for g in group.subgroups.list()] == [child.id]
    with pytest.raises(GitlabError) as taken:
        gl.groups.create({"name": "Parent", "path": "Parent"})
    assert _code(taken) == 400
    assert "has already been taken" in str(taken.value)
    group.description = "New"
    group.save()
    assert gl.groups.get(group.id).description == "New"
    gl.groups.delete(child.id)
    gl.http_delete(f"/groups/{child.id}", permanently_remove=True, full_path="parent/child")
    with pytest.raises(GitlabError) as missing:
        gl.groups.get(child.id)
    assert _code(missing) == 404


def test_projects_by_id_and_by_path(standin: Standin, gl: gitlab.Gitlab, template: Project) -> None:
    assert gl.projects.get("course/template").id == template.id
    answer = httpx.get(
        f"{standin.url}/api/v4/projects/course/template",
        headers={"PRIVATE-TOKEN": standin.root_token},
    )
    assert answer.status_code == 404  # a proxy that decodes %2F breaks GitLab too
    with pytest.raises(GitlabError) as missing:
        gl.projects.get("course/nothing")
    assert missing.value.response_body == b'{"message":"404 Project Not Found"}'
    assert template.default_branch == "main"
    assert template.readme_url.endswith("/course/template/-/blob/main/README.md")
    rule = template.protectedbranches.get("main")
    assert rule.push_access_levels[0]["access_level"] == 40
    assert rule.allow_force_push is False


def test_a_project_is_edited_archived_and_removed_in_two_steps(gl: gitlab.Gitlab) -> None:
    project = gl.projects.create({"name": "To go"})
    assert (project.path, project.visibility, project.empty_repo) == ("to-go", "private", True)
    with pytest.raises(GitlabError) as taken:
        gl.projects.create({"name": "To go"})
    assert _code(taken) == 400
    project.description = "About"
    project.wiki_enabled = False
    project.save()
    again = gl.projects.get(project.id)
    assert (again.description, again.wiki_enabled) == ("About", False)
    project.archive()
    assert gl.projects.get(project.id).archived is True
    project.unarchive()
    gl.projects.delete(project.id)
    marked = gl.projects.get(project.id)
    assert marked.path == f"to-go-deletion_scheduled-{project.id}"
    assert marked.archived is True
    assert marked.marked_for_deletion_on
    gl.projects.create({"name": "To go"})  # the name is free again
    with pytest.raises(GitlabError) as wrong:
        gl.http_delete(f"/projects/{project.id}", permanently_remove=True, full_path="root/to-go")
    assert _code(wrong) == 400
    gl.http_delete(
        f"/projects/{project.id}", permanently_remove=True, full_path=marked.path_with_namespace
    )
    with pytest.raises(GitlabError):
        gl.projects.get(project.id)


def test_who_sees_what(
    standin: Standin, gl: gitlab.Gitlab, template: Project, new_user: NewUser
) -> None:
    inside, outside = new_user(), new_user(external=True)
    private = gl.projects.create({"name": "Secret"})
    as_inside = standin.client(token_of(inside, "api"))
    assert as_inside.projects.get(template.id).id == template.id
    for reader, project in (
        (as_inside, private),
        (standin.client(token_of(outside, "api")), template),
    ):
        with pytest.raises(GitlabError) as hidden:
            reader.projects.get(project.id)
        assert _code(hidden) == 404
    assert {p.id for p in as_inside.projects.list(get_all=True)} & {private.id, template.id} == {
        template.id
    }
    private.members.create({"user_id": inside.id, "access_level": 10})
    assert as_inside.projects.get(private.id).permissions["project_access"]["access_level"] == 10
    with pytest.raises(GitlabError) as no_code:
        as_inside.projects.get(private.id).repository_tree()
    assert _code(no_code) == 403
    with pytest.raises(GitlabError) as no_admin:
        as_inside.projects.get(private.id).members.create({"user_id": 1, "access_level": 10})
    assert _code(no_admin) == 403


def test_members(gl: gitlab.Gitlab, template: Project, new_user: NewUser) -> None:
    user = new_user()
    group = gl.groups.get("course")
    group.members.create({"user_id": user.id, "access_level": 30})
    with pytest.raises(GitlabError) as twice:
        group.members.create({"user_id": user.id, "access_level": 30})
    assert _code(twice) == 409
    assert user.id not in {m.id for m in template.members.list(get_all=True)}
    assert user.id in {m.id for m in template.members_all.list(get_all=True)}
    with pytest.raises(GitlabError) as lower:
        template.members.create({"user_id": user.id, "access_level": 20})
    assert "inherited membership" in str(lower.value)
    member = group.members.get(user.id)
    member.access_level = 40
    member.save()
    assert template.members_all.get(user.id).access_level == 40
    group.members.delete(user.id)
    with pytest.raises(GitlabError):
        group.members.get(user.id)


def test_a_fork_is_scheduled_started_and_finished(tmp_path: Path) -> None:
    with running_standin(tmp_path, env={"GITLAB_STANDIN_IMPORT_SECONDS": "4"}) as slow:
        source = slow.gitlab.projects.create({"name": "source", "initialize_with_readme": True})
        group = slow.gitlab.groups.create({"name": "forks", "path": "forks"})
        made = source.forks.create({"namespace_id": group.id, "path": "f", "name": "f"})
        seen = [made.import_status]
        deadline = time.monotonic() + 60
        while seen[-1] != "finished" and time.monotonic() < deadline:
            time.sleep(0.05)
            seen.append(slow.gitlab.projects.get(made.id).import_status)
    assert list(dict.fromkeys(seen)) == ["scheduled", "started", "finished"]


def test_a_fork_is_usable_only_when_its_import_is_finished(
    standin: Standin, gl: gitlab.Gitlab, template: Project, new_user: NewUser
) -> None:
    user = new_user()
    made = template.forks.create(
        {"namespace_path": user.username, "path": "c", "name": "c", "visibility": "public"}
    )
    assert made.import_status == "scheduled"
    fork = gl.projects.get(made.id)
    seen = [fork.import_status]
    deadline = time.monotonic() + 60
    while fork.import_status != "finished" and time.monotonic() < deadline:
        time.sleep(0.01)
        fork = gl.projects.get(made.id)
        seen.append(fork.import_status)
    # One that is over between two looks is not seen; none comes twice or in another order.
    assert seen == sorted(seen, key=["scheduled", "started", "finished"].index)
    assert fork.import_status == "finished"
    assert fork.path_with_namespace == f"{user.username}/c"
    assert fork.visibility == "internal"  # never above the source's
    assert fork.creator_id == 1
    assert fork.owner["username"] == user.username
    assert fork.forked_from_project["id"] == template.id
    assert [f["name"] for f in fork.repository_tree()] == ["README.md"]
    assert fork.protectedbranches.get("main").push_access_levels[0]["access_level"] == 40
    assert fork.id in {f.id for f in template.forks.list(get_all=True)}
    assert (
        standin.client(token_of(user, "api"))
        .projects.get(fork.id)
        .permissions["project_access"]["access_level"]
        == 50
    )


def test_a_fork_in_the_way_is_told_in_a_list(
    standin: Standin, template: Project, new_user: NewUser
) -> None:
    user = new_user()
    fork_of(standin, template, user)
    with pytest.raises(GitlabError) as taken:
        template.forks.create({"namespace_path": user.username, "path": "course", "name": "course"})
    assert _code(taken) == 409
    assert taken.value.response_body == (
        b'{"message":["Name has already been taken","Path has already been taken"]}'
    )
    with pytest.raises(GitlabError) as nowhere:
        template.forks.create({"namespace_path": "nobody-there"})
    assert (
        _code(nowhere),
        b"404 Target Namespace Not Found" in (nowhere.value.response_body or b""),
    ) == (404, True)


def test_ten_simultaneous_forks_make_one(
    standin: Standin, template: Project, new_user: NewUser
) -> None:
    user = new_user()

    def fork(_: int) -> int:
        mine = standin.gitlab.projects.get(template.id)
        try:
            mine.forks.create({"namespace_path": user.username, "path": "c", "name": "c"})
        except GitlabError as error:
            return error.response_code or 0
        return 201

    with ThreadPoolExecutor(10) as pool:
        codes = sorted(pool.map(fork, range(10)))
    assert codes == [201] + [409] * 9


def test_limits_bind_the_learner_but_not_the_administrator(
    standin: Standin, template: Project, new_user: NewUser
) -> None:
    user = new_user(projects_limit=0)
    fork_of(standin, template, user)
    own = standin.client(token_of(user, "api"))
    with pytest.raises(GitlabError) as own_fork:
        own.projects.get(template.id).forks.create({"path": "second", "name": "second"})
    assert _code(own_fork) == 409
    with pytest.raises(GitlabError) as refused:
        own.projects.create({"name": "more"})
    assert "not allowed" in str(refused.value)


def test_fork_relation(gl: gitlab.Gitlab, template: Project) -> None:
    project = gl.projects.create({"name": "Loose"})
    project.create_fork_relation(template.id)
    assert gl.projects.get(project.id).forked_from_project["id"] == template.id
    project.delete_fork_relation()
    assert "forked_from_project" not in gl.projects.get(project.id).attributes


def test_application_settings(standin: Standin, gl: gitlab.Gitlab, new_user: NewUser) -> None:
    settings = gl.settings.get()
    assert settings.signup_enabled is True
    settings.signup_enabled = False
    settings.default_projects_limit = 5
    settings.save()
    again = gl.settings.get()
    assert (again.signup_enabled, again.default_projects_limit) == (False, 5)
    user = new_user()
    assert user.projects_limit == 5
    with pytest.raises(GitlabError) as refused:
        standin.client(token_of(user, "api")).settings.get()
    assert _code(refused) == 403
    gl.settings.update(new_data={"default_projects_limit": 100000})


def test_keyset_pages_of_projects(gl: gitlab.Gitlab, template: Project) -> None:
    del template
    everything = sorted(p.id for p in gl.projects.list(get_all=True))
    keyset = gl.projects.list(
        iterator=True, pagination="keyset", order_by="id", sort="asc", per_page=2
    )
    assert [p.id for p in keyset] == everything
    down = gl.projects.list(iterator=True, pagination="keyset", order_by="id", per_page=2)
    assert [p.id for p in down] == everything[::-1]
