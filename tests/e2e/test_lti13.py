"""LTI 1.3 in Chromium, from the course page to the notebook."""

from __future__ import annotations

import json
import re

import pytest
from kit.demo import Demo
from playwright.sync_api import BrowserContext, Page

ARRIVAL_MS = 180_000
SERVER = re.compile(r"/user/(?P<user>u[a-z2-7]{16})/")


def click(course: Page, link: str, demo: Demo) -> str:
    """Follow a link of the course page to the notebook; whose it is."""
    with course.expect_popup() as opened:
        course.locator(f"#{link}").click()
    tab = opened.value
    path = re.escape(f"/{demo.course}/lab/tree/{demo.course}/notebooks/pi_python.ipynb")
    tab.wait_for_url(re.compile(path), timeout=ARRIVAL_MS)
    found = SERVER.search(tab.url)
    assert found
    return found["user"]


@pytest.fixture
def course(demo: Demo, person: BrowserContext) -> Page:
    page = person.new_page()
    page.goto(demo.lms_url)
    return page


def test_a_1_3_link_opens_the_notebook_that_the_1_1_link_opens(demo: Demo, course: Page) -> None:
    by_13 = click(course, "notebook-13", demo)
    assert by_13 == click(course, "notebook-python", demo)
    cookies = {cookie["name"]: cookie for cookie in course.context.cookies()}
    binding = cookies["__Host-atelier-lti"]
    assert (binding["secure"], binding["httpOnly"], binding["sameSite"]) == (True, True, "None")


def test_a_teacher_chooses_a_file_and_the_answer_is_signed(course: Page) -> None:
    course.locator("#choose").click()
    course.get_by_role("heading", name="What should this link open?").wait_for()
    course.get_by_label("The course, an exercise or a file").select_option("demo/journal.md")
    course.get_by_label("Its name in the course page (optional)").fill("My journal")
    course.get_by_role("button", name="Use this link").click()
    course.get_by_role("heading", name="What you chose").wait_for()
    assert course.locator("dt").inner_text() == "My journal"
    assert json.loads(course.locator("dd").inner_text()) == {
        "course": "demo",
        "target": "notebook",
        "path": "journal.md",
    }


def test_the_choice_is_readable_on_a_narrow_screen(course: Page) -> None:
    course.set_viewport_size({"width": 320, "height": 640})
    course.locator("#choose").click()
    course.get_by_role("button", name="Use this link").wait_for()
    assert course.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_tool_s_private_key_is_root_s_alone_and_in_no_unit_s_environment(demo: Demo) -> None:
    secret = "/etc/atelier/secrets/lti_tool_keys"
    assert demo.target.run("stat", "-c", "%a %U", secret).split() == ["600", "root"]
    public = demo.client().get(f"{demo.hub_url}/hub/lti13/keys").json()["keys"]
    assert len(public) == 1
    assert public[0]["use"] == "sig"
    assert "d" not in public[0]
    shown = demo.target.run("systemctl", "show", "atelier-hub", "atelier-desk", "-p", "Environment")
    assert "PRIVATE" not in shown
