"""gitlab_learners in real playbook runs: made, found again, changed, blocked, deleted."""

from __future__ import annotations

from kit.classroom import PROVIDER, Classroom, Task, writes


def test_accounts_are_made_once_as_they_must_be(room: Classroom) -> None:
    make = room.task("gitlab_learners", learners=room.learners(30), external=True)
    first, again = room.play(make, make, options=["--diff"]).results
    assert first["changed"]
    assert first["summary"] == {"created": 30}
    assert set(first["diff"]["after"]) == set(room.names(30))
    assert first["diff"]["before"] == {}
    assert not again["changed"]
    assert again["summary"] == {"unchanged": 30}
    assert writes(again) == 0
    # The version, who the token is and what it may, and one page of accounts.
    assert again["requests"]["read"] <= 4
    accounts = room.accounts()
    assert set(accounts) == set(room.names(30))
    for name, user in accounts.items():
        assert [(i["provider"], i["extern_uid"]) for i in user.identities] == [(PROVIDER, name)]
        assert user.confirmed_at
        assert user.external
        assert not user.can_create_group
        assert user.state == "active"


def test_check_mode_tells_the_truth_and_touches_nothing(room: Classroom) -> None:
    make = room.task("gitlab_learners", learners=room.learners(3))
    checked = room.play(make, options=["--check", "--diff"]).last()
    assert checked["changed"]
    assert checked["summary"] == {"created": 3}
    assert writes(checked) == 0
    assert room.accounts() == {}
    real = room.play(make, options=["--diff"]).last()
    assert real["diff"] == checked["diff"]
    assert real["learners"] == checked["learners"]


def test_only_what_differs_is_written(room: Classroom) -> None:
    learners = room.learners(4)
    changed = [
        {**learners[0], "name": "Renamed Person"},
        {**learners[1], "email": f"{room.prefix}.new@example.org"},
        learners[2],
        {"username": learners[3]["username"]},  # no name, no e-mail: left as they are
    ]
    change = room.task("gitlab_learners", learners=changed)
    room.prepare(room.task("gitlab_learners", learners=learners))
    checked = room.play(change, options=["--check", "--diff"]).last()
    done, again = room.play(change, change, options=["--diff"]).results
    names = room.names(4)
    for told in (checked, done):
        assert told["changed"]
        assert told["summary"] == {"updated": 2, "unchanged": 2}
        assert set(told["diff"]["before"]) == {names[0], names[1]}
        assert told["diff"]["before"][names[0]]["name"] == "Learner 0"
        assert told["diff"]["after"][names[0]]["name"] == "Renamed Person"
        # Of an account that differs, what is the same is the same in the diff.
        assert told["diff"]["before"][names[0]]["email"] == told["diff"]["after"][names[0]]["email"]
    assert writes(done) == 2
    assert not again["changed"]
    accounts = room.accounts()
    assert accounts[names[0]].name == "Renamed Person"
    assert accounts[names[1]].email == f"{room.prefix}.new@example.org"
    assert accounts[names[3]].name == "Learner 3"


def test_spaces_around_what_is_written_do_not_make_a_difference(room: Classroom) -> None:
    one = room.learner(0)
    wide = {**one, "name": f" {one['name']}\t", "email": f"{one['email']} "}
    first, again, plain = room.play(
        room.task("gitlab_learners", learners=[wide]),
        room.task("gitlab_learners", learners=[wide]),
        room.task("gitlab_learners", learners=[one]),
    ).results
    assert first["summary"] == {"created": 1}
    assert not again["changed"]
    assert not plain["changed"]
    assert room.accounts()[one["username"]].email == one["email"]


def test_nobody_at_all(room: Classroom) -> None:
    for options in ([], ["--check", "--diff"]):
        told = room.play(room.task("gitlab_learners", learners=[]), options=options).last()
        assert not told["changed"]
        assert told["learners"] == {}


def test_groups_that_an_account_may_make_are_taken_away(room: Classroom) -> None:
    make = room.task("gitlab_learners", learners=room.learners(1))
    room.prepare(make)
    user = room.accounts()[room.names(1)[0]]
    user.can_create_group = True
    user.save()
    assert room.play(make).last()["summary"] == {"updated": 1}
    assert not room.accounts()[room.names(1)[0]].can_create_group


def test_blocked_and_back(room: Classroom) -> None:
    one, two = room.learners(2)
    block = room.task("gitlab_learners", learners=[{**one, "state": "blocked"}, two])
    free = room.task("gitlab_learners", learners=[one, two])
    checked = room.play(free, room.task("gitlab_learners", learners=[one]), block).last()
    assert checked["learners"] == {one["username"]: "blocked", two["username"]: "unchanged"}
    assert room.accounts()[one["username"]].state == "blocked"
    again, freed, last = room.play(block, free, free).results
    assert not again["changed"]
    assert freed["learners"][one["username"]] == "unblocked"
    assert not last["changed"]
    assert room.accounts()[one["username"]].state == "active"


def test_nothing_is_deleted_without_confirmation(room: Classroom) -> None:
    learners = room.learners(3)
    room.prepare(room.task("gitlab_learners", learners=learners))
    mine = room.accounts()[learners[0]["username"]]
    mine.projects.create({"name": "essay"})
    asked: Task = {"learners": learners[:2], "state": "absent"}
    refused = room.play(room.task("gitlab_learners", expected=False, **asked)).last()
    assert refused["failed"]
    assert not refused["changed"]
    assert "confirm_absent" in refused["msg"]
    assert refused["lost"] == [
        {"username": learners[0]["username"], "projects": [f"{learners[0]['username']}/essay"]},
        {"username": learners[1]["username"], "projects": []},
    ]
    assert len(room.accounts()) == 3

    confirmed = room.task("gitlab_learners", **asked, confirm_absent=True)
    checked = room.play(confirmed, options=["--check", "--diff"]).last()
    assert checked["changed"]
    assert checked["lost"] == refused["lost"]
    assert len(room.accounts()) == 3
    done, again = room.play(confirmed, confirmed, options=["--diff"]).results
    assert done["summary"] == {"deleted": 2}
    assert done["lost"] == refused["lost"]
    assert done["still_being_deleted"] == []
    assert done["diff"] == checked["diff"]
    assert not again["changed"]
    assert set(room.accounts()) == {learners[2]["username"]}


def test_a_namesake_is_not_taken_over_and_the_others_are_served(room: Classroom) -> None:
    learners = room.learners(4)
    taken, other, mail = learners[0]["username"], learners[1]["username"], learners[2]
    room.gitlab.users.create(
        {"username": taken, "name": "Earlier", "email": f"{taken}@else.org",
         "force_random_password": True, "skip_confirmation": True}
    )  # fmt: skip
    room.gitlab.users.create(
        {"username": other, "name": "Other", "email": f"{other}@else.org", "provider": PROVIDER,
         "extern_uid": "somebody-else", "force_random_password": True, "skip_confirmation": True}
    )  # fmt: skip
    room.gitlab.users.create(
        {"username": f"{room.prefix}mail", "name": "Mail", "email": mail["email"],
         "force_random_password": True, "skip_confirmation": True}
    )  # fmt: skip
    for options in ([], ["--check"]):
        played = room.play(
            room.task("gitlab_learners", expected=False, learners=learners), options=options
        )
        told = played.last()
        why = {one["username"]: one["reason"] for one in told["failed_learners"]}
        assert told["failed"]
        assert "no identity" in why[taken]
        assert "somebody-else" in why[other]
        for name in why:
            assert name in told["msg"]
        if not options:
            assert set(why) == {taken, other, mail["username"]}
            assert "Email has already been taken" in why[mail["username"]]
            assert told["learners"][learners[3]["username"]] == "created"
    accounts = room.accounts()
    assert accounts[taken].name == "Earlier"
    assert accounts[taken].identities == []
    assert accounts[other].identities[0]["extern_uid"] == "somebody-else"
    assert learners[3]["username"] in accounts
    assert mail["username"] not in accounts


def test_an_administrator_is_left_alone(room: Classroom) -> None:
    name = room.names(1)[0]
    room.gitlab.users.create(
        {"username": name, "name": "Boss", "email": f"{name}@example.org", "provider": PROVIDER,
         "extern_uid": name, "admin": True, "force_random_password": True}
    )  # fmt: skip
    for state in ("present", "blocked", "absent"):
        told = room.play(
            room.task(
                "gitlab_learners", expected=False, learners=[{"username": name}], state=state,
                confirm_absent=True,
            )
        ).last()  # fmt: skip
        assert "administrator" in told["msg"]
    assert room.accounts()[name].state == "active"


def test_found_by_identity_whatever_the_username(room: Classroom) -> None:
    room.prepare(room.task("gitlab_learners", learners=room.learners(1)))
    old = room.names(1)[0]
    renamed = {
        "username": f"{room.prefix}new",
        "identity": {"provider": PROVIDER, "extern_uid": old.upper()},
    }
    told = room.play(room.task("gitlab_learners", learners=[renamed])).last()
    assert told["summary"] == {"updated": 1}
    assert set(room.accounts()) == {f"{room.prefix}new"}


def test_names_that_are_nobody_s_change_nothing(room: Classroom) -> None:
    for nobody in ("", "../admin"):
        learners = [room.learner(0), {"username": nobody, "email": f"{room.prefix}@example.org"}]
        told = room.play(room.task("gitlab_learners", expected=False, learners=learners)).last()
        assert "Nothing was changed" in told["msg"]
    assert room.accounts() == {}


def test_two_learners_with_one_identity_change_nothing(room: Classroom) -> None:
    one, two = room.learners(2)
    for twin, word in (
        ({**two, "username": one["username"].upper()}, "username"),
        ({**two, "identity": {"extern_uid": one["username"]}}, "identity"),
        ({**two, "email": one["email"].upper()}, "e-mail"),
    ):
        task = room.task("gitlab_learners", expected=False, learners=[one, twin])
        assert word in room.play(task).last()["msg"]
    assert room.accounts() == {}


def test_no_email_known(room: Classroom) -> None:
    learners = [{"username": name} for name in room.names(2)]
    refused = room.play(room.task("gitlab_learners", expected=False, learners=learners)).last()
    assert "e-mail" in refused["msg"]
    made = room.task(
        "gitlab_learners", learners=learners, fallback_email_domain="users.noreply.example.org"
    )
    first, again = room.play(made, made).results
    assert first["summary"] == {"created": 2}
    assert not again["changed"]
    name = room.names(1)[0]
    assert room.accounts()[name].email == f"{name}@users.noreply.example.org"
    assert room.accounts()[name].name == name


def test_the_report(room: Classroom) -> None:
    learners = [*room.learners(2), {**room.learner(2), "state": "blocked"}]
    room.prepare(room.task("gitlab_learners", learners=learners))
    told = room.play(
        room.task("gitlab_learners_info", usernames=[*room.names(3), f"{room.prefix}none"])
    ).last()
    assert not told["changed"]
    assert [one["username"] for one in told["learners"]] == room.names(3)
    assert told["states"] == {"active": 2, "blocked": 1}
    assert told["missing"] == [f"{room.prefix}none"]
    assert told["learners"][0]["identity"]["extern_uid"] == room.names(1)[0]
    assert told["learners"][0]["confirmed"]
