"""The demo as a whole: it comes up, a second run changes nothing, its doors are friendly."""

from __future__ import annotations

import json
import stat

import pytest
from kit.demo import Demo
from world import demo as world_demo


def test_make_demo_ends_with_the_addresses_and_how_to_stop(demo: Demo, demo_log: str) -> None:
    end = demo_log[demo_log.index("The site is up") :]
    for words in (demo.lms_url, demo.hub_url, demo.gitlab_url, "make demo-down"):
        assert words in end


def test_the_second_run_changes_nothing(second_log: str) -> None:
    assert "site.yml: changed=0" in second_log
    assert "Nothing had to be changed." in second_log


def test_demo_json_has_what_a_client_needs_and_only_its_owner_reads_it(demo: Demo) -> None:
    assert stat.S_IMODE(world_demo.DETAILS.stat().st_mode) == 0o600
    assert stat.S_IMODE(world_demo.VARS.stat().st_mode) == 0o600
    assert demo.course == "demo"
    assert "oauth2_generic" in demo.target.read(demo.gitlab_rb)
    assert demo.gitlab("user")["is_admin"] is True


def test_no_secret_is_in_the_logs_of_the_installation(demo: Demo, demo_log: str) -> None:
    known = json.loads(world_demo.VARS.read_text())
    site_log = world_demo.SITE_LOG.read_text()
    for secret in (
        demo.consumer_secret,
        demo.gitlab_admin_token,
        known["atelier_gitlab_root_password"],
    ):
        assert secret not in demo_log
        assert secret not in site_log


@pytest.mark.parametrize("language", ["fr", "en"])
def test_who_opens_the_launch_address_by_hand_reads_a_friendly_page(
    demo: Demo, language: str
) -> None:
    with demo.client(Accept_Language=language) as client:
        answer = client.get(f"{demo.hub_url}/hub/lti/launch")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert {"fr": "cours", "en": "course"}[language] in answer.text
    assert "405" not in answer.text


@pytest.mark.parametrize("site", ["hub", "gitlab", "lms"])
def test_plain_http_leads_to_https(demo: Demo, site: str) -> None:
    with demo.client() as client:
        answer = client.get(f"http://{site}.{world_demo.DOMAIN}:{world_demo.HTTP_PORT}/some/page")
    assert answer.status_code in {301, 308}
    assert answer.headers["location"] == f"{world_demo.url(site)}/some/page"


def test_the_demo_says_that_its_gitlab_is_a_stand_in(demo: Demo) -> None:
    with demo.client() as client:
        page = client.get(f"{demo.gitlab_url}/users/sign_in")
    assert "stand-in" in page.text.lower()


@pytest.mark.parametrize(
    "unit",
    [
        "docker", "nginx", "atelier-proxy", "atelier-hub", "atelier-desk", "atelier-homes",
        "atelier-runner",
    ],
)  # fmt: skip
def test_units_are_active(demo: Demo, unit: str) -> None:
    assert demo.target.run("systemctl", "is-active", unit) == "active"
