"""GitLab inside a course page, in Chromium: signed in by the hub, shown to that page alone."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from atelier.identity import username
from kit.browser_window import (
    ALLOW,
    BLOCK_THIRD_PARTY,
    PATIENCE_MILLISECONDS,
    Window,
)
from kit.framed_site import FramedSite, framed_site
from kit.gitlab_behind import GitLabBehind
from lms.unit import learner
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FramedSite]:
    """A site with GitLab, and an LMS on another site whose pages may show it in frames."""
    with framed_site(tmp_path_factory) as running:
        gitlab = GitLabBehind(tmp_path_factory.mktemp("gitlab"), running)
        try:
            gitlab.start()
            yield running
        finally:
            gitlab.stop()


@pytest.mark.parametrize("cookies", [ALLOW, BLOCK_THIRD_PARTY])
def test_the_learner_s_fork_opens_inside_the_course_page(
    framed: FramedSite, window: Window, cookies: int
) -> None:
    who = username("campus", learner(None).user_id)
    with window(cookies) as context:
        page = context.new_page()
        page.goto(f"{framed.web.lms_url}/framed/gitlab")
        inside = page.frame(url=f"{framed.web.gitlab_url}/{who}/demo**")
        if inside is None:
            page.wait_for_event(
                "framenavigated",
                lambda frame: frame.url.startswith(f"{framed.web.gitlab_url}/{who}/demo"),
                timeout=PATIENCE_MILLISECONDS,
            )
        shown = page.frame_locator("#inline")
        expect(shown.get_by_text(f"@{who}").first).to_be_attached(timeout=PATIENCE_MILLISECONDS)
        kept = [one for one in context.cookies() if one["name"] == "_gitlab_session"]
        assert kept
        assert all(one.get("partitionKey") for one in kept), "kept apart for the course page"


def test_a_tab_beside_the_frame_says_how_to_be_signed_in_there(
    framed: FramedSite, window: Window
) -> None:
    """As the toolbar's "View in GitLab" opens it from a notebook in the course page."""
    who = username("campus", learner(None).user_id)
    fork = f"{framed.web.gitlab_url}/{who}/demo"
    with window(BLOCK_THIRD_PARTY) as context:
        page = context.new_page()
        page.goto(f"{framed.web.lms_url}/framed/gitlab")
        inside = page.frame_locator("#inline")
        expect(inside.get_by_text(f"@{who}").first).to_be_attached(timeout=PATIENCE_MILLISECONDS)
        tab = context.new_page()
        tab.goto(fork)
        expect(
            tab.get_by_text("Open the GitLab space in a new tab, by its link in the course page")
        ).to_be_visible()
        with context.expect_page() as opening:
            page.click("#tab")
        opening.value.wait_for_url(f"{fork}**", timeout=PATIENCE_MILLISECONDS)
        tab.goto(fork)
        expect(tab.get_by_text(f"@{who}").first).to_be_attached()
        assert tab.url.startswith(fork)


def test_only_the_platform_s_pages_may_show_gitlab(framed: FramedSite) -> None:
    with framed.web.browser() as browser:
        page = browser.get(f"{framed.web.gitlab_url}/users/sign_in")
    inside = httpx.get(f"{framed.gitlab_url}/users/sign_in", trust_env=False)
    assert inside.headers["x-frame-options"] == "SAMEORIGIN"
    assert "x-frame-options" not in page.headers
    policy = page.headers["content-security-policy"]
    assert framed.web.lms_url in policy.partition("frame-ancestors ")[2].partition(";")[0].split()


def test_a_page_of_the_hub_cannot_show_gitlab(framed: FramedSite, window: Window) -> None:
    """What a notebook shows shares the hub's host: it must not hold GitLab's pages."""
    with window(ALLOW) as context:
        page = context.new_page()
        page.route(
            f"{framed.web.hub_url}/trap",
            lambda route: route.fulfill(
                content_type="text/html",
                body=f"<iframe src='{framed.web.gitlab_url}/users/sign_in'></iframe>",
            ),
        )
        page.goto(f"{framed.web.hub_url}/trap")
        (inside,) = page.main_frame.child_frames
        inside.wait_for_url("chrome-error://**")
