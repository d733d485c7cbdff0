"""Git over HTTP, driven by git itself."""

import base64
import secrets
import sqlite3
import subprocess
from pathlib import Path

import gitlab
import httpx
import pytest
from gitlab.v4.objects import Project, User
from gitlab_standin.testing import Standin

from .conftest import NewUser, fork_of, git, token_of


@pytest.fixture
def learner(new_user: NewUser) -> User:
    return new_user()


def _commit(clone: Path, name: str = "work.txt", text: str = "work\n") -> None:
    (clone / name).write_text(text)
    git("add", name, cwd=clone)
    git("commit", "-qm", f"Add {name}", cwd=clone)


def test_clone_and_push(standin: Standin, template: Project, learner: User, tmp_path: Path) -> None:
    fork = fork_of(standin, template, learner)
    token = token_of(learner, "write_repository")
    clone = tmp_path / "c"
    git("clone", "-q", standin.git_url(fork.path_with_namespace, token, "whoever"), str(clone))
    assert (clone / "README.md").exists()
    _commit(clone)
    git("push", "-q", "-o", "ci.skip", cwd=clone)
    assert fork.files.raw("work.txt", ref="main") == b"work\n"
    assert standin.gitlab.projects.get(fork.id).last_activity_at > fork.last_activity_at


def test_a_push_larger_than_the_setting_is_refused(
    standin: Standin, template: Project, learner: User, tmp_path: Path
) -> None:
    fork = fork_of(standin, template, learner)
    token = token_of(learner, "write_repository")
    clone = tmp_path / "c"
    git("clone", "-q", standin.git_url(fork.path_with_namespace, token, "whoever"), str(clone))
    settings = standin.gitlab.settings.get()
    settings.receive_max_input_size = 1
    settings.save()
    try:
        _commit(clone, "noise", secrets.token_hex(2 * 2**20))
        with pytest.raises(subprocess.CalledProcessError) as refused:
            git("push", "-q", cwd=clone)
        assert "pack exceeds maximum allowed size" in str(refused.value.stderr)
        settings.receive_max_input_size = 5
        settings.save()
        git("push", "-q", cwd=clone)
    finally:
        settings.receive_max_input_size = None
        settings.save()


@pytest.mark.parametrize(
    ("scope", "reads", "writes", "words"),
    [
        ("write_repository", True, True, ""),
        ("api", True, True, ""),
        ("read_repository", True, False, "You are not allowed to upload code."),
        ("read_api", True, False, "You are not allowed to upload code."),
        ("read_user", False, False, "HTTP Basic: Access denied"),
    ],
)
def test_scopes(
    standin: Standin,
    template: Project,
    learner: User,
    tmp_path: Path,
    scope: str,
    reads: bool,
    writes: bool,
    words: str,
) -> None:
    fork = fork_of(standin, template, learner)
    clone = tmp_path / "c"
    good = standin.git_url(fork.path_with_namespace, token_of(learner, "api"))
    git("clone", "-q", good, str(clone))
    _commit(clone)
    url = standin.git_url(fork.path_with_namespace, token_of(learner, scope))
    assert (git("ls-remote", url, check=False).returncode == 0) is reads
    pushed = git("push", url, "HEAD:refs/heads/side", cwd=clone, check=False)
    assert (pushed.returncode == 0) is writes
    assert words in pushed.stderr


def _info(
    standin: Standin, path: str, password: str | None, service: str = "upload"
) -> httpx.Response:
    headers = {}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"x:{password}".encode()).decode()
    return httpx.get(
        f"{standin.url}/{path}.git/info/refs?service=git-{service}-pack", headers=headers
    )


def test_answers_at_the_door(
    standin: Standin, gl: gitlab.Gitlab, template: Project, learner: User, new_user: NewUser
) -> None:
    fork = fork_of(standin, template, learner)
    path = fork.path_with_namespace
    private = gl.projects.create({"name": "Private"}).path_with_namespace
    public = gl.projects.create(
        {"name": "Public", "visibility": "public", "initialize_with_readme": True}
    )
    for missing in (private, "no/such"):
        answer = _info(standin, missing, None)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="GitLab"'
        assert answer.text.startswith("HTTP Basic: Access denied.")
    token = token_of(learner, "write_repository")
    assert _info(standin, path, token).status_code == 200
    assert _info(standin, path, "wrong").status_code == 401
    assert _info(standin, public.path_with_namespace, None).status_code == 200
    assert _info(standin, public.path_with_namespace, "wrong").status_code == 401
    assert _info(standin, public.path_with_namespace, None, "receive").status_code == 401
    answer = _info(standin, public.path_with_namespace, token, "receive")
    assert (answer.status_code, answer.text) == (
        403,
        "You are not allowed to push code to this project.",
    )
    for missing in (private, "no/such"):
        answer = _info(standin, missing, token)
        assert answer.status_code == 404
        assert "could not be found or you don't have permission" in answer.text
    other = new_user()
    assert _info(standin, path, token_of(other, "write_repository"), "receive").status_code == 403
    assert (
        httpx.head(f"{standin.url}/{path}.git/info/refs?service=git-upload-pack").status_code == 403
    )
    learner.block()
    assert _info(standin, path, token).status_code == 401


def test_a_dead_token_stops_the_next_request(
    standin: Standin, template: Project, learner: User
) -> None:
    path = template.path_with_namespace
    made = learner.impersonationtokens.create({"name": "x", "scopes": ["read_repository"]})
    assert _info(standin, path, made.token).status_code == 200
    made.delete()
    assert _info(standin, path, made.token).status_code == 401
    fresh = token_of(learner, "read_repository")
    with sqlite3.connect(standin.root / "var/opt/gitlab/postgresql/standin.sqlite") as database:
        database.execute(
            "update personal_access_tokens set expires_at = date('now') where user_id = ?",
            (learner.id,),
        )
    assert _info(standin, path, fresh).status_code == 401


def test_a_password_opens_git_until_it_is_expired(
    standin: Standin, template: Project, new_user: NewUser
) -> None:
    user = new_user(password="quite-Long-enough-7", force_random_password=False)
    credentials = (user.username, "quite-Long-enough-7")
    url = f"{standin.url}/{template.path_with_namespace}.git/info/refs?service=git-upload-pack"
    assert httpx.get(url, auth=credentials).status_code == 200
    token = token_of(user, "write_repository")
    standin.gitlab.users.update(user.id, {"password": "quite-Long-enough-8"})
    assert httpx.get(url, auth=(user.username, "quite-Long-enough-8")).status_code == 401
    assert httpx.get(url, auth=("x", token)).status_code == 401


def test_protected_branches_refuse_with_gitlabs_words(
    standin: Standin, gl: gitlab.Gitlab, tmp_path: Path, new_user: NewUser
) -> None:
    owner, developer = new_user(), new_user()
    made = gl.http_post(
        f"/projects/user/{owner.id}", post_data={"name": "p", "initialize_with_readme": True}
    )
    assert isinstance(made, dict)
    project = gl.projects.get(made["id"])
    project.members.create({"user_id": developer.id, "access_level": 30})
    clone = tmp_path / "c"
    git(
        "clone",
        "-q",
        standin.git_url(project.path_with_namespace, token_of(developer, "api")),
        str(clone),
    )
    _commit(clone)
    refused = git("push", cwd=clone, check=False)
    assert (
        "remote: GitLab: You are not allowed to push code to protected branches" in refused.stderr
    )
    assert "[remote rejected] main -> main (pre-receive hook declined)" in refused.stderr
    assert git("push", "-q", "origin", "HEAD:side", cwd=clone).returncode == 0
    git(
        "remote",
        "set-url",
        "origin",
        standin.git_url(project.path_with_namespace, token_of(owner, "api")),
        cwd=clone,
    )
    git("push", "-q", "origin", "main", cwd=clone)
    git("commit", "-q", "--amend", "-m", "Other", cwd=clone)
    forced = git("push", "-f", "origin", "main", cwd=clone, check=False)
    assert "not allowed to force push code to a protected branch" in forced.stderr
    deleted = git("push", "origin", ":main", cwd=clone, check=False)
    assert "default branch of a project cannot be deleted" in deleted.stderr
    assert git("push", "-q", "-f", "origin", "main:side", cwd=clone).returncode == 0
    assert git("push", "-q", "origin", ":side", cwd=clone).returncode == 0
    assert [c.title for c in project.commits.list()] == ["Add work.txt", "Initial commit"]


def test_a_first_push_makes_branch_rule_and_project(
    standin: Standin, learner: User, tmp_path: Path
) -> None:
    work = tmp_path / "w"
    git("init", "-q", "-b", "trunk", str(work))
    _commit(work, "README.md", "# Mine\n")
    url = standin.git_url(f"{learner.username}/pushed", token_of(learner, "write_repository"))
    git("push", "-q", url, "trunk", cwd=work)
    project = standin.gitlab.projects.get(f"{learner.username}/pushed")
    assert (project.visibility, project.default_branch) == ("private", "trunk")
    assert [r.name for r in project.protectedbranches.list()] == ["trunk"]


def test_a_big_push_and_shallow_partial_clones(
    standin: Standin, learner: User, tmp_path: Path
) -> None:
    work = tmp_path / "w"
    git("init", "-q", "-b", "main", str(work))
    (work / "data.bin").write_bytes(bytes(i * 7919 % 251 for i in range(6_000_000)))
    for number in range(3):
        _commit(work, f"f{number}")
    git("add", "data.bin", cwd=work)
    git("commit", "-qm", "data", cwd=work)
    url = standin.git_url(f"{learner.username}/big", token_of(learner, "write_repository"))
    git("push", "-q", url, "main", cwd=work)
    git("clone", "-q", "--depth=1", url, str(tmp_path / "shallow"))
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path / "shallow").stdout == "1\n"
    git("clone", "-q", "--filter=blob:none", url, str(tmp_path / "partial"))
    assert (tmp_path / "partial/data.bin").read_bytes() == (work / "data.bin").read_bytes()


def test_eight_clones_at_once(
    standin: Standin, template: Project, learner: User, tmp_path: Path
) -> None:
    url = standin.git_url(template.path_with_namespace, token_of(learner, "read_repository"))
    command = ["git", "-c", "protocol.version=2", "clone", "-q", url]
    running = [subprocess.Popen([*command, str(tmp_path / str(n))]) for n in range(8)]
    assert [process.wait(60) for process in running] == [0] * 8
