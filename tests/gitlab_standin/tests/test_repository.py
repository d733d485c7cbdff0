"""Files, history, branches, comparisons and merge requests through the API."""

import base64

import gitlab
import pytest
from gitlab.exceptions import GitlabError
from gitlab.v4.objects import Project
from gitlab_standin.testing import Standin

from .conftest import NewUser, fork_of, token_of

AWKWARD = [
    "plain.txt",
    "with space.txt",
    "dossier été/naïve.md",
    "-dash",
    "a'b\"c",
    "deep/er/[x]*.csv",
]


@pytest.fixture
def project(gl: gitlab.Gitlab, request: pytest.FixtureRequest) -> Project:
    made = gl.projects.create({"name": request.node.name[:60], "initialize_with_readme": True})
    assert isinstance(made, Project)
    return made


@pytest.mark.parametrize("path", AWKWARD)
def test_a_file_of_any_name_is_made_read_changed_and_removed(project: Project, path: str) -> None:
    content = "première ligne\n"
    project.files.create(
        {"file_path": path, "branch": "main", "content": content, "commit_message": "Add"}
    )
    found = project.files.get(path, ref="main")
    assert base64.b64decode(found.content).decode() == content
    assert found.size == len(content.encode())
    first = found.last_commit_id
    found.content = "zweite\n"
    found.save(branch="main", commit_message="Change")
    assert project.files.raw(path, ref="main") == b"zweite\n"
    assert [c.title for c in project.commits.list(query_parameters={"path": path})] == [
        "Change",
        "Add",
    ]
    with pytest.raises(GitlabError) as stale:
        project.files.update(
            path,
            {
                "branch": "main",
                "content": "x",
                "commit_message": "m",
                "last_commit_id": first,
            },
        )
    assert "has changed since" in str(stale.value)
    project.files.delete(path, branch="main", commit_message="Remove")
    with pytest.raises(GitlabError) as gone:
        project.files.get(path, ref="main")
    assert gone.value.response_body == b'{"message":"404 File Not Found"}'


@pytest.mark.parametrize("path", ["../escape", "a/../../b", ".git/config", "a//b", "a/.git/x"])
def test_paths_that_leave_the_tree_are_refused(project: Project, path: str) -> None:
    with pytest.raises(GitlabError) as refused:
        project.commits.create(
            {
                "branch": "main",
                "commit_message": "m",
                "actions": [{"action": "create", "file_path": path, "content": "x"}],
            }
        )
    assert refused.value.response_code == 400


def test_one_commit_of_many_actions(project: Project) -> None:
    data = bytes(range(256))
    first = project.commits.create(
        {
            "branch": "main",
            "commit_message": "One\n\nmore words",
            "author_name": "A Teacher",
            "author_email": "teacher@example.org",
            "actions": [
                {"action": "create", "file_path": "a", "content": "a\n" * 20},
                {"action": "create", "file_path": "dir/b", "content": "b\n"},
                {
                    "action": "create",
                    "file_path": "bin",
                    "content": base64.b64encode(data).decode(),
                    "encoding": "base64",
                },
            ],
        }
    )
    assert (first.title, first.author_name) == ("One", "A Teacher")
    assert first.stats["additions"] == 21
    assert project.files.raw("bin", ref="main") == data
    project.commits.create(
        {
            "branch": "side",
            "start_branch": "main",
            "commit_message": "Two",
            "actions": [
                {"action": "move", "file_path": "moved", "previous_path": "a"},
                {"action": "delete", "file_path": "dir/b"},
                {"action": "update", "file_path": "README.md", "content": "# New\n"},
                {"action": "chmod", "file_path": "bin", "execute_filemode": True},
            ],
        }
    )
    tree = {e["path"]: e["mode"] for e in project.repository_tree(ref="side", recursive=True)}
    assert tree == {"README.md": "100644", "bin": "100755", "moved": "100644"}
    compared = project.repository_compare("main", "side")
    assert isinstance(compared, dict)
    diffs = {d["new_path"]: d for d in compared["diffs"]}
    assert diffs["moved"]["renamed_file"] is True
    assert diffs["moved"]["old_path"] == "a"
    assert diffs["dir/b"]["deleted_file"] is True
    assert diffs["README.md"]["diff"].startswith("@@")
    assert diffs["README.md"]["diff"].endswith("+# New\n")
    for action, path in (("create", "bin"), ("update", "nothing"), ("delete", "nothing")):
        with pytest.raises(GitlabError) as refused:
            project.commits.create(
                {
                    "branch": "main",
                    "commit_message": "m",
                    "actions": [{"action": action, "file_path": path, "content": "x"}],
                }
            )
        assert refused.value.response_code == 400


def test_branches(project: Project) -> None:
    project.branches.create({"branch": "feature/one", "ref": "main"})
    found = project.branches.get("feature/one")
    assert (found.protected, found.default, found.merged) == (False, False, True)
    assert project.branches.get("main").protected is True
    assert {b.name for b in project.branches.list()} == {"feature/one", "main"}
    for branch, ref in (
        ("feature/one", "main"),
        ("x", "nowhere"),
        ("bad..name", "main"),
        ("-x", "main"),
    ):
        with pytest.raises(GitlabError) as refused:
            project.branches.create({"branch": branch, "ref": ref})
        assert refused.value.response_code == 400
    project.branches.delete("feature/one")
    with pytest.raises(GitlabError) as missing:
        project.branches.get("feature/one")
    assert missing.value.response_code == 404
    with pytest.raises(GitlabError) as refused:
        project.branches.delete("main")
    assert refused.value.response_code == 400


def test_protected_branches(
    standin: Standin, gl: gitlab.Gitlab, project: Project, new_user: NewUser
) -> None:
    rule = project.protectedbranches.create(
        {"name": "release/*", "push_access_level": 0, "merge_access_level": 30}
    )
    assert rule.push_access_levels[0]["access_level_description"] == "No one"
    with pytest.raises(GitlabError) as twice:
        project.protectedbranches.create({"name": "release/*"})
    assert twice.value.response_code == 409
    developer = new_user()
    project.members.create({"user_id": developer.id, "access_level": 30})
    as_developer = standin.client(token_of(developer, "api")).projects.get(project.id)
    values = {"file_path": "x", "branch": "main", "content": "x", "commit_message": "m"}
    with pytest.raises(GitlabError) as refused:
        as_developer.files.create(values)
    assert "not allowed to push into this branch" in str(refused.value)
    as_developer.branches.create({"branch": "mine", "ref": "main"})
    as_developer.files.create({**values, "branch": "mine"})
    project.protectedbranches.delete("main")
    as_developer.files.create(values)
    rule.allow_force_push = True
    gl.http_patch(
        f"/projects/{project.id}/protected_branches/release%2F*",
        post_data={"allow_force_push": True},
    )
    assert project.protectedbranches.get("release/*").allow_force_push is True


def test_history_and_trees_by_pages(project: Project) -> None:
    for number in range(7):
        project.files.create(
            {
                "file_path": f"f{number}",
                "branch": "main",
                "content": str(number),
                "commit_message": f"c{number}",
            }
        )
    titles = [c.title for c in project.commits.list(get_all=True, per_page=3)]
    assert titles == ["c6", "c5", "c4", "c3", "c2", "c1", "c0", "Initial commit"]
    names = [e["name"] for e in project.repository_tree(get_all=True, per_page=3)]
    assert names == ["README.md", *(f"f{n}" for n in range(7))]
    assert [c.title for c in project.commits.list(ref_name="main~6..main~4")] == ["c2", "c1"]


def test_a_merge_request_between_fork_and_template(
    standin: Standin, gl: gitlab.Gitlab, template: Project, new_user: NewUser
) -> None:
    user = new_user()
    fork = fork_of(standin, template, user)
    template.files.create(
        {"file_path": "news.md", "branch": "main", "content": "new\n", "commit_message": "News"}
    )
    request = template.mergerequests.create(
        {
            "source_branch": "main",
            "target_branch": "main",
            "target_project_id": fork.id,
            "title": "Update",
        }
    )
    assert request.web_url == f"{standin.url}/{user.username}/course/-/merge_requests/1"
    assert (request.state, request.detailed_merge_status) == ("opened", "mergeable")
    with pytest.raises(GitlabError) as twice:
        template.mergerequests.create(
            {
                "source_branch": "main",
                "target_branch": "main",
                "target_project_id": fork.id,
                "title": "Update",
            }
        )
    assert twice.value.response_code == 409
    assert b"!1" in (twice.value.response_body or b"")
    as_learner = standin.client(token_of(user, "api")).projects.get(fork.id)
    compared = gl.http_get(
        f"/projects/{template.id}/repository/compare",
        query_data={"from": "main", "to": "main", "from_project_id": fork.id},
    )
    assert isinstance(compared, dict)
    assert [c["title"] for c in compared["commits"]] == ["News"]
    mine = as_learner.mergerequests.list(state="opened")
    assert [m.iid for m in mine] == [1]
    assert mine[0].source_project_id == template.id
    with pytest.raises(GitlabError) as stale:
        as_learner.mergerequests.get(1).merge(sha="0" * 40)
    assert stale.value.response_code == 409
    as_learner.mergerequests.get(1).merge()
    merged = as_learner.mergerequests.get(1)
    assert merged.state == "merged"
    assert merged.merge_commit_sha
    assert as_learner.files.raw("news.md", ref="main") == b"new\n"
    with pytest.raises(GitlabError) as again:
        merged.merge()
    assert again.value.response_code == 405


def test_a_conflict_is_not_merged(project: Project) -> None:
    project.branches.create({"branch": "side", "ref": "main"})
    for branch in ("main", "side"):
        project.files.update(
            "README.md", {"branch": branch, "content": branch, "commit_message": branch}
        )
    request = project.mergerequests.create(
        {"source_branch": "side", "target_branch": "main", "title": "Clash"}
    )
    assert (request.has_conflicts, request.detailed_merge_status) == (True, "conflict")
    with pytest.raises(GitlabError) as refused:
        request.merge()
    assert refused.value.response_code == 422
    request.state_event = "close"
    request.save()
    assert project.mergerequests.get(request.iid).state == "closed"
