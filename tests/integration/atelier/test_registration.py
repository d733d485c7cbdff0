"""A platform registers itself by an invitation, and launches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from kit.platform13 import Visitor13, platform
from kit.site import Site
from lms.platform13 import Platform13


@pytest.fixture
def campus(site: Site) -> Iterator[Platform13]:
    site.write_registrations([])
    with platform(site.hub_url) as one:
        yield one


def command(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``atelier-registration`` as an operator does."""
    run = "import sys; from atelier.cli.registration import main; sys.exit(main())"
    settings = str(site.root / "atelier.yml")
    return subprocess.run(
        [sys.executable, "-c", run, "--settings", settings, *arguments],
        env=site.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def follow(link: str, campus: Platform13, permission: str = "registration-token") -> httpx.Response:
    """Open the link as the platform does, in its administrator's browser."""
    query = {
        "openid_configuration": f"{campus.address}/configuration",
        "registration_token": permission,
    }
    return httpx.get(link, params=query, trust_env=False, timeout=20)


def test_an_invited_platform_registers_once_and_launches(
    site: Site, campus: Platform13, learner: str
) -> None:
    link = command(site, "invite", "guest-13", "--platform", "guest").stdout.strip()
    page = follow(link, campus)
    assert page.status_code == 200
    assert "guest-13" in page.text
    assert follow(link, campus).status_code == 403, "an invitation works once"
    assert campus.address in command(site, "list").stdout
    with Visitor13(campus, learner) as visitor:
        assert visitor.open(course="demo").status_code == 200
    assert command(site, "remove", "guest-13").returncode == 0
    assert command(site, "remove", "guest-13").returncode == 1
    with Visitor13(campus, learner) as visitor:
        assert visitor.browser.get(visitor.click()).status_code == 401


def test_a_platform_that_refuses_uses_the_link_up_all_the_same(
    site: Site, campus: Platform13
) -> None:
    link = command(site, "invite", "guest-13", "--platform", "guest").stdout.strip()
    assert follow(link, campus, permission="wrong").status_code == 502
    assert follow(link, campus).status_code == 403, "the link is in the web server's log"


def test_nobody_registers_without_an_invitation(site: Site, campus: Platform13) -> None:
    for code in ("x", "A" * 43):
        page = follow(f"{site.hub_url}/hub/lti13/register/{code}", campus)
        assert page.status_code == 403
    ended = command(site, "invite", "late-13", "--platform", "late", "--hours", "-1").stdout.strip()
    assert follow(ended, campus).status_code == 403
    assert command(site, "list").stdout == ""


def test_an_invitation_that_makes_no_sense_is_not_made(site: Site) -> None:
    wrong = command(site, "invite", "guest-13", "--platform", "Not A Slug")
    assert wrong.returncode == 1
    assert wrong.stdout == ""
    assert "platform" in wrong.stderr
