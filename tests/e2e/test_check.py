"""A graded exercise, in Chromium: launch, check, mend, save, check again; the course shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.test_learners import Course
from e2e.visit import Demo, until

Picture = Callable[[Page, str], None]
FILE = "exercises/mean.ipynb"
MENDED = "mean = sum(values) / len(values)\nprint(mean)"


@pytest.fixture
def course(demo: Demo, person: BrowserContext) -> Course:
    page = person.new_page()
    page.goto(demo.lms_url)
    return Course(demo, page)


def container_of(demo: Demo, user: str) -> str:
    names = [row[0] for row in demo.containers("Names") if user in row[0]]
    assert len(names) == 1, names
    return names[0]


def in_notebook(demo: Demo, user: str, script: str) -> str:
    """Run a command where the learner's terminal would."""
    inside = ["docker", "exec", container_of(demo, user), "bash", "-c"]
    return demo.target.run(*inside, f"cd ~/{demo.course} && {script}")


def mend(text: str) -> str:
    """The notebook with the right code and the mean in words."""
    notebook = json.loads(text)
    notebook["cells"][2]["source"] = MENDED
    notebook["cells"][3]["source"] = "La moyenne est : / The mean is: 62.63"
    return json.dumps(notebook)


def test_a_checked_answer_is_mended_and_the_course_shows_the_new_grade(
    demo: Demo, course: Course, picture: Picture
) -> None:
    course.be("basile")
    tab = course.click("notebook-python")
    tab.wait_for_url("**/lab/tree/**", timeout=180_000)
    user = tab.url.split("/user/")[1].split("/")[0]
    in_notebook(demo, user, "until [ -d .git ]; do sleep 1; done")
    in_notebook(demo, user, f"git checkout -q -- {FILE}")
    # Whatever an earlier run left in GitLab, begin from the template's file.
    blank = demo.gitlab(
        f"projects/{demo.course}%2Ftemplate/repository/files/exercises%2Fmean.ipynb", ref="main"
    )["content"]
    save = f"git add -A; git commit -qm 'Mean {uuid4().hex[:6]}' --allow-empty; git push -q"
    in_notebook(demo, user, f"base64 -d <<<{blank} >{FILE}; {save}")

    page = course.click("exercise")
    expect(page.locator("h1")).to_have_text("A mean", timeout=60_000)
    page.locator("#check").click()
    expect(page.locator("#score")).to_be_visible()
    assert page.locator("#score").inner_text() != "100 %"
    assert page.locator("del").count() > 0
    picture(page, "check-side-by-side")
    page.get_by_role("link", name="One below the other").click()
    expect(page.locator(".part.changed table.diff.unified").first).to_be_visible()
    picture(page, "check-unified")

    mended = mend(in_notebook(demo, user, f"cat {FILE}"))
    in_notebook(demo, user, f"cat >{FILE} <<'END'\n{mended}\nEND\n{save}")
    page.locator("#check").click()
    expect(page.locator("#score")).to_have_text("100 %")
    picture(page, "check-mended")

    def shown() -> bool:
        course.page.reload()
        return course.page.locator("#exercise-grade").inner_text() == "100%"

    until(shown, "the course page shows the new grade", 60)
    picture(course.page, "course-page-grade")

    by_13 = course.click("exercise-13")
    expect(by_13.locator("#score")).to_have_text("100 %", timeout=60_000)

    def shown_by_13() -> bool:
        course.page.reload()
        return course.page.locator("#exercise-13-grade").inner_text() == "100%"

    until(shown_by_13, "the grade comes by LTI 1.3 too", 60)

    # A learner's own credential opens neither the project of expected answers nor its copies.
    remote = f"{demo.gitlab_url}/{demo.course}/expected.git"
    assert "refused" in in_notebook(demo, user, f"git ls-remote {remote} 2>&1 || echo refused")
    assert "refused" in in_notebook(demo, user, "ls /var/lib/atelier/expected 2>&1 || echo refused")


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
