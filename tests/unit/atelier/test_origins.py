"""Where learners' servers answer: settings, names, and what JupyterHub is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from atelier.config.models import Settings, SettingsError, parse
from atelier.hub.configure import roles
from atelier.hub.engines import spawner_settings
from atelier.hub.origins import origin_settings, server_origin
from traitlets.config import Config

SITE: dict[str, Any] = {
    "hub_url": "https://hub.mooc.example:8443",
    "gitlab_url": "https://gitlab.mooc.example:8443",
    "notebook_origin": "learner",
    "notebook_domain": "mooc-notebooks.example",
}
ADA = "uaaaaaaaaaaaaaaaa"


def settings(**changes: Any) -> Settings:
    site = {key: value for key, value in {**SITE, **changes}.items() if value is not None}
    return parse(Settings, yaml.safe_dump({"site": site}), "atelier.yml")


@pytest.fixture(autouse=True)
def own_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is changed in JupyterHub's handlers is put back."""
    from jupyterhub.handlers import base  # type: ignore[import-untyped]

    for name in ("_set_cookie", "clear_cookie"):
        monkeypatch.setattr(base.BaseHandler, name, getattr(base.BaseHandler, name))
    monkeypatch.setattr(base, "SESSION_COOKIE_NAME", base.SESSION_COOKIE_NAME)


def test_settings_of_before_leave_notebooks_at_the_hub_s_address() -> None:
    site = settings(notebook_origin=None, notebook_domain=None).site
    assert site.notebook_origin == "shared"
    assert site.notebooks is None
    assert server_origin(site, ADA) == ""
    assert site.hub_session_cookie == "jupyterhub-session-id"


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({}, f"https://{ADA}.mooc-notebooks.example:8443"),
        ({"hub_url": "https://hub.mooc.example"}, f"https://{ADA}.mooc-notebooks.example"),
        (
            {"notebook_domain": "notebooks.mooc.example"},
            f"https://{ADA}.notebooks.mooc.example:8443",
        ),
    ],
)
def test_a_learner_has_a_host_name_with_the_site_s_port(
    changes: dict[str, Any], origin: str
) -> None:
    assert server_origin(settings(**changes).site, ADA) == origin


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"notebook_origin": "each"}, "site.notebook_origin = 'each'"),
        ({"notebook_domain": None}, "notebook_domain: is needed"),
        ({"notebook_domain": "notebooks"}, "site.notebook_domain = 'notebooks': must be a host"),
        ({"notebook_domain": "https://n.example"}, "must be a host name"),
        ({"notebook_domain": "mooc.example"}, "hub.mooc.example must not lie in learners'"),
        ({"notebook_domain": "hub.mooc.example"}, "hub.mooc.example must not lie in learners'"),
        ({"hub_url": "http://hub.mooc.example"}, "hub_url: must be https"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=r".") as refused:
        settings(**changes)
    assert said in str(refused.value)


def test_the_hub_knows_learners_by_their_names_and_services_by_its_own() -> None:
    c = Config()
    origin_settings(settings(), c)
    host = c.JupyterHub.subdomain_hook
    assert host(ADA, "hub.mooc.example", "user") == f"{ADA}.mooc-notebooks.example"
    assert host("desk", "mooc-notebooks.example", "service") == "hub.mooc.example"
    assert c.JupyterHub.subdomain_host == "https://mooc-notebooks.example:8443"
    assert c.JupyterHub.cookie_host_prefix_enabled
    assert 0 < c.JupyterHub.oauth_token_expires_in <= 7 * 24 * 3600


def test_on_one_origin_the_hub_is_as_it_was_but_for_tokens_lives() -> None:
    c = Config()
    origin_settings(settings(notebook_origin="shared"), c)
    told = {"oauth_token_expires_in", "token_expires_in_max_seconds"}
    assert set(c.JupyterHub) == told
    assert "Spawner" not in c


@pytest.mark.parametrize("origin", ["learner", "shared"])
def test_a_server_starts_with_all_that_each_part_wants_of_it(origin: str) -> None:
    c = Config()
    known = settings(notebook_origin=origin)
    spawner_settings(known, c)
    origin_settings(known, c)
    options = {argument.partition("=")[0] for argument in c.Spawner.args}
    asks_again = {"--HubOAuth.cache_max_age"} if origin == "learner" else set()
    assert options == {
        "--ServerApp.max_body_size",
        "--ServerApp.max_buffer_size",
        *asks_again,
    }


def test_the_hub_s_session_is_for_its_own_host_alone() -> None:
    from jupyterhub.handlers import base

    origin_settings(settings(), Config())
    assert base.SESSION_COOKIE_NAME == "__Host-jupyterhub-session-id"
    sent: list[tuple[str, dict[str, Any]]] = []
    handler = SimpleNamespace(
        settings={"public_url": SimpleNamespace(scheme="https")},
        log=SimpleNamespace(debug=lambda *_: None),
        set_cookie=lambda name, _, **options: sent.append((name, options)),
    )
    base.BaseHandler._set_cookie(
        handler, base.SESSION_COOKIE_NAME, "x", encrypted=False, path="/", domain="mooc.example"
    )
    ((name, options),) = sent
    assert name == "__Host-jupyterhub-session-id"
    assert "domain" not in options
    assert options["path"] == "/"
    assert options["secure"]


def test_tokens_that_learners_made_before_end_when_the_hub_starts() -> None:
    from atelier.hub.old_tokens import end_old_tokens
    from jupyterhub import orm  # type: ignore[import-untyped]
    from jupyterhub import roles as hub_roles

    db = orm.new_session_factory("sqlite:///:memory:")()
    for role in hub_roles.get_default_roles():
        hub_roles.create_role(db, role)
    people = {name: orm.User(name=name, admin=name == "boss") for name in (ADA, "boss")}
    db.add_all([*people.values(), orm.OAuthClient(identifier="jupyterhub", secret="")])
    db.commit()
    for person in people.values():
        hub_roles.assign_default_roles(db, entity=person)
    server = [f"access:servers!server={ADA}/demo", f"users:activity!user={ADA}"]
    made = {
        "by hand": people[ADA].new_api_token(),
        "like a server's, and more": people[ADA].new_api_token(
            scopes=[*server, f"read:users!user={ADA}"]
        ),
        "server": people[ADA].new_api_token(scopes=server),
        "of a sign-in": people[ADA].new_api_token(expires_in=60),
        "boss": people["boss"].new_api_token(),
    }
    assert end_old_tokens(db) == 2
    left = {name for name, token in made.items() if orm.APIToken.find(db, token) is not None}
    assert left == {"server", "of a sign-in", "boss"}
    assert end_old_tokens(db) == 0


def test_learners_may_do_what_they_could_but_for_tokens() -> None:
    from jupyterhub.scopes import _expand_self_scope, expand_scopes  # type: ignore[import-untyped]

    owner = SimpleNamespace(name=ADA)
    (scopes,) = [role["scopes"] for role in roles(settings()) if role["name"] == "user"]
    ours = expand_scopes([scope.replace("!user", f"!user={ADA}") for scope in scopes], owner=owner)
    usual = _expand_self_scope(ADA)
    lost = {scope.split("!")[0] for scope in usual - set(ours)}
    assert {"tokens", "read:tokens"} <= lost
    assert lost <= {"tokens", "read:tokens", "shares", "read:shares", "users:shares",
                    "read:users:shares"}  # fmt: skip
