"""Tokens: scopes, ends, rotation, Sudo."""

import datetime as dt
import sqlite3

import gitlab
import httpx
import pytest
from gitlab.exceptions import GitlabError
from gitlab_standin.testing import Standin

from .conftest import NewUser, token_of


def _get(standin: Standin, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{standin.url}/api/v4{path}", headers=headers)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def test_an_impersonation_token_lives_and_is_revoked(standin: Standin, new_user: NewUser) -> None:
    user = new_user()
    made = user.impersonationtokens.create(
        {
            "name": "x",
            "scopes": ["api"],
            "expires_at": (_today() + dt.timedelta(days=1)).isoformat(),
        }
    )
    assert made.token.startswith("glpat-")
    assert made.impersonation is True
    for headers in ({"PRIVATE-TOKEN": made.token}, {"Authorization": f"Bearer {made.token}"}):
        assert _get(standin, "/user", **headers).json()["username"] == user.username
    listed = user.impersonationtokens.list(state="active")
    assert [t.id for t in listed] == [made.id]
    assert "token" not in listed[0].attributes
    made.delete()
    answer = _get(standin, "/user", **{"PRIVATE-TOKEN": made.token})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    again = user.impersonationtokens.get(made.id)
    assert (again.revoked, again.active) == (True, False)


def test_a_token_is_dead_from_the_start_of_the_day_it_names(
    standin: Standin, new_user: NewUser
) -> None:
    user = new_user()
    with pytest.raises(GitlabError) as refused:
        user.impersonationtokens.create(
            {"name": "x", "scopes": ["api"], "expires_at": _today().isoformat()}
        )
    assert refused.value.response_code == 422
    token = token_of(user, "api", expires_at=(_today() + dt.timedelta(days=1)).isoformat())
    assert _get(standin, "/user", **{"PRIVATE-TOKEN": token}).status_code == 200
    # The day comes: nothing but the date decides.
    with sqlite3.connect(standin.root / "var/opt/gitlab/postgresql/standin.sqlite") as database:
        database.execute(
            "update personal_access_tokens set expires_at = ? where user_id = ?",
            (_today().isoformat(), user.id),
        )
    answer = _get(standin, "/user", **{"PRIVATE-TOKEN": token})
    assert answer.status_code == 401
    assert "expired" in answer.json()["error_description"]


def test_too_long_a_life_and_unknown_scopes_are_refused(new_user: NewUser) -> None:
    user = new_user()
    for values in (
        {"name": "x", "scopes": ["api"], "expires_at": "2099-01-01"},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "scopes": ["sudo"]},
        {"name": "x", "scopes": []},
    ):
        with pytest.raises(GitlabError) as refused:
            user.impersonationtokens.create(values)
        assert refused.value.response_code == 422


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("api", "/projects", 200),
        ("read_api", "/projects", 200),
        ("read_user", "/user", 200),
        ("read_user", "/projects", 403),
        ("write_repository", "/user", 403),
        ("read_repository", "/projects", 403),
        ("read_repository", "/personal_access_tokens/self", 200),
    ],
)
def test_scopes(standin: Standin, new_user: NewUser, scope: str, path: str, status: int) -> None:
    token = token_of(new_user(), scope)
    answer = _get(standin, path, **{"PRIVATE-TOKEN": token})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"] == "insufficient_scope"


def test_no_wrong_and_blocked_credentials(
    standin: Standin, gl: gitlab.Gitlab, new_user: NewUser
) -> None:
    assert _get(standin, "/user").json() == {"message": "401 Unauthorized"}
    assert _get(standin, "/user").status_code == 401
    assert _get(standin, "/projects", **{"PRIVATE-TOKEN": "glpat-wrong"}).status_code == 401
    user = new_user()
    token = token_of(user, "api")
    user.block()
    answer = _get(standin, "/user", **{"PRIVATE-TOKEN": token})
    assert answer.status_code == 403
    assert "blocked" in answer.json()["message"]
    assert gl.version() == ("18.11.2", "57a4d1e6b2f")


def test_sudo(standin: Standin, gl: gitlab.Gitlab, new_user: NewUser) -> None:
    user = new_user()
    for wanted in (user.username, str(user.id)):
        assert gl.http_get("/user", sudo=wanted)["username"] == user.username  # type: ignore[index]
    answer = _get(standin, "/user", **{"PRIVATE-TOKEN": standin.root_token, "Sudo": "nobody"})
    assert answer.status_code == 404
    assert answer.json() == {"message": "404 User with ID or username 'nobody' Not Found"}
    answer = _get(standin, "/user", **{"PRIVATE-TOKEN": token_of(user, "api"), "Sudo": "root"})
    assert answer.status_code == 403
    plain = gl.users.get(1).impersonationtokens.create({"name": "no sudo", "scopes": ["api"]}).token
    answer = _get(standin, "/user", **{"PRIVATE-TOKEN": plain, "Sudo": user.username})
    assert (answer.status_code, answer.json()["scope"]) == (403, "sudo")


def test_rotation_kills_the_old_and_a_replayed_old_one_kills_the_new(
    standin: Standin, gl: gitlab.Gitlab, new_user: NewUser
) -> None:
    user = new_user()
    made = gl.http_post(
        f"/users/{user.id}/personal_access_tokens",
        post_data={
            "name": "x",
            "scopes": ["api"],
            "expires_at": str(_today() + dt.timedelta(days=30)),
        },
    )
    assert isinstance(made, dict)
    fresh = standin.client(made["token"]).http_post("/personal_access_tokens/self/rotate")
    assert isinstance(fresh, dict)
    assert fresh["expires_at"] == str(_today() + dt.timedelta(days=7))
    assert _get(standin, "/user", **{"PRIVATE-TOKEN": made["token"]}).status_code == 401
    assert _get(standin, "/user", **{"PRIVATE-TOKEN": fresh["token"]}).status_code == 200
    with pytest.raises(GitlabError):
        gl.http_post(f"/personal_access_tokens/{made['id']}/rotate")
    assert _get(standin, "/user", **{"PRIVATE-TOKEN": fresh["token"]}).status_code == 401


def test_people_may_make_only_harmless_tokens_themselves(
    standin: Standin, new_user: NewUser
) -> None:
    mine = standin.client(token_of(new_user(), "api"))
    assert mine.http_post(
        "/user/personal_access_tokens", post_data={"name": "x", "scopes": ["self_rotate"]}
    )
    with pytest.raises(GitlabError) as refused:
        mine.http_post("/user/personal_access_tokens", post_data={"name": "x", "scopes": ["api"]})
    assert refused.value.response_code == 400
