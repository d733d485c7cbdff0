"""An exercise's page inside the course page, in Chromium: checked, read at 320 px, printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from kit.browser_window import (
    ALLOW,
    BLOCK_THIRD_PARTY,
    PATIENCE_MILLISECONDS,
    Window,
)
from kit.framed_site import FramedSite, framed_site
from kit.gitlab_beside import GitLabBeside
from playwright.sync_api import FrameLocator, Page, expect

DECLARED = """
version: 1
exercises:
  - id: mean
    title: {fr: Une moyenne, en: A mean}
    file: mean.ipynb
    show: full
"""
LONG = [
    f"value_{number} = read('a/rather/long/name/of/a/file/{number}.csv')" for number in range(30)
]


def notebook(*last: str) -> str:
    """A long cell that everybody has, and one that ends differently."""
    sources = ["\n".join(LONG), "\n".join([*LONG, *last])]
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "source": source,
         "execution_count": None}
        for n, source in enumerate(sources)
    ]  # fmt: skip
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def publish(gitlab: GitLabBeside) -> None:
    """The exercise, and what is expected."""
    group = gitlab.api.groups.get("demo")
    gitlab.api.projects.create(
        {"name": "expected", "namespace_id": group.id, "initialize_with_readme": True}
    )
    files: dict[str, dict[str, Any]] = {
        "demo/template": {"atelier.yml": DECLARED, "mean.ipynb": notebook("mean = None")},
        "demo/expected": {"mean.ipynb": notebook("mean = sum(values) / len(values)")},
    }
    for project, contents in files.items():
        actions = [
            {"action": "create", "file_path": path, "content": content}
            for path, content in contents.items()
        ]
        gitlab.api.projects.get(project).commits.create(
            {"branch": "main", "commit_message": "The exercise", "actions": actions}
        )


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FramedSite]:
    """A site with a GitLab, and an LMS on another site whose pages may show it in frames."""
    with framed_site(tmp_path_factory) as running:
        beside = GitLabBeside(tmp_path_factory.mktemp("gitlab"), running)
        try:
            beside.start()
            publish(beside)
            yield running
        finally:
            beside.stop()


def opened(framed: FramedSite, page: Page) -> FrameLocator:
    """The exercise inside a course page; the learner's space is made meanwhile."""
    page.goto(f"{framed.web.lms_url}/framed/exercise")
    inside = page.frame_locator("#inline")
    try:
        expect(inside.locator("h1")).to_have_text("A mean", timeout=PATIENCE_MILLISECONDS)
    except AssertionError as wrong:
        pytest.fail(f"{wrong}\n\nThe hub says:\n{framed.log('hub')[-5000:]}")
    return inside


def checked(framed: FramedSite, page: Page) -> FrameLocator:
    """The same with an outcome."""
    inside = opened(framed, page)
    inside.locator("#check").click()
    try:
        expect(inside.locator("#score")).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    except AssertionError:
        pytest.fail(f"There is no score; the frame says:\n{inside.locator('body').inner_text()}")
    return inside


@pytest.mark.parametrize("cookies", [ALLOW, BLOCK_THIRD_PARTY])
def test_an_answer_is_checked_inside_the_course_page(
    framed: FramedSite, window: Window, cookies: int
) -> None:
    with window(cookies) as context:
        page = context.new_page()
        inside = checked(framed, page)
        expect(inside.locator("#score")).not_to_have_text(re.compile(r"100\s?%"))
        expect(inside.locator("ins").first).to_be_visible()
        assert page.url.startswith(framed.web.lms_url)


def test_the_page_fits_a_frame_of_320_pixels(framed: FramedSite, window: Window) -> None:
    with window(BLOCK_THIRD_PARTY) as context:
        page = context.new_page()
        inside = checked(framed, page)
        page.locator("#inline").evaluate("frame => { frame.width = 320; }")
        for view in ("Side by side", "One below the other"):
            link = inside.get_by_role("link", name=view)
            if link.count():
                link.click()
                gone = inside.get_by_role("link", name=view)
                expect(gone).to_have_count(0, timeout=PATIENCE_MILLISECONDS)
            wide = inside.locator("html").evaluate("page => [page.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1] == 320, view
            inside.locator("ins").first.scroll_into_view_if_needed()
            box = inside.locator("ins").first.bounding_box()
            place = page.locator("#inline").bounding_box()
            assert box
            assert place
            assert place["x"] <= box["x"] < box["x"] + box["width"] <= place["x"] + 320


def test_what_is_folded_is_printed(framed: FramedSite, window: Window) -> None:
    with window(ALLOW) as context:
        page = context.new_page()
        checked(framed, page)
        page.goto(f"{framed.web.lms_url}/launch/exercise")  # the page alone
        equal = page.locator("details.equal").get_by_text("value_7").first
        rows = page.locator(".part.changed details").get_by_text("value_7").first
        for folded in (equal, rows):
            expect(folded).to_be_hidden()
        page.emulate_media(media="print")
        for folded in (equal, rows):
            expect(folded).to_be_visible()
        expect(page.locator("#check")).to_be_hidden()
        page.emulate_media(media="screen")
        # A browser whose style sheets cannot open folds:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        expect(page.locator("details:not([open])")).to_have_count(0)
        expect(equal).to_be_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        expect(equal).to_be_hidden()


def test_another_site_s_page_cannot_show_the_exercise(framed: FramedSite, window: Window) -> None:
    with window(ALLOW) as context:
        page = context.new_page()
        page.route(
            f"{framed.web.gitlab_url}/trap",
            lambda route: route.fulfill(
                content_type="text/html",
                body="<iframe id='inline' src='"
                f"{framed.web.hub_url}/services/desk/courses/demo/exercises/mean'></iframe>",
            ),
        )
        page.goto(f"{framed.web.gitlab_url}/trap")
        (inside,) = page.main_frame.child_frames
        inside.wait_for_url("chrome-error://**")
