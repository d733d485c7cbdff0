"""A learner's GitLab account and fork: made once, found again; what stands in the way is said."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gitlab
import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.calls import Calls
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.errors import (
    GitLabUnavailableError,
    SpaceError,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.spaces import (
    Learner,
    connect,
    ensure_user,
    find_user,
    prepare_space,
)
from atelier.identity import username
from gitlab_standin.testing import Standin, free_port, running_standin
from kit.gitlab_beside import make_template


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """GitLab with the template of the course ``demo``."""
    with running_standin(tmp_path_factory.mktemp("gitlab")) as running:
        make_template(running.gitlab)
        yield running


@pytest.fixture
def gl(standin: Standin) -> gitlab.Gitlab:
    connection: gitlab.Gitlab = connect(standin.url, standin.root_token)
    return connection


def asking(gl: gitlab.Gitlab) -> Calls:
    """Requests over a connection, as the desk sends them."""
    return Calls(lambda: gl, tries=3)


@pytest.fixture
def learner() -> Learner:
    name = username("campus", secrets.token_hex(8))
    return Learner(name, "Ada Lovelace", f"{name}@users.noreply.campus.example")


def test_a_space_is_an_account_and_a_private_fork_with_the_template_s_files(
    standin: Standin, gl: gitlab.Gitlab, learner: Learner
) -> None:
    steps: list[str] = []
    space = prepare_space(asking(gl), learner, "demo/template", "demo", on_step=steps.append)
    assert space.project == f"{learner.username}/demo"
    assert space.url == f"{standin.url}/{learner.username}/demo"
    assert space.branch == "main"
    assert steps[:2] == ["account", "fork"]
    user = gl.users.get(space.user_id)
    assert (user.username, user.name, user.state) == (learner.username, learner.name, "active")
    assert [(one["provider"], one["extern_uid"]) for one in user.identities] == [
        ("oauth2_generic", learner.username)
    ]
    assert user.can_create_group is False
    project = gl.projects.get(space.project_id)
    assert project.visibility == "private"
    assert project.import_status == "finished"
    assert project.forked_from_project["path_with_namespace"] == "demo/template"
    assert [one["path"] for one in project.repository_tree()] == ["README.md"]


def test_a_second_time_changes_nothing(gl: gitlab.Gitlab, learner: Learner) -> None:
    first = prepare_space(asking(gl), learner, "demo/template", "demo")
    renamed = Learner(learner.username, "Somebody Else", "other@campus.example")
    assert prepare_space(asking(gl), renamed, "demo/template", "demo") == first
    assert gl.users.get(first.user_id).name == learner.name


def test_ten_at_once_make_one(standin: Standin, learner: Learner) -> None:
    def prepare(_: int) -> Any:
        gl = connect(standin.url, standin.root_token)
        return prepare_space(asking(gl), learner, "demo/template", "demo")

    with ThreadPoolExecutor(10) as pool:
        spaces = list(pool.map(prepare, range(10)))
    assert len(set(spaces)) == 1
    user = standin.gitlab.users.get(spaces[0].user_id)
    assert len(user.projects.list(get_all=True)) == 1


def test_somebody_s_address_is_not_taken_from_them(gl: gitlab.Gitlab, learner: Learner) -> None:
    owner = gl.users.create(
        {
            "username": "staff" + secrets.token_hex(4),
            "name": "Staff",
            "email": f"{learner.username}@campus.example",
            "force_random_password": True,
            "skip_confirmation": True,
        }
    )
    wants = Learner(learner.username, learner.name, owner.email, learner.email)
    made = ensure_user(asking(gl), wants)
    assert made.id != owner.id
    assert gl.users.get(made.id).email == learner.email
    assert gl.users.get(owner.id).identities == []


def test_an_account_of_that_name_without_the_identity_is_left_alone(
    gl: gitlab.Gitlab, learner: Learner
) -> None:
    other = gl.users.create(
        {
            "username": learner.username,
            "name": "Not them",
            "email": f"not-{learner.email}",
            "force_random_password": True,
            "skip_confirmation": True,
        }
    )
    with pytest.raises(SpaceError, match="without the identity"):
        ensure_user(asking(gl), learner)
    assert gl.users.get(other.id).identities == []
    assert find_user(asking(gl), learner.username) is None


def test_a_blocked_account_is_said(gl: gitlab.Gitlab, learner: Learner) -> None:
    gl.users.get(ensure_user(asking(gl), learner).id).block()
    with pytest.raises(SpaceError, match="the account is blocked"):
        prepare_space(asking(gl), learner, "demo/template", "demo")


def test_a_template_that_does_not_exist_is_named(gl: gitlab.Gitlab, learner: Learner) -> None:
    with pytest.raises(SpaceError, match="there is no template demo/nothing"):
        prepare_space(asking(gl), learner, "demo/nothing", "demo")


def test_a_wrong_token_is_said_and_not_shown(standin: Standin, learner: Learner) -> None:
    token = "glpat-" + secrets.token_hex(10)
    with pytest.raises(SpaceError, match="refuses the administrator's token") as error:
        prepare_space(asking(connect(standin.url, token)), learner, "demo/template", "demo")
    assert token not in str(error.value)


def test_gitlab_away_is_another_matter_than_gitlab_refusing(learner: Learner) -> None:
    nobody = connect(f"http://127.0.0.1:{free_port()}", "glpat-token")
    with pytest.raises(GitLabUnavailableError, match="does not answer"):
        prepare_space(asking(nobody), learner, "demo/template", "demo")
