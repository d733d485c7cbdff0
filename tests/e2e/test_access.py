"""*My GitLab access* in Chromium, and the tokens it makes: where they work, and where they are."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.demo import Demo
from playwright.sync_api import BrowserContext, Page, expect

from e2e.test_learners import Course, gitlab_user

Picture = Callable[[Page, str], None]


@pytest.fixture
def course(demo: Demo, person: BrowserContext) -> Course:
    page = person.new_page()
    page.goto(demo.lms_url)
    return Course(demo, page)


def clone(demo: Demo, command: str, token: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Clone as on the learner's own computer; the names of the demo lead to this machine."""
    address = command.split()[2]
    host = demo.gitlab_url.removeprefix("https://")
    helper = f"!f() {{ echo password={token}; }}; f"
    return subprocess.run(
        [
            *("git", "-c", f"http.sslCAInfo={demo.ca_file}", "-c", "credential.helper="),
            *("-c", f"credential.helper={helper}"),
            *("-c", f"http.curloptResolve={host}:127.0.0.1"),
            *("clone", "--quiet", address, str(folder)),
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder.parent), "GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_token_made_on_the_page_clones_from_another_computer(
    demo: Demo, course: Course, tmp_path: Path, picture: Picture
) -> None:
    course.be("ada")
    space = course.click("gitlab")
    gitlab_user(demo, space)
    page = course.page.context.new_page()
    page.goto(f"{demo.hub_url}/hub/home")
    page.locator("#access").click()
    expect(page.locator("#username")).to_be_visible()
    expect(page.locator("#no-address")).to_be_visible()
    label = "e2e laptop"
    revoke = page.get_by_role("button", name=re.compile(f"(Revoke|Révoquer) {label}"))
    if revoke.count():  # left by a run that was interrupted
        revoke.click()
    page.locator("#label").fill(label)
    page.locator("#make").click()
    token = page.locator("#token").inner_text()
    command = page.locator("#command-1").inner_text()
    picture(page, "access-token")
    done = clone(demo, command, token, tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine/README.md").exists()
    page.reload()
    assert page.locator("#token").count() == 0
    revoke.click()
    expect(revoke).to_have_count(0)
    assert clone(demo, command, token, tmp_path / "again").returncode != 0
