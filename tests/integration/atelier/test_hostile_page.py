"""A hostile learner's page, opened by another learner and by a teacher, in Chromium.

On all three kinds of origin, with learners' servers that are small programs;
tests/e2e/test_hostile_notebook.py does the same with JupyterLab in containers.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from atelier.identity import username
from hostile.visit import FILES, FOLDER, Place, all_attempts, hostile_page
from kit.browser_window import (
    ALLOW,
    BLOCK_THIRD_PARTY,
    PATIENCE_MILLISECONDS,
    Window,
)
from kit.form import POST_FORM
from kit.framed_site import FramedSite, framed_site
from kit.gitlab_behind import GitLabBehind
from kit.platform11 import Visitor, launch_form
from kit.web_server import NOTEBOOKS, SIBLING
from playwright.sync_api import BrowserContext, Error, Page, expect

MALLORY = "mallory"


@pytest.fixture(
    scope="module", params=[NOTEBOOKS, SIBLING, None], ids=["apart", "sibling", "shared"]
)
def framed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FramedSite]:
    """A site, and a learner of it who shows a page to everybody."""
    with framed_site(tmp_path_factory, request.param) as running:
        consumer = {"key": "campus", "secret": running.consumer_secret, "platform": "campus"}
        running.write_consumers([{**consumer, "trust_roles": True}])
        gitlab = GitLabBehind(tmp_path_factory.mktemp("gitlab"), running)
        try:
            gitlab.start()
            server_url = running.web.server_url("{}")
            with Visitor(running.web.hub_url, running.consumer_secret, MALLORY, server_url) as one:
                one.browser = running.web.browser(headers=one.browser.headers)
                one.launch()
                public = running.root / "homes" / one.username / "public"
                public.mkdir(parents=True)
                for name in FILES:
                    shutil.copy(FOLDER / name, public)
            yield running
        finally:
            gitlab.stop()


def place_of(framed: FramedSite, user_id: str, name: str) -> Place:
    web, victim, attacker = framed.web, username("campus", user_id), username("campus", MALLORY)
    return Place(
        hub=web.hub_url,
        gitlab=web.gitlab_url,
        own=web.server_url(attacker),
        attacker=attacker,
        server=f"{web.server_url(victim)}/user/{victim}/demo",
        victim=victim,
        course="demo",
        marks=(f'"{victim}"', f"@{victim}", name, 'id="log-out"', 'name="csrf"'),
    )


def launch(
    framed: FramedSite, page: Page, user_id: str, roles: str, name: str, target: str
) -> None:
    """Click a link of the course page."""
    address = f"{framed.web.hub_url}/hub/lti/launch"
    page.goto(f"{framed.web.lms_url}/")
    form = launch_form(
        address, "campus", framed.consumer_secret, user_id, full_name=name, roles=roles,
        target=target, locale="en",
    )  # fmt: skip
    page.evaluate(POST_FORM, [address, form])


def arrive(
    framed: FramedSite,
    context: BrowserContext,
    user_id: str,
    roles: str,
    name: str,
    *,
    tossed: bool = False,
) -> None:
    """Launch in this browser, and look at GitLab and the desk once: signed in everywhere.

    Where cookies were tossed, GitLab's host may end two sign-ins at once: they click again.
    """
    page = context.new_page()
    who = username("campus", user_id)
    ended = page.get_by_text("Go back to your course page")
    for target, text in (("gitlab", f"@{who}"), ("notebook", f'"visitor": "{who}"')):
        shown = page.get_by_text(text).first
        for _ in range(2):
            launch(framed, page, user_id, roles, name, target)
            expect(shown.or_(ended)).to_be_attached(timeout=PATIENCE_MILLISECONDS)
            if not (tossed and ended.count()):
                break
        expect(shown).to_be_attached()
    page.goto(f"{framed.web.hub_url}/services/desk/")
    expect(page.locator("#label, [name=label]").first).to_be_attached()
    expect(page.get_by_text(name)).to_be_visible()
    page.close()


def attackers_cookies(framed: FramedSite, window: Window) -> dict[str, str]:
    """The attacker's own sign-ins, under the names that any host may set."""
    with window(BLOCK_THIRD_PARTY) as context:
        arrive(framed, context, MALLORY, "Student", "Mallory Hostile")
        held = [(one.get("name", ""), one.get("value", "")) for one in context.cookies()]
    cookies = {name.removeprefix("__Host-"): value for name, value in held}
    assert {"_gitlab_session", "_xsrf", "atelier-desk", "jupyterhub-session-id"} <= cookies.keys()
    return cookies


def toss_before(context: BrowserContext, place: Place, cookies: dict[str, str]) -> None:
    """The victim, who was never here, opens the page, which puts in the attacker's cookies.

    For whole hosts, and for the parts of them that sign in.
    """
    cookies["service-desk-oauth-state"] = cookies["atelier-arrival"] = "hostile"
    cookies[f"jupyterhub-user-{place.victim}-demo-oauth-state"] = "hostile"
    wanted = [[name, value, "/"] for name, value in cookies.items()]
    for path in ("/hub/", "/hub/lti/", "/services/desk/"):
        wanted += [[name, cookies[name], path] for name in cookies if name != "_gitlab_session"]
    for path in ("/users", "/users/auth", "/-"):
        wanted.append(["_gitlab_session", cookies["_gitlab_session"], path])
    page = hostile_page(context, place)
    page.evaluate("wanted => window.before(wanted)", wanted)
    tossed = {one.get("name", "") for one in context.cookies()}
    assert {"_gitlab_session", "_xsrf"} <= tossed
    page.close()


@pytest.mark.drawn
def test_cookies_put_in_before_the_first_launch_sign_nobody_in_as_another(
    framed: FramedSite, window: Window
) -> None:
    user_id = f"new-{framed.web.port}"
    place = place_of(framed, user_id, "Nell New")
    cookies = attackers_cookies(framed, window)
    with window(ALLOW) as context:
        toss_before(context, place, cookies)
        if framed.web.notebooks is None:  # the hub takes the page's cookies for its own, and asks
            page = context.new_page()
            launch(framed, page, user_id, "Student", "Nell New", "notebook")
            asked = "You are Mallory Hostile. Continue as Nell New?"
            expect(page.get_by_text(asked).first).to_be_visible()
            return
        arrive(framed, context, user_id, "Student", "Nell New", tossed=True)
        tokens = gitlab_tokens(framed, context)
        still_there(framed, context, place, "Nell New", tokens, gitlab=True)


def gitlab_tokens(framed: FramedSite, context: BrowserContext) -> str:
    """The page of the tokens that its owner made."""
    page = context.new_page()
    page.goto(f"{framed.web.hub_url}/services/desk/")
    text = page.locator("main").inner_text()
    page.close()
    return text


PEOPLE = {
    "newcomer": ("nell", "Student", "Nell Victim"),
    "learner": ("bob", "Student", "Bob Victim"),
    "teacher": ("tess", "Instructor", "Tess Victim"),
}


@pytest.mark.drawn  # the end-to-end test has all people, on the demo
@pytest.mark.parametrize("who", PEOPLE)
def test_the_page_gets_nothing_and_changes_nothing(
    framed: FramedSite, window: Window, who: str
) -> None:
    user_id, roles, name = PEOPLE[who]
    place = place_of(framed, f"{user_id}-{framed.web.port}", name)
    newcomer = who == "newcomer" and framed.web.notebooks is not None
    tossed = attackers_cookies(framed, window) if newcomer else {}
    with window(ALLOW) as context:
        if tossed:  # before their own
            toss_before(context, place, tossed)
            place = replace(place, tossed=tuple(tossed.values()))
        user_id = f"{user_id}-{framed.web.port}"
        arrive(framed, context, user_id, roles, name, tossed=newcomer)
        before = gitlab_tokens(framed, context)
        found = all_attempts(context, place)
        print(found)
        loot = {attempt: text for attempt, text in found.items() if text}
        assert len(found) >= 40
        if framed.web.notebooks is None:  # what the preflight warns of
            assert "desk: make a GitLab token by its own form" in loot, loot
            assert "hub: open its home page and read it" in loot
            assert "server: open it and read it" in loot
            return
        assert loot == {}
        still_there(framed, context, place, name, before)


@pytest.mark.drawn
def test_a_browser_whose_jar_was_filled_is_well_after_a_reload(
    framed: FramedSite, window: Window
) -> None:
    user_id = f"jar-{framed.web.port}"
    place = place_of(framed, user_id, "Jo Jar")
    with window(ALLOW) as context:
        arrive(framed, context, user_id, "Student", "Jo Jar")
        page = hostile_page(context, place)
        page.evaluate("window.bomb()")
        near = framed.web.notebooks == SIBLING  # then the hub is filled too, and its sign-in lost
        address = f"{place.hub}/hub/home" if near else f"{place.server}/lab"
        tab = context.new_page()
        if framed.web.notebooks is None:  # what the preflight warns of: the hub's own jar is full
            with pytest.raises(Error, match="ERR_"):
                tab.goto(address)
            return
        refused = tab.goto(address)
        assert refused is not None
        assert refused.status == 431
        tab.reload()
        shown = "Start from your course page" if near else f'"{place.victim}"'
        expect(tab.get_by_text(shown).first).to_be_visible()


def still_there(
    framed: FramedSite,
    context: BrowserContext,
    place: Place,
    name: str,
    before: str,
    *,
    gitlab: bool = False,
) -> None:
    """The victim is who they were, everywhere, and made nothing.

    Args:
        framed: the site.
        context: the victim's browser.
        place: who they are.
        name: their display name.
        before: what `gitlab_tokens` said before.
        gitlab: whether no page of a relative host has tossed a GitLab sign-in since theirs.
    """
    page = context.new_page()
    page.goto(f"{place.hub}/hub/home")
    expect(page.locator("#log-out")).to_be_visible()
    page.goto(f"{place.hub}/services/desk/")
    expect(page.get_by_text(name)).to_be_visible()
    assert page.locator("main").inner_text() == before
    page.goto(f"{place.server}/lab")
    expect(page.get_by_text(f'"{place.victim}"').first).to_be_visible()
    page.goto(f"{place.gitlab}/{place.victim}/demo")
    if gitlab or framed.web.notebooks == NOTEBOOKS:
        expect(page.get_by_text(f"@{place.victim}").first).to_be_attached()
    else:  # its second sign-in is ended with the first, and nobody is somebody else
        expect(page.get_by_text("Go back to your course page")).to_be_visible()
    page.close()
