"""The main job, in Chromium: from the course page to a notebook and a GitLab space of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from kit.demo import Demo, until
from playwright.sync_api import BrowserContext, Error, Page, expect

from e2e.lab import Notebook

PI = "3.14159265358979"
BUFFON_PYTHON = "3.128911138923655"
BUFFON_R = "3.17662007623888"
TEMPLATE = {"README.md", "journal.md", "notes.org", "rapport.Rmd", "data/", "notebooks/"}
ARRIVAL_MS = 180_000

Picture = Callable[[Page, str], None]


@dataclass
class Course:
    """The course page in one person's browser."""

    demo: Demo
    page: Page

    def be(self, learner: str) -> None:
        """Become one of the course's learners: "ada" or "basile"."""
        button = self.page.locator(f"button[name=learner][value={learner}]")
        if button.count():
            button.click()
            self.page.wait_for_load_state()

    def click(self, link: str, *, instead: bool = False) -> Page:
        """Follow a link of the course; it opens in a new tab.

        Args:
            link: its name.
            instead: whether somebody else is signed in, so that the hub asks first.
        """
        with self.page.expect_popup() as opened:
            self.page.locator(f"#{link}").click()
        if instead:
            opened.value.locator("form[action$='/hub/atelier/enter'] button").click()
        return opened.value


@pytest.fixture
def course(demo: Demo, person: BrowserContext) -> Course:
    page = person.new_page()
    page.goto(demo.lms_url)
    return Course(demo, page)


def open_notebook(demo: Demo, tab: Page, name: str) -> Notebook:
    """Wait until the tab shows the notebook asked for, ready to run."""
    path = re.escape(f"/{demo.course}/lab/tree/{demo.course}/notebooks/{name}")
    tab.wait_for_url(re.compile(path), timeout=ARRIVAL_MS)
    # What was open last time comes first: its kernel is idle while this one has none yet.
    shown = tab.locator(".lm-DockPanel-tabBar .lm-TabBar-tab.lm-mod-current").first
    expect(shown).to_have_text(name, timeout=ARRIVAL_MS)
    notebook = Notebook(tab)
    notebook.ready()
    return notebook


def gitlab_user(demo: Demo, tab: Page) -> str:
    """Wait until the tab shows a GitLab project, and return who is signed in."""
    tab.wait_for_url(
        re.compile(f"{re.escape(demo.gitlab_url)}/[^/]+/{demo.course}"), timeout=60_000
    )
    username = tab.get_by_test_id("user-menu").get_attribute("data-username")
    assert username
    return username


def files(tab: Page) -> set[str]:
    """Return the names in the list of files of a GitLab page."""
    return {
        text.strip()
        for text in tab.get_by_test_id("file-tree").get_by_role("link").all_inner_texts()
    }


def test_two_learners_in_one_browser_each_have_their_notebook_and_their_gitlab_space(
    demo: Demo, course: Course, picture: Picture
) -> None:
    picture(course.page, "course-page")
    course.be("ada")

    tab = course.click("notebook-python")
    picture(tab, "ada-waits")
    python = open_notebook(demo, tab, "pi_python.ipynb")
    ada_server = tab.url.split("/lab/")[0]
    python.run_all()
    assert PI in python.outputs()
    assert BUFFON_PYTHON in python.outputs()
    python.save()
    picture(tab, "ada-notebook-python")
    mine = f"only-ada-{uuid4().hex[:8]}.md"
    only_ada = f"{ada_server}/api/contents/{demo.course}/{mine}"
    assert tab.evaluate(ASK, [only_ada, "mine"])[0] == 201

    tab_r = course.click("notebook-r")
    r = open_notebook(demo, tab_r, "pi_r.ipynb")
    r.run_all()
    assert PI in r.outputs()
    assert BUFFON_R in r.outputs()
    r.save()
    picture(tab_r, "ada-notebook-r")

    tab.reload()
    again = Notebook(tab)
    again.ready()
    expect(again.panel.locator(".jp-OutputArea-output").first).to_contain_text(PI)

    space = course.click("gitlab")
    ada = gitlab_user(demo, space)
    assert space.url.startswith(f"{demo.gitlab_url}/{ada}/{demo.course}")
    assert files(space) >= TEMPLATE
    assert "Ada Exemple" in space.get_by_test_id("user-menu").inner_text()
    picture(space, "ada-gitlab")

    # The same browser, another learner: nothing of Ada's is theirs.
    course.be("basile")
    tab_b = course.click("notebook-python", instead=True)
    notebook = open_notebook(demo, tab_b, "pi_python.ipynb")
    basile_server = tab_b.url.split("/lab/")[0]
    assert basile_server != ada_server
    expect(tab_b.locator(".jp-DirListing")).to_be_visible()
    code, items = tab_b.evaluate(ASK, [f"{basile_server}/api/contents/{demo.course}", None])
    assert code == 200
    listed = {item["name"] for item in items}
    assert mine not in listed
    assert {name.rstrip("/") for name in TEMPLATE} <= listed
    notebook.run_all()
    assert BUFFON_PYTHON in notebook.outputs()
    notebook.save()
    picture(tab_b, "basile-notebook-python")
    # Ada's server is on another host: Basile's page may not ask it, nor is a tab shown its files.
    with pytest.raises(Error, match="Failed to fetch"):
        tab_b.evaluate(ASK, [only_ada, None])
    refused = space.goto(only_ada)
    assert refused is not None
    assert refused.status in {401, 403, 404}
    # Already the notebook's launch ended Ada's GitLab session: her fork is not shown to Basile.
    space.goto(f"{demo.gitlab_url}/{ada}/{demo.course}")
    assert space.get_by_test_id("file-tree").count() == 0

    space_b = course.click("gitlab")
    basile = gitlab_user(demo, space_b)
    assert basile != ada
    assert space_b.url.startswith(f"{demo.gitlab_url}/{basile}/{demo.course}")
    assert files(space_b) >= TEMPLATE
    picture(space_b, "basile-gitlab")
    space_b.goto(f"{demo.gitlab_url}/{ada}/{demo.course}")
    assert space_b.get_by_test_id("file-tree").count() == 0

    # GitLab never took one for the other.
    for username, name in ((ada, "Ada Exemple"), (basile, "Basile Exemple")):
        (account,) = demo.gitlab("users", username=username)
        assert account["name"] == name
        identities = demo.gitlab(f"users/{account['id']}")["identities"]
        assert [(one["provider"], one["extern_uid"]) for one in identities] == [
            ("oauth2_generic", username)
        ]


def test_back_to_the_first_learner_in_the_same_browser_is_the_first_learner(
    demo: Demo, course: Course
) -> None:
    seen = []
    for learner in ("ada", "basile", "ada"):
        course.be(learner)
        space = course.click("gitlab", instead=bool(seen))
        seen.append(gitlab_user(demo, space))
        space.close()
    assert seen[0] == seen[2]
    assert seen[0] != seen[1]


def test_what_is_committed_in_the_notebook_appears_in_gitlab(
    demo: Demo, course: Course, picture: Picture
) -> None:
    course.be("ada")
    tab = course.click("notebook-python")
    open_notebook(demo, tab, "pi_python.ipynb")
    user = tab.url.split("/user/")[1].split("/")[0]
    (container,) = [row[0] for row in demo.containers("Names") if user in row[0]]
    command = (
        f"cd ~/{demo.course} && git add -A && git commit -q -m 'My first needles' && git push -q"
    )
    demo.target.run("docker", "exec", container, "bash", "-c", command)
    space = course.click("gitlab")
    gitlab_user(demo, space)

    def shown() -> bool:
        space.reload()
        return "My first needles" in space.content()

    until(shown, "GitLab shows the commit", 30)
    picture(space, "ada-gitlab-after-push")
    remote = demo.target.run(
        "docker",
        "exec",
        container,
        "bash",
        "-c",
        f"cd ~/{demo.course} && git remote get-url origin",
    )
    assert "@" not in remote  # no password in the address


# Run in the page, as JupyterLab itself asks its server.
ASK = """async ([url, content]) => {
  const headers = {"X-XSRFToken": (document.cookie.match(/_xsrf=([^;]+)/) || [])[1]};
  const body = content && JSON.stringify({type: "file", format: "text", content});
  const answer = await fetch(url, {method: content ? "PUT" : "GET", headers, body});
  return [answer.status, answer.ok ? (await answer.json()).content : null];
}"""
