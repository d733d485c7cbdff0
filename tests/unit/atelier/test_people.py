"""Users stored in one commit are those that JupyterHub stores in six."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from atelier.hub import users
from atelier.hub.authenticator import reconcile
from atelier.hub.users import UserHandler
from jupyterhub import orm, roles  # type: ignore[import-untyped]
from jupyterhub.auth import DummyAuthenticator  # type: ignore[import-untyped]
from jupyterhub.crypto import CryptKeeper  # type: ignore[import-untyped]
from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]
from jupyterhub.user import UserDict  # type: ignore[import-untyped]
from sqlalchemy import event, text


class _Hub:
    """A hub's database, without the hub."""

    def __init__(self) -> None:
        self.session = orm.new_session_factory("sqlite:///:memory:")()
        for role in roles.get_default_roles():
            roles.create_role(self.session, role)
        authenticator = DummyAuthenticator(
            allow_all=True, enable_auth_state=True, reconcile_auth_state_hook=reconcile
        )
        settings = {"db": self.session, "allow_named_servers": True, "base_url": "/"}
        settings["authenticator"] = authenticator
        settings["users"] = UserDict(lambda: self.session, settings)
        settings["log"] = SimpleNamespace(debug=print, info=print, warning=print)
        self.users = settings["users"]
        self._application = SimpleNamespace(settings=settings)
        self.commits = 0
        event.listen(self.session, "after_commit", self._committed)

    def _committed(self, _: object) -> None:
        self.commits += 1

    def arrive(self, kind: type[BaseHandler], name: str, **said: Any) -> Any:
        """Somebody launches, through a handler of that kind."""
        handler = object.__new__(kind)
        handler.application = self._application
        model = {"name": name, "user_info": {"name": "Ada"}, **said}
        model.setdefault("auth_state", {"last": "demo", "launches": {"demo": {"at": 1}}})
        return asyncio.run(handler.auth_to_user(model))

    def stored(self, name: str) -> list[tuple[Any, ...]]:
        """All that the database holds of a person, but for what is made by chance."""
        person = (
            "select user_info, admin, state, last_activity, created is not null,"
            " length(cookie_id) from users where name = :name"
        )
        servers = (
            "select s.name, s.display_name, s.server_id, s.state, s.user_options, s.started"
            " from spawners s join users u on u.id = s.user_id where u.name = :name"
        )
        held = (
            "select r.name, m.managed_by_auth from user_role_map m join users u on u.id = m.user_id"
            " join roles r on r.id = m.role_id where u.name = :name order by 1"
        )
        return [
            tuple(row)
            for query in (person, servers, held)
            for row in self.session.execute(text(query), {"name": name})
        ]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> _Hub:
    monkeypatch.setattr(CryptKeeper.instance(), "keys", [b"k" * 32])
    context = SimpleNamespace(user_ids={})
    monkeypatch.setattr(users, "hub_context", lambda: context)
    return _Hub()


@pytest.mark.parametrize("admin", [None, False, True])
def test_a_newcomer_is_stored_as_jupyterhub_stores_one(hub: _Hub, admin: bool | None) -> None:
    theirs = hub.arrive(BaseHandler, "ada", admin=admin)
    before = hub.commits
    ours = hub.arrive(UserHandler, "grace", admin=admin)
    assert hub.commits - before == (2 if admin else 1)
    assert hub.stored("grace") == hub.stored("ada")
    assert hub.stored("grace")
    assert asyncio.run(ours.get_auth_state()) == asyncio.run(theirs.get_auth_state())
    assert hub.users[ours.orm_user] is ours
    assert ours.orm_user.orm_spawners[""].user is ours.orm_user


@pytest.mark.parametrize("admin", [None, False, True])
@pytest.mark.parametrize("was_admin", [False, True])
def test_who_returns_is_stored_as_jupyterhub_stores_them(
    hub: _Hub, admin: bool | None, was_admin: bool
) -> None:
    second = {"last": "maths", "launches": {"maths": {"at": 2}}}
    for kind, name in ((BaseHandler, "ada"), (UserHandler, "grace")):
        hub.arrive(BaseHandler, name, admin=was_admin)
        before = hub.commits
        again = hub.arrive(kind, name, admin=admin, auth_state=second, user_info={"name": "Ada L."})
        assert hub.commits > before
        state = asyncio.run(again.get_auth_state())
        assert set(state["launches"]) == {"demo", "maths"}
        assert again.user_info == {"name": "Ada L."}
        assert again.admin is (was_admin if admin is None else admin)
    assert hub.stored("grace") == hub.stored("ada")


def test_one_who_returns_costs_one_commit_and_no_question(hub: _Hub) -> None:
    hub.arrive(UserHandler, "ada")
    asked: list[str] = []
    engine = hub.session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    before = hub.commits
    hub.arrive(UserHandler, "ada")
    assert hub.commits - before == 1
    assert [one.split()[0] for one in asked if one != "SELECT 1"] == ["UPDATE"]


def test_a_name_that_goes_to_somebody_else_is_not_mixed_up(hub: _Hub) -> None:
    first = hub.arrive(UserHandler, "ada")
    first.orm_user.name = "renamed"
    hub.session.commit()
    second = hub.arrive(UserHandler, "ada")
    assert second.id != first.id
    hub.users.delete(second.orm_user)
    third = hub.arrive(UserHandler, "ada")
    assert third.orm_user.name == "ada"
    assert hub.stored("ada")


def test_what_another_key_wrote_is_replaced(hub: _Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.arrive(UserHandler, "ada")
    monkeypatch.setattr(CryptKeeper.instance(), "keys", [b"x" * 32])
    second = {"last": "maths", "launches": {"maths": {"at": 2}}}
    user = hub.arrive(UserHandler, "ada", auth_state=second)
    assert set(asyncio.run(user.get_auth_state())["launches"]) == {"maths"}
