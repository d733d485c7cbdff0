"""What an account and a fork must be: the rules, without GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import (
    connection,
    fork_protection,
    fork_updates,
    forks,
    session,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import learners as _learners
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.bulk import Outcome
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.calls import (
    LearnerError,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.errors import (
    GitLabUnavailableError,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.learners import (
    Account,
    Directory,
    Wanted,
)
from kit.modules import run


def user(number: int, name: str, uid: str | None = None, **changes: Any) -> dict[str, Any]:
    """GitLab's JSON of an account."""
    identities = [{"provider": "oauth2_generic", "extern_uid": uid}] if uid else []
    return {
        "id": number, "username": name, "name": name, "email": f"{name}@example.org",
        "state": "active", "external": False, "can_create_group": False, "is_admin": False,
        "identities": [{"provider": "ldap", "extern_uid": "x"}, *identities],
    } | changes  # fmt: skip


def account(**changes: Any) -> Account:
    return _learners.account_of(user(7, "u1", "u1", **changes), "oauth2_generic")


def test_a_new_account_has_an_identity_and_a_password_nobody_knows() -> None:
    body = _learners.creation(Wanted("u1", "u1", "Ada", "ada@example.org"))
    assert (body["provider"], body["extern_uid"]) == ("oauth2_generic", "u1")
    assert body["force_random_password"] is True
    assert body["skip_confirmation"] is True
    assert body["can_create_group"] is False
    assert "password" not in body
    assert "external" not in body
    assert _learners.creation(Wanted("u1", "u1", external=True, email="a@b.c"))["external"] is True


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (Wanted("u1", "u1"), {}),
        (Wanted("u1", "u1", name="u1", email="U1@Example.ORG"), {}),
        (Wanted("u1", "u1", name="Ada"), {"name": "Ada"}),
        (Wanted("u1", "u1", email="new@example.org"), {"email": "new@example.org"}),
        (Wanted("u2", "u1"), {"username": "u2"}),
        (Wanted("u1", "u1", external=True), {"external": True}),
        (Wanted("u1", "u1", external=False), {}),
    ],
)
def test_only_what_differs_is_written(wanted: Wanted, changes: dict[str, Any]) -> None:
    assert _learners.differences(wanted, account()) == changes


@pytest.mark.parametrize(
    ("state", "wanted", "verb"),
    [
        ("active", "present", None),
        ("deactivated", "present", None),
        ("blocked", "present", "unblock"),
        ("blocked_pending_approval", "present", "approve"),
        ("active", "blocked", "block"),
        ("blocked", "blocked", None),
        ("banned", "blocked", None),
    ],
)
def test_states(state: str, wanted: str, verb: str | None) -> None:
    assert _learners.state_action(Wanted("u1", "u1", state=wanted), account(state=state)) == verb


@pytest.mark.parametrize("state", ["banned", "ldap_blocked"])
def test_what_somebody_else_decided_is_not_lifted(state: str) -> None:
    with pytest.raises(LearnerError, match=state):
        _learners.state_action(Wanted("u1", "u1"), account(state=state))


def test_a_token_that_does_not_see_identities_is_noticed() -> None:
    plain = {"id": 1, "username": "a", "name": "a", "state": "active"}
    with pytest.raises(_learners.NotAdministratorError):
        _learners.account_of(plain, "oauth2_generic")


class Listing:
    """Accounts with ids up to ``newest``, listed from there; counts what is asked."""

    def __init__(self, newest: int, users: list[dict[str, Any]]) -> None:
        self.users = {one["id"]: one for one in users}
        self.newest = newest
        self.listed = self.asked = 0

    def pages(self, path: str, *, keyset: bool) -> Iterator[list[dict[str, Any]]]:
        assert (path, keyset) == ("/users", True)
        for top in range(self.newest, 0, -100):
            self.listed += 1
            yield [
                self.users.get(number) or user(number, f"other{number}", f"other{number}")
                for number in range(top, max(0, top - 100), -1)
            ]

    def get(self, path: str, **query: str) -> list[dict[str, Any]]:
        assert path == "/users"
        self.asked += 1
        key = query.get("extern_uid") or query["username"]
        return [one for one in self.users.values() if one["username"] == key]


def look(listing: Listing, names: list[str]) -> Directory:
    wanted = [Wanted(name, name) for name in names]
    return _learners.read_directory(listing, wanted, "oauth2_generic")  # type: ignore[arg-type]


def test_who_is_not_who_was_asked_for_is_not_believed() -> None:
    """A GitLab (or a proxy) that does not heed the filter answers with everybody."""

    class Everybody(Listing):
        def get(self, path: str, **query: str) -> list[dict[str, Any]]:
            del path, query
            return list(self.users.values())

    listing = Everybody(5000, [user(17, "u17", "u17"), user(18, "u18", "u18")])
    assert look(listing, ["u18"]).by_uid["u18"].id == 18
    found = look(listing, ["u19"])
    assert (found.by_uid, found.by_name) == ({}, {})


@pytest.mark.parametrize(
    "nobody", ["", " ", "a b", "../admin", "a/b", "x\n", "é", "-x", "x.", "u" * 256, "\0"]
)
def test_names_that_are_nobody_s(nobody: str) -> None:
    session.check_usernames(["u2k7m4qzsbhd6xw3n", "Zoe.M_1-a", "_"])
    with pytest.raises(connection.InstanceError, match=r"Nothing was changed"):
        session.check_usernames(["good", nobody])


def test_one_learner_is_asked_for_not_listed() -> None:
    listing = Listing(5000, [user(17, "u17", "u17")])
    assert look(listing, ["u17"]).by_uid["u17"].id == 17
    assert (listing.listed, listing.asked) == (0, 1)


def test_a_class_on_a_big_gitlab_is_asked_for_one_by_one() -> None:
    listing = Listing(1_000_000, [user(n, f"u{n}", f"u{n}") for n in range(1, 21)])
    found = look(listing, [f"u{n}" for n in range(1, 21)])
    assert len(found.by_uid) == 20
    assert (listing.listed, listing.asked) == (1, 20)


def test_everybody_is_listed_once_a_hundred_at_a_time() -> None:
    listing = Listing(10_000, [user(n, f"u{n}", f"u{n}") for n in range(1, 10_001)])
    found = look(listing, [f"u{n}" for n in range(1, 10_001)])
    assert len(found.by_uid) == 10_000
    assert (listing.listed, listing.asked) == (100, 0)


def test_newcomers_are_found_on_the_first_page() -> None:
    listing = Listing(10_000, [user(n, f"u{n}", f"u{n}") for n in range(9_950, 9_990)])
    look(listing, [f"u{n}" for n in range(9_950, 9_990)])
    assert (listing.listed, listing.asked) == (1, 0)


def test_who_is_nowhere_is_known_after_the_whole_list() -> None:
    listing = Listing(300, [])
    found = look(listing, [f"u{n}" for n in range(50)])
    assert found.by_uid == {}
    assert (listing.listed, listing.asked) == (3, 0)


def project(**changes: Any) -> dict[str, Any]:
    return {
        "id": 9, "path": "rr1", "path_with_namespace": "u1/rr1",
        "namespace": {"full_path": "u1"}, "visibility": "private", "import_status": "finished",
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("path", "day", "was"),
    [
        ("rr1", None, "rr1"),
        ("rr1-deletion_scheduled-9", "2026-12-01", "rr1"),
        ("rr1-deleted-9", "2026-12-01", "rr1"),
        ("rr1-deletion_scheduled-9", None, "rr1-deletion_scheduled-9"),
    ],
)
def test_where_a_deleted_fork_was(path: str, day: str | None, was: str) -> None:
    fork = forks.fork_of(project(path=path, marked_for_deletion_on=day))
    assert fork.scheduled_path == was


@pytest.mark.parametrize(
    ("asked", "template", "got"),
    [("public", "private", "private"), ("private", "public", "private"),
     ("internal", "internal", "internal"), ("public", "internal", "internal")],
)  # fmt: skip
def test_no_fork_is_more_visible_than_its_template(asked: str, template: str, got: str) -> None:
    made = forks.Template(1, "rr1/template", template, "main")
    assert forks.allowed_visibility(asked, made) == got


def rule(push: int = 40, merge: int = 40, force: bool = False) -> dict[str, Any]:
    return {
        "push_access_levels": [{"access_level": push}],
        "merge_access_levels": [{"access_level": merge}],
        "allow_force_push": force,
    }


def test_good_protection() -> None:
    assert fork_protection.is_protected(rule())
    for bad in (None, rule(force=True), rule(push=30), rule(merge=30), rule(push=0)):
        assert not fork_protection.is_protected(bad)


def request(state: str, sha: str = "old") -> fork_updates.Request:
    return fork_updates.Request(state, sha, "")


@pytest.mark.parametrize(
    ("past", "state"),
    [
        ([], None),
        ([request("merged"), request("closed")], None),
        ([request("closed"), request("opened")], "opened"),
        ([request("merged", "new")], "merged"),
        ([request("closed", "new"), request("merged")], "closed"),
        ([request("closed", "new"), request("opened", "new")], "opened"),
    ],
)
def test_one_merge_request_for_each_version(
    past: list[fork_updates.Request], state: str | None
) -> None:
    found = fork_updates.answered(past, "new")
    assert (found.state if found else None) == state


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Email has already been taken", "Email has already been taken"),
        ({"email": ["is invalid", "is too long"]}, "email: is invalid, is too long"),
        (
            ["Name has already been taken", "Name has already been taken"],
            "Name has already been taken",
        ),
        (b"<html>", "<html>"),
    ],
)
def test_gitlab_s_words(message: Any, text: str) -> None:
    assert session.said(message) == text


def test_failures_are_told_shortly_and_in_full() -> None:
    outcome = Outcome(failed={f"u{n:02d}": "no" for n in range(15)}, untried=["z"])
    outcome.stopped = GitLabUnavailableError("down")
    told = session.failure(outcome, 100, str)
    assert told["failed"]
    assert told["msg"].startswith("15 of 100 learners failed. u00: no; u01: no;")
    assert "and 5 more" in told["msg"]
    assert "Stopped early, 1 learners were not tried: down." in told["msg"]
    assert len(told["failed_learners"]) == 15
    assert session.failure(Outcome(), 100, str) == {}


def test_nobody_is_written_into_the_systems_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Ansible puts the arguments of every module."""
    logged: list[str] = []
    monkeypatch.setattr(AnsibleModule, "log", lambda _self, text, **_: logged.append(text))
    told = run(
        "gitlab_learners",
        api_url="http://127.0.0.1:9",
        token_file=str(tmp_path / "none"),
        learners=[{"username": "u1", "name": "Camille Durand", "email": "camille@example.org"}],
    )
    assert "cannot be read" in told.failure
    assert logged == []
