"""gitlab.rb as GitLab reads it: evaluated by Ruby, only known keys, sign-in through the hub."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from world import paths, venv

HERE = Path(__file__).parent
STANDIN = paths.ROOT / "tests/gitlab_standin/omnibus"
KNOWN = {
    line
    for line in (HERE / "omnibus_keys.txt").read_text().splitlines()
    if line and not line.startswith("#")
}
ROOT_PASSWORD = "correct horse battery"

COMMON = {
    "ansible_connection": "local",
    "atelier_domain": "mooc.example.org",
    "atelier_gitlab_root_password": ROOT_PASSWORD,
    "memory_mb": 32000,
}
SITES: dict[str, dict[str, Any]] = {
    "plain": {},
    "port": {"atelier_https_port": 8443, "atelier_domain": "atelier.localhost"},
    "little": {"memory_mb": 7900},
    "forced": {"memory_mb": 7900, "gitlab_profile": "standard"},
    "mail": {
        "gitlab_smtp": {
            "address": "smtp.example.org", "port": 587,
            "user": "gitlab", "password": "it's \\ 'quoted'",
        },
    },
    "relay": {"gitlab_smtp": {"address": "relay.example.org", "starttls": False, "verify": "none"}},
    "tls": {"gitlab_smtp": {"address": "smtp.example.org", "port": 465, "tls": True}},
    "extra": {"gitlab_extra_config": "gitlab_rails['time_zone'] = 'Europe/Paris'"},
    "hosts": {"atelier_hub_host": "h.example.org", "atelier_gitlab_url": "https://g.example.org"},
}  # fmt: skip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with <site>.rb for each site."""
    folder = tmp_path_factory.mktemp("rendered")
    inventory = folder / "inventory.json"
    hosts = {name: {**COMMON, **variables} for name, variables in SITES.items()}
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    extra = {
        "rendered": str(folder),
        "role_template": str(paths.ROOT / "roles/gitlab/templates/gitlab.rb.j2"),
    }
    done = subprocess.run(
        [venv.program("ansible-playbook"), "-i", str(inventory), "-e", json.dumps(extra),
         "-e", "ansible_python_interpreter={{ ansible_playbook_python }}",
         str(HERE / "render.yml")],
        env={
            **os.environ, **venv.environment(),
            "ANSIBLE_COLLECTIONS_PATH": str(paths.link_collection()),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@functools.cache
def evaluate(file: Path) -> dict[str, Any]:
    """What Omnibus would make of the file: Ruby runs it, unknown top-level names are errors."""
    done = subprocess.run(
        ["ruby", str(STANDIN / "evaluate.rb"), str(file), str(STANDIN / "names.txt")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def settings(rendered: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The evaluated gitlab.rb of the site named by the test."""
    return evaluate(rendered / f"{request.param}.rb")


def names(settings: dict[str, Any]) -> Iterator[str]:
    for group, value in settings.items():
        if not isinstance(value, dict):
            yield group
            continue
        for key in value:
            yield f"{group}['{key}']"


every_site = pytest.mark.parametrize("settings", SITES, indirect=True)


def site(*chosen: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("settings", chosen, indirect=True)


@every_site
def test_every_key_is_one_that_omnibus_knows(settings: dict[str, Any]) -> None:
    assert set(names(settings)) - KNOWN == set()


@every_site
def test_the_password_and_nothing_but_the_hubs_secret_is_in_the_file(
    settings: dict[str, Any], rendered: Path, request: pytest.FixtureRequest
) -> None:
    text = (rendered / f"{request.node.callspec.params['settings']}.rb").read_text()
    assert ROOT_PASSWORD not in text
    assert "initial_root_password" not in settings["gitlab_rails"]


@site("port")
def test_sign_in_goes_through_the_hub_as_designed(settings: dict[str, Any]) -> None:
    rails = settings["gitlab_rails"]
    assert rails["omniauth_providers"] == [
        {
            "name": "oauth2_generic",
            "label": "Atelier",
            "app_id": "service-gitlab",
            "app_secret": "0123-secret-of-the-hub",
            "args": {
                "name": "oauth2_generic",
                "strategy_class": "OmniAuth::Strategies::OAuth2Generic",
                "pkce": True,
                "client_options": {
                    "site": "https://hub.atelier.localhost:8443",
                    "authorize_url": "/hub/api/oauth2/authorize",
                    "token_url": "/hub/api/oauth2/token",
                    "user_info_url": "/hub/api/user",
                    "auth_scheme": "request_body",
                },
                "user_response_structure": {
                    "root_path": [],
                    "id_path": ["name"],
                    "attributes": {
                        "nickname": "name",
                        "name": ["user_info", "name"],
                        "email": ["user_info", "email"],
                    },
                },
            },
        }
    ]


@every_site
def test_nobody_gets_in_by_another_door_or_with_anothers_account(settings: dict[str, Any]) -> None:
    rails = settings["gitlab_rails"]
    assert rails["omniauth_allow_single_sign_on"] == ["oauth2_generic"]
    assert rails["omniauth_auto_sign_in_with_provider"] == "oauth2_generic"
    assert rails["omniauth_block_auto_created_users"] is False
    assert rails["omniauth_auto_link_user"] == []
    assert rails["omniauth_sync_profile_from_provider"] == []
    assert rails["gitlab_username_changing_enabled"] is False
    assert rails["impersonation_enabled"] is True


@site("port", "plain", "hosts")
def test_it_stands_behind_the_sites_web_server(
    settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    assert (
        settings["external_url"]
        == {
            "port": "https://gitlab.atelier.localhost:8443",
            "plain": "https://gitlab.mooc.example.org",
            "hosts": "https://g.example.org",
        }[request.node.callspec.params["settings"]]
    )
    web = settings["gitlab_rails"]["nginx"]
    assert (web["listen_port"], web["listen_https"]) == (80, False)
    assert web["real_ip_trusted_addresses"] == ["127.0.0.1", "172.17.0.1"]
    assert settings["gitlab_rails"]["trusted_proxies"] == ["127.0.0.1", "172.17.0.1"]
    assert settings["letsencrypt"]["enable"] is False


@site("little")
def test_a_small_server_gets_fewer_processes(settings: dict[str, Any]) -> None:
    assert settings["puma"]["worker_processes"] == 0
    assert settings["sidekiq"]["concurrency"] == 10
    assert settings["prometheus_monitoring"]["enable"] is False


@site("plain", "forced")
def test_another_server_gets_what_it_can_run(settings: dict[str, Any]) -> None:
    assert "puma" not in settings
    assert settings["prometheus_monitoring"]["enable"] is True


@site("plain")
def test_without_a_mail_server_no_mail_is_tried(settings: dict[str, Any]) -> None:
    rails = settings["gitlab_rails"]
    assert (rails["gitlab_email_enabled"], rails["smtp_enable"]) == (False, False)
    assert not [key for key in rails if key.startswith("smtp_") and key != "smtp_enable"]


@site("mail")
def test_mail_goes_through_the_server_given(settings: dict[str, Any]) -> None:
    rails = settings["gitlab_rails"]
    assert rails["gitlab_email_enabled"] is True
    assert rails["smtp_password"] == SITES["mail"]["gitlab_smtp"]["password"]
    assert (rails["smtp_address"], rails["smtp_port"]) == ("smtp.example.org", 587)
    assert rails["smtp_enable_starttls_auto"] is True
    assert rails["smtp_openssl_verify_mode"] == "peer"
    assert rails["smtp_authentication"] == "plain"


@site("tls")
def test_tls_from_the_start_is_not_switched_to_again(settings: dict[str, Any]) -> None:
    """Omnibus refuses to configure both."""
    rails = settings["gitlab_rails"]
    assert (rails["smtp_tls"], rails["smtp_enable_starttls_auto"]) == (True, False)


@site("relay")
def test_a_relay_without_account_gets_no_authentication(settings: dict[str, Any]) -> None:
    rails = settings["gitlab_rails"]
    assert not {"smtp_user_name", "smtp_password", "smtp_authentication"} & set(rails)
    assert rails["smtp_enable_starttls_auto"] is False
    assert rails["smtp_openssl_verify_mode"] == "none"


@site("extra")
def test_an_institutions_own_lines_count(settings: dict[str, Any]) -> None:
    assert settings["gitlab_rails"]["time_zone"] == "Europe/Paris"


def test_the_password_of_the_first_start_is_read_from_its_file(
    rendered: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("it's 'the' password \\n\n")
    text = (rendered / "plain.rb").read_text()
    assert "'/etc/gitlab/.atelier-root-password'" in text
    here = tmp_path / "gitlab.rb"
    here.write_text(text.replace("/etc/gitlab/.atelier-root-password", str(secret)))
    rails = evaluate(here)["gitlab_rails"]
    assert rails["initial_root_password"] == "it's 'the' password \\n"


def test_a_key_that_omnibus_does_not_know_would_be_found(rendered: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "gitlab.rb"
    wrong.write_text((rendered / "plain.rb").read_text() + "gitlab_rails['omniauth_enable'] = 1\n")
    assert set(names(evaluate(wrong))) - KNOWN == {"gitlab_rails['omniauth_enable']"}
