"""A graded exercise, in Chromium: check in the notebook, mend, check again; the course shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from kit.demo import Demo, until
from playwright.sync_api import BrowserContext, Page, expect

from e2e.test_learners import Course
from e2e.toolbar import Learner

Picture = Callable[[Page, str], None]
FILE = "exercises/mean.ipynb"
LANGUAGE = "en"


@pytest.fixture
def course(demo: Demo, person: BrowserContext) -> Course:
    page = person.new_page()
    page.goto(demo.lms_url)
    return Course(demo, page)


def test_a_checked_answer_is_mended_and_the_course_shows_the_new_grade(
    demo: Demo, course: Course, picture: Picture
) -> None:
    course.be("basile")
    tab = course.click("notebook-python")
    tab.wait_for_url("**/lab/tree/**", timeout=180_000)
    user = tab.url.split("/user/")[1].split("/")[0]
    learner = Learner(demo, course.page.context, user, "en")
    learner.run("until [ -d .git ]; do sleep 1; done")
    # Whatever an earlier run left in GitLab, begin from the template's file.
    blank = demo.gitlab(
        f"projects/{demo.course}%2Ftemplate/repository/files/exercises%2Fmean.ipynb", ref="main"
    )["content"]
    learner.run(
        f"git checkout -q -- {FILE} && base64 -d <<<{blank} >{FILE} && git add -A"
        f" && git commit -qm 'Mean {uuid4().hex[:6]}' --allow-empty && git push -q"
    )
    bar = learner.open("lab", FILE, page=tab)
    bar.says("Saved in GitLab")

    page = course.click("exercise")
    expect(page.locator("h1")).to_have_text("A mean", timeout=60_000)
    page.locator("#check").click()
    expect(page.locator("#score")).to_be_visible()
    assert page.locator("#score").inner_text() == "0%"
    expect(page.locator("#tests li.failed").first).to_contain_text("divided by their number")
    picture(page, "check-side-by-side")
    page.get_by_role("link", name="One below the other").click()
    expect(page.locator(".part.changed table.diff.unified").first).to_be_visible()
    picture(page, "check-unified")

    # In the notebook: no tab opens, and the panel beside the cells has each verdict.
    tabs = len(learner.context.pages)
    bar.press("check")
    bar.checked("Not yet.")
    picture(tab, "check-panel-not-yet")
    bar.rewrite(2, "import statistics\nmean = statistics.mean(values)\nprint(mean)")
    bar.rewrite(3, "Elle vaut 62,63.")
    expect(bar.check_panel).to_contain_text("Your answer has changed since this check")
    bar.press("check")
    bar.tells("this file has changes that are not there yet")
    picture(tab, "check-not-saved-yet")
    bar.dialog.get_by_role("button", name="Save and check").click()
    bar.checked("100%")
    expect(bar.check_panel.locator("h2")).to_have_text("A mean")
    expect(bar.check_panel).not_to_contain_text("has changed since")
    expect(bar.dialog).to_have_count(0)
    bar.says("Saved in GitLab")
    picture(tab, "check-panel-mended")
    assert len(learner.context.pages) == tabs

    with learner.context.expect_page() as opened:
        bar.check_panel.get_by_role("link", name="See the whole check").click()
    by_link = opened.value
    expect(by_link.locator("h1")).to_have_text("A mean", timeout=60_000)
    expect(by_link.locator("#score")).to_have_text("100%")
    picture(by_link, "check-mended")

    def shown() -> bool:
        course.page.reload()
        return course.page.locator("#exercise-grade").inner_text() == "100%"

    until(shown, "the course page shows the new grade", 60)
    picture(course.page, "course-page-grade")

    by_13 = course.click("exercise-13")
    expect(by_13.locator("#score")).to_have_text("100%", timeout=60_000)

    def shown_by_13() -> bool:
        course.page.reload()
        return course.page.locator("#exercise-13-grade").inner_text() == "100%"

    until(shown_by_13, "the grade comes by LTI 1.3 too", 60)

    # A learner's own credential opens neither the project of expected answers nor its copies.
    remote = f"{demo.gitlab_url}/{demo.course}/expected.git"
    assert "refused" in learner.run(f"git ls-remote {remote} 2>&1 || echo refused")
    assert "refused" in learner.run("ls /var/lib/atelier/expected 2>&1 || echo refused")


def test_the_pages_of_the_desk_fit_a_narrow_screen(
    demo: Demo, course: Course, picture: Picture
) -> None:
    course.be("basile")
    page = course.click("exercise")
    expect(page.locator("h1")).to_have_text("A mean", timeout=60_000)
    for address in (page.url, f"{demo.hub_url}/services/desk/"):
        page.goto(address)
        page.set_viewport_size({"width": 320, "height": 640})
        expect(page.locator("h1")).to_be_visible()
        wide = "document.documentElement.scrollWidth"
        assert page.evaluate(wide) <= 320, address
        picture(page, f"desk-320-{address.rstrip('/').rsplit('/', 1)[1].split('?')[0]}")


def test_notebook_7_shows_the_check_beside_the_cells(learner: Learner, picture: Picture) -> None:
    bar = learner.open("notebook", FILE)
    bar.says("Saved in GitLab")
    bar.press("check")
    bar.checked("Not yet.")
    picture(bar.page, "check-panel-notebook")
    jump = bar.check_panel.get_by_role("button", name=re.compile(r"^Go to cell \d+"))
    number = re.search(r"\d+", jump.first.inner_text())
    assert number
    jump.first.click()
    cell = bar.shown.locator(".jp-Notebook .jp-Cell").nth(int(number[0]) - 1)
    expect(cell).to_have_class(re.compile("jp-mod-active"))
    bar.check_panel.get_by_role("button", name="Close", exact=True).click()
    expect(bar.check_panel).to_be_hidden()
    bar.press("check")
    bar.checked("Not yet.")

    other = learner.open("lab", "notebooks/pi_python.ipynb")
    other.says("Saved in GitLab")
    expect(other.button("view")).to_be_visible()
    expect(other.button("check")).to_be_hidden()


def test_an_answer_can_be_checked_without_what_is_not_saved_yet(learner: Learner) -> None:
    name = "exercises/reproducible.md"
    bar = learner.open("lab", name)
    bar.says("Saved in GitLab")
    bar.type("Not yet. ")
    bar.press("check")
    bar.tells("this file has changes that are not there yet")
    bar.dialog.get_by_role("button", name="Check without them").click()
    bar.checked(re.compile(r"\d%"))
    expect(bar.check_panel.locator("h2")).to_have_text("Reproducible")
    expect(bar.check_panel).to_contain_text("This is about the version in GitLab")
    expect(bar.text).to_contain_text("Not yet.")
    assert "Not yet." not in learner.in_gitlab(name)
