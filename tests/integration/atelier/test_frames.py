"""The site in a frame of a course page: which pages may show it, and the cookies it needs there."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from kit.framed_site import FramedSite, framed_site
from kit.platform11 import Visitor
from kit.site import free_port
from kit.web_server import WebServer


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FramedSite]:
    """A site that the LMS's pages may show in frames."""
    with framed_site(tmp_path_factory) as running:
        yield running


@pytest.fixture
def person(framed: FramedSite, learner: str) -> Iterator[Visitor]:
    """A browser on the LMS's page of a new learner."""
    server_url = framed.web.server_url("{}")
    with Visitor(framed.web.hub_url, framed.consumer_secret, learner, server_url) as one:
        one.browser = framed.web.browser(headers=one.browser.headers)
        yield one


def attributes(answer: httpx.Response) -> dict[str, set[str]]:
    """Attributes of the cookies an answer sets, by name, in lower case."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        name, *rest = line.split(";")
        found[name.partition("=")[0]] = {part.strip().lower() for part in rest}
    return found


CROSS_SITE = {"secure", "samesite=none", "partitioned"}


def test_cookies_of_hub_and_notebook_are_taken_in_a_frame(person: Visitor) -> None:
    cookies: dict[str, set[str]] = {}
    person.browser.event_hooks = {"response": [lambda answer: cookies.update(attributes(answer))]}
    assert person.launch().json()["visitor"] == person.username
    hub = {"__Host-jupyterhub-hub-login", "__Host-jupyterhub-session-id", "_xsrf"}
    assert hub <= set(cookies)
    notebook = f"__Host-jupyterhub-user-{person.username}-demo"
    assert notebook in cookies
    assert f"{notebook}-oauth-state" in cookies
    for name, said in cookies.items():
        assert said >= CROSS_SITE, name


def test_only_the_platform_s_pages_may_show_the_site(framed: FramedSite, person: Visitor) -> None:
    person.launch()
    for path in ("/hub/home", "/hub/lti/launch?oauth_x", f"/user/{person.username}/demo/lab"):
        answer = person.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.count("frame-ancestors") == 1, policy
        ancestors = policy.partition("frame-ancestors ")[2].partition(";")[0]
        own = ["'self'"] if path.startswith("/user/") else []
        assert ancestors.split() == [*own, framed.web.lms_url], path
        assert "x-frame-options" not in answer.headers


def test_a_site_without_platforms_in_frames_keeps_its_cookies_and_refuses_frames(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("nginx-plain")
    web = WebServer(folder, platform_origins=False, notebooks=None)
    site = FramedSite(tmp_path_factory.mktemp("plain"), web)
    with web.running(hub=site.proxy_port, gitlab=free_port(), lms=free_port()):
        try:
            site.start_proxy()
            site.start_hub()
            with Visitor(web.hub_url, site.consumer_secret, "plain") as person:
                person.browser = web.browser()
                page = person.post(person.form())
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
            cookies = attributes(page)
            assert "jupyterhub-hub-login" in cookies
            for name, said in cookies.items():
                assert not said & {"partitioned", "samesite=none"}, name
        finally:
            site.close()


IN_FRAME = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}


def ticket_of(person: Visitor) -> str:
    """The ticket on the page that a launch gets in a frame."""
    page = person.browser.post(person.launch_url, data=person.form(), headers=IN_FRAME)
    assert page.status_code == 200
    return page.text.split('name="ticket" value="')[1].split('"')[0]


def bring(framed: FramedSite, browser: httpx.Client, ticket: str, origin: str) -> httpx.Response:
    """Bring a ticket to the hub from a page of that origin."""
    address = f"{framed.web.hub_url}/hub/atelier/enter"
    return browser.post(address, data={"ticket": ticket}, headers={"Origin": origin})


def test_a_launch_in_a_frame_looks_whether_its_cookies_were_taken(
    framed: FramedSite, person: Visitor
) -> None:
    ticket_of(person)
    asked = f"/hub/atelier/arrived?who={person.username}"
    assert person.get(asked).json() == {"arrived": True}
    assert person.get("/hub/atelier/arrived?who=usomebodyelse").json() == {"arrived": False}
    person.browser.cookies.clear()
    assert person.get(asked).json() == {"arrived": False}
    assert f"for '{person.username}', a browser brings no cookie of the hub" in framed.log("hub")
    assert f"for 'usomebodyelse', a browser brings the cookies of {person.username}" in framed.log(
        "hub"
    )


def test_a_ticket_signs_in_a_new_tab_once(framed: FramedSite, person: Visitor) -> None:
    ticket = ticket_of(person)
    session = person.browser.cookies["__Host-jupyterhub-session-id"]
    with framed.web.browser() as tab:
        tab.cookies.set("__Host-jupyterhub-session-id", "chosen-by-somebody-else")
        answer = bring(framed, tab, ticket, framed.web.hub_url)
        assert answer.headers["location"].endswith("?course=demo&target=notebook")
        assert tab.cookies["__Host-jupyterhub-hub-login"]
        given = (
            attributes(answer)["__Host-jupyterhub-session-id"],
            answer.headers.get_list("set-cookie"),
        )
        assert not any("chosen-by-somebody-else" in line or session in line for line in given[1])
        who = tab.get(f"{framed.web.hub_url}/hub/atelier/arrived?who={person.username}")
        assert who.json() == {"arrived": True}
    with framed.web.browser() as thief:
        again = bring(framed, thief, ticket, framed.web.hub_url)
        assert again.status_code == 403
        assert "__Host-jupyterhub-hub-login" not in thief.cookies


def test_a_ticket_is_taken_from_the_hub_s_own_pages_only(
    framed: FramedSite, person: Visitor
) -> None:
    ticket = ticket_of(person)
    with framed.web.browser() as victim:
        for origin in ("https://evil.example", "null", "", framed.web.lms_url):
            assert bring(framed, victim, ticket, origin).status_code == 403
        for forged in (ticket[:-1] + "x", ticket[1:], "", "2|1:0|é"):
            assert bring(framed, victim, forged, framed.web.hub_url).status_code == 403
        assert "__Host-jupyterhub-hub-login" not in victim.cookies
        assert bring(framed, victim, ticket, framed.web.hub_url).status_code == 302


def test_who_is_not_signed_in_is_told_what_to_do(person: Visitor) -> None:
    page = person.get("/hub/atelier/go?course=demo")
    assert page.status_code == 403
    assert "Open the link from the course page" in page.text
    assert "allow them, or open the link in a new tab" in page.text


def test_a_double_click_finds_its_way_whichever_answer_comes_first(
    framed: FramedSite, person: Visitor
) -> None:
    form = person.form()
    with framed.web.browser() as first:
        taken = first.post(person.launch_url, data=form)
        second = person.post(form)
        assert second.status_code == 401
        (link,) = (part.split('"')[0] for part in second.text.split('class="button" href="')[1:])
        assert link == f"/hub/atelier/go?who={person.username}"
        early = person.get(link)
        assert early.status_code == 403
        assert "page du cours" in early.text or "course page" in early.text
        for cookie in first.cookies.jar:  # the first answer's cookies come late
            person.browser.cookies.jar.set_cookie(cookie)
        assert taken.is_redirect
        assert person.follow(person.get(link)).json()["visitor"] == person.username
        wrong = person.get("/hub/atelier/go?who=usomebodyelse")
        assert wrong.status_code == 403
        assert "somebody else is signed in" in wrong.text.lower() or "autre personne" in wrong.text
