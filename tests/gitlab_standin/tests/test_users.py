"""Accounts, driven by python-gitlab as the collection drives them."""

import gitlab
import httpx
import pytest
from gitlab.exceptions import GitlabCreateError, GitlabError
from gitlab_standin.testing import Standin

from .conftest import NewUser, token_of


def _values(name: str, **changes: object) -> dict[str, object]:
    return {
        "username": name,
        "name": name,
        "email": f"{name}@example.org",
        "force_random_password": True,
        "skip_confirmation": True,
        **changes,
    }


def test_a_learner_is_made_found_changed_and_removed(gl: gitlab.Gitlab, new_user: NewUser) -> None:
    user = new_user(can_create_group=False, external=True, projects_limit=3)
    assert user.identities == [{"provider": "oauth2_generic", "extern_uid": user.username}]
    assert (user.can_create_group, user.external, user.projects_limit) == (False, True, 3)
    assert user.confirmed_at
    found = gl.users.list(extern_uid=user.username.upper(), provider="oauth2_generic")
    assert [u.id for u in found] == [user.id]
    assert [u.id for u in gl.users.list(username=user.username.upper())] == [user.id]
    user.name = "Somebody Else"
    user.save()
    assert gl.users.get(user.id).name == "Somebody Else"
    user.identityproviders.delete("oauth2_generic")
    assert gl.users.get(user.id).identities == []
    user.delete()
    with pytest.raises(GitlabError) as refused:
        gl.users.get(user.id)
    assert refused.value.response_code == 404


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"email": "TAKEN@example.org"}, 409, "Email has already been taken"),
        ({"username": "Taken"}, 409, "Username has already been taken"),
        ({"username": "Taken", "email": "taken@example.org"}, 409, "Email has already been taken"),
        ({"username": "a b"}, 400, "can contain only letters"),
        ({"username": "explore"}, 400, "reserved"),
        ({"username": "agroup"}, 400, "base"),
        ({"email": "nowhere"}, 400, "is invalid"),
        ({"force_random_password": False, "password": "short"}, 400, "too short"),
        ({"provider": "oauth2_generic", "extern_uid": "TAKEN"}, 400, "already been taken"),
        ({"provider": "oauth2_generic"}, 400, "extern_uid is missing"),
        ({"force_random_password": None}, 400, "at least one parameter"),
        ({"projects_limit": "many"}, 400, "projects_limit is invalid"),
        ({"email": None}, 400, "be blank"),
    ],
)
def test_refusals_have_gitlabs_code_and_words(
    standin: Standin, changes: dict[str, object], code: int, message: str
) -> None:
    gl = standin.gitlab
    if not gl.users.list(username="taken"):
        gl.users.create(_values("taken", provider="oauth2_generic", extern_uid="taken"))
        gl.groups.create({"name": "A group", "path": "agroup"})
    with pytest.raises(GitlabCreateError) as refused:
        gl.users.create(_values("newcomer", **changes))
    assert refused.value.response_code == code
    assert message in str(refused.value.response_body)
    assert not gl.users.list(username="newcomer")


def test_missing_parameters_are_named(standin: Standin) -> None:
    answer = httpx.post(
        f"{standin.url}/api/v4/users",
        headers={"PRIVATE-TOKEN": standin.root_token},
        json={"name": "x"},
    )
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "email is missing, username is missing"},
    )


def test_states(gl: gitlab.Gitlab, new_user: NewUser) -> None:
    user = new_user()
    assert user.block() is True
    assert user.block() is None
    assert gl.users.get(user.id).state == "blocked"
    with pytest.raises(GitlabError) as refused:
        gl.http_post(f"/users/{user.id}/deactivate")
    assert refused.value.response_code == 403
    assert user.unblock() is True
    assert user.unblock() is False
    assert gl.users.get(user.id).state == "active"
    with pytest.raises(GitlabError) as refused:
        gl.http_post("/users/1/block")
    assert refused.value.response_code == 403


def test_an_identity_clash_at_an_update_changes_nothing(
    gl: gitlab.Gitlab, new_user: NewUser
) -> None:
    one, other = new_user(), new_user()
    with pytest.raises(GitlabError) as refused:
        gl.users.update(other.id, {"provider": "oauth2_generic", "extern_uid": one.username})
    assert refused.value.response_code == 400
    assert gl.users.get(other.id).identities[0]["extern_uid"] == other.username


def test_an_address_waits_for_its_mail_unless_told_otherwise(
    gl: gitlab.Gitlab, new_user: NewUser
) -> None:
    user = new_user()
    gl.users.update(user.id, {"email": "new1@example.org"})
    assert gl.users.get(user.id).email == user.email
    gl.users.update(user.id, {"email": "new1@example.org", "skip_reconfirmation": True})
    assert gl.users.get(user.id).email == "new1@example.org"


def test_an_administrators_password_for_somebody_blocks_their_tokens(
    standin: Standin, gl: gitlab.Gitlab, new_user: NewUser
) -> None:
    user = new_user()
    token = token_of(user, "api")
    standin.client(token).auth()
    gl.users.update(user.id, {"password": "quite-Long-enough-7"})
    with pytest.raises(GitlabError) as refused:
        standin.client(token).http_get("/user")
    assert refused.value.response_code == 403
    assert "password expired" in str(refused.value.response_body)


def test_what_others_see(standin: Standin, new_user: NewUser) -> None:
    user, other = new_user(), new_user()
    seen = standin.client(token_of(user, "api")).http_get(f"/users/{other.id}")
    assert isinstance(seen, dict)
    assert "email" not in seen
    assert "identities" not in seen
    url = f"{standin.url}/api/v4/users"
    assert httpx.get(url).status_code == 403
    assert [u["id"] for u in httpx.get(url, params={"username": user.username}).json()] == [user.id]
    with pytest.raises(GitlabError) as refused:
        standin.client(token_of(user, "api")).users.create(_values("nope"))
    assert refused.value.response_code == 403


def test_deletion_takes_personal_projects_and_spares_sole_owners(
    gl: gitlab.Gitlab, new_user: NewUser
) -> None:
    user = new_user()
    project = gl.http_post(f"/projects/user/{user.id}", post_data={"name": "mine"})
    group = gl.groups.create({"name": "g", "path": f"g-{user.username}"})
    group.members.create({"user_id": user.id, "access_level": 50})
    group.members.delete(1)
    with pytest.raises(GitlabError) as refused:
        gl.users.delete(user.id)
    assert refused.value.response_code == 409
    gl.users.delete(user.id, hard_delete=True)
    assert isinstance(project, dict)
    for path in (f"/projects/{project['id']}", f"/groups/{group.id}"):
        with pytest.raises(GitlabError) as missing:
            gl.http_get(path)
        assert missing.value.response_code == 404


def test_pages_by_offset_and_by_key(standin: Standin, gl: gitlab.Gitlab, new_user: NewUser) -> None:
    for _ in range(7):
        new_user()
    everybody = sorted(u.id for u in gl.users.list(get_all=True, per_page=3))
    assert len(everybody) == len(set(everybody)) >= 8
    answer = httpx.get(
        f"{standin.url}/api/v4/users",
        params={"per_page": 3, "page": 2},
        headers={"PRIVATE-TOKEN": standin.root_token},
    )
    assert answer.headers["x-page"] == "2"
    assert answer.headers["x-next-page"] == "3"
    assert answer.headers["x-prev-page"] == "1"
    assert answer.headers["x-total"] == str(len(everybody))
    assert set(answer.links) == {"prev", "next", "first", "last"}
    keyset = gl.users.list(
        iterator=True, pagination="keyset", order_by="id", sort="asc", per_page=3
    )
    assert [u.id for u in keyset] == everybody
    assert len(gl.users.list(per_page=1000, page=1)) <= 100
