"""A course page in Chromium, signed by Open edX's own code: in a frame and in a new tab."""

from __future__ import annotations

import json
import re
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
from lms.unit import learner
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FramedSite]:
    """A site, and an LMS on another site whose pages may show it in frames."""
    with framed_site(tmp_path_factory) as running:
        yield running


def servers(framed: FramedSite) -> str:
    """How the addresses of the learner's server begin."""
    who = username("campus", learner(None).user_id)
    return f"{framed.web.server_url(who)}/user/{who}/"


@pytest.mark.parametrize("link", ["notebook-python", "notebook-13"])
@pytest.mark.parametrize("cookies", [ALLOW, BLOCK_THIRD_PARTY])
def test_a_notebook_opens_inside_the_course_page(
    framed: FramedSite, window: Window, cookies: int, link: str
) -> None:
    with window(cookies) as context:
        page = context.new_page()
        page.goto(f"{framed.web.lms_url}/framed/{link}")
        inside = page.frame_locator("#inline")
        shown = inside.get_by_text('"visitor"')
        expect(shown).to_be_visible(timeout=PATIENCE_MILLISECONDS)
        assert "/demo/lab/tree/demo" in json.loads(shown.inner_text())["path"]


LATE = {
    "the network changes": lambda route: route.abort("failed"),
    "the hub restarts": lambda route: route.fulfill(status=503, body="<p>One minute.</p>"),
    "the cookies come a moment late": lambda route: route.fulfill(json={"arrived": False}),
}
"""What may become of the question whether the cookies were taken, though they were."""


@pytest.mark.parametrize("what", LATE)
def test_a_moment_s_trouble_sends_nobody_to_a_new_tab(
    framed: FramedSite, window: Window, what: str
) -> None:
    with window(ALLOW) as context:
        page = context.new_page()
        page.route("**/hub/atelier/arrived?*", LATE[what], times=1)
        page.goto(f"{framed.web.lms_url}/framed/notebook-python")
        shown = page.frame_locator("#inline").get_by_text('"visitor"')
        expect(shown).to_be_visible(timeout=PATIENCE_MILLISECONDS)


def test_a_notebook_opens_in_a_new_tab(framed: FramedSite, window: Window) -> None:
    with window(BLOCK_THIRD_PARTY) as context:
        page = context.new_page()
        page.goto(f"{framed.web.lms_url}/framed/notebook-python")
        with context.expect_page() as opening:
            page.click("#tab")
        shown = opening.value.get_by_text('"visitor"')
        expect(shown).to_be_visible(timeout=PATIENCE_MILLISECONDS)


def test_a_browser_that_refuses_cookies_in_frames_offers_a_tab(
    framed: FramedSite, window: Window
) -> None:
    with framed.web.without_partitions(), window(BLOCK_THIRD_PARTY) as context:
        page = context.new_page()
        page.goto(f"{framed.web.lms_url}/framed/notebook-python")
        inside = page.frame_locator("#inline")
        button = inside.get_by_role("button", name=re.compile("new tab|nouvel onglet"))
        with context.expect_page() as opening:
            button.click()
        shown = opening.value.get_by_text('"visitor"')
        expect(shown).to_be_visible(timeout=PATIENCE_MILLISECONDS)
        assert opening.value.url.startswith(servers(framed))
        expect(button).to_be_disabled()


def test_an_lti_1_3_link_that_lost_its_cookie_in_a_frame_begins_anew_in_a_tab(
    framed: FramedSite, window: Window
) -> None:
    with framed.web.without_partitions(), window(BLOCK_THIRD_PARTY) as context:
        page = context.new_page()
        page.goto(f"{framed.web.lms_url}/framed/notebook-13")
        inside = page.frame_locator("#inline")
        with context.expect_page() as opening:
            inside.get_by_role("link", name="Open in a new tab").click()
        shown = opening.value.get_by_text('"visitor"')
        expect(shown).to_be_visible(timeout=PATIENCE_MILLISECONDS)
        assert opening.value.url.startswith(servers(framed))


def test_another_site_s_page_cannot_show_the_notebook(framed: FramedSite, window: Window) -> None:
    with window(ALLOW) as context:
        page = context.new_page()
        # GitLab's name is a neighbour of the hub's, and no platform.
        page.route(
            f"{framed.web.gitlab_url}/trap",
            lambda route: route.fulfill(
                content_type="text/html",
                body=f"<iframe id='inline' src='{framed.web.hub_url}/hub/home'></iframe>",
            ),
        )
        page.goto(f"{framed.web.gitlab_url}/trap")
        (inside,) = page.main_frame.child_frames
        inside.wait_for_url("chrome-error://**")


def test_the_cookie_of_a_login_crosses_sites_by_the_hub_s_own_word(framed: FramedSite) -> None:
    """Also where the web server says nothing of it, as without frames."""
    answer = httpx.get(
        f"http://127.0.0.1:{framed.proxy_port}/hub/lti13/login?iss=x", trust_env=False
    )
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if "atelier-lti" in one]
    assert "SameSite=None" in cookie
    assert "Secure" in cookie
