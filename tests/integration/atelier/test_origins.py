"""Host names of their own for learners' servers: what answers where, signing out, tokens."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from atelier.hub.origins import TRUSTED_SECONDS
from kit.framed_site import FramedSite, framed_site
from kit.platform11 import Visitor
from kit.site import until


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FramedSite]:
    """A site whose learners have host names of their own."""
    with framed_site(tmp_path_factory) as running:
        yield running


@pytest.fixture
def person(framed: FramedSite, learner: str) -> Iterator[Visitor]:
    """A browser on the LMS's page of a new learner."""
    with newcomer(framed, learner) as one:
        yield one


def newcomer(framed: FramedSite, user_id: str) -> Visitor:
    server_url = framed.web.server_url("{}")
    one = Visitor(framed.web.hub_url, framed.consumer_secret, user_id, server_url)
    one.browser = framed.web.browser(headers=one.browser.headers)
    return one


def test_a_launch_ends_at_the_learner_s_own_host(framed: FramedSite, person: Visitor) -> None:
    page = person.launch()
    assert page.json()["visitor"] == person.username
    assert str(page.url).startswith(f"{framed.web.server_url(person.username)}/user/")
    told = person.get(f"/user/{person.username}/demo/environment").json()
    assert told["ATELIER_DESK_PAGES"] == f"{framed.web.hub_url}/services/desk"


def test_an_address_of_before_leads_there_too(framed: FramedSite, person: Visitor) -> None:
    person.launch()
    old = f"{framed.web.hub_url}/user/{person.username}/demo/lab/tree/demo/notes.org?x=1"
    page = person.follow(person.browser.get(old))
    assert page.json()["visitor"] == person.username
    assert page.url.path.endswith("/demo/lab/tree/demo/notes.org")
    assert page.url.host.startswith(person.username)
    for method in ("POST", "PUT", "DELETE"):
        assert person.browser.request(method, old).status_code == 403


def test_there_is_no_page_of_the_site_on_learners_hosts(
    framed: FramedSite, person: Visitor
) -> None:
    person.launch()
    own = framed.web.server_url(person.username)
    for path in ("/hub/home", "/hub/login", "/hub/lti/launch", "/hub/api/", "/hub", "/metrics"):
        assert person.browser.get(own + path).status_code == 404, path
    for path, place in {
        "/": "/hub/home",
        "/services/desk/courses/demo/check?path=a": "/services/desk/courses/demo/check?path=a",
    }.items():
        assert person.browser.get(own + path).headers["location"] == framed.web.hub_url + place


def test_another_learner_s_host_is_not_theirs(framed: FramedSite, person: Visitor) -> None:
    """The proxy goes by host and path; where they are of two learners, nobody answers."""
    person.launch()
    with newcomer(framed, "somebody-else") as other:
        other.launch()
        wrong = f"{framed.web.server_url(other.username)}/user/{person.username}/demo/lab"
        answer = person.browser.get(wrong)
        assert answer.headers["location"].startswith(f"{framed.web.hub_url}/hub/user/")


def test_learners_make_no_tokens(framed: FramedSite, person: Visitor) -> None:
    person.launch()
    assert person.get("/hub/token").status_code == 404
    address = f"{framed.web.hub_url}/hub/api/users/{person.username}/tokens"
    headers = {"X-XSRFToken": person.xsrf(), "Referer": f"{framed.web.hub_url}/hub/home"}
    made = person.browser.post(address, json={"note": "mine"}, headers=headers)
    assert made.status_code in (403, 404), made.text
    assert "token" not in made.json()


def test_a_link_signs_nobody_out(framed: FramedSite, person: Visitor) -> None:
    person.launch()
    address = f"{framed.web.hub_url}/hub/logout"
    asked = person.browser.get(address, headers={"Sec-Fetch-Site": "cross-site"})
    assert asked.status_code == 200
    assert 'method="post"' in asked.text
    assert person.browser.post(address).status_code == 403
    assert person.get("/hub/home").status_code == 200


def sign_out(framed: FramedSite, person: Visitor) -> httpx.Response:
    fields = {"_xsrf": person.xsrf()}
    return person.browser.post(f"{framed.web.hub_url}/hub/logout", data=fields)


def test_signing_out_passes_gitlab_and_ends_on_a_page_that_says_so(
    framed: FramedSite, person: Visitor
) -> None:
    person.launch()
    away = sign_out(framed, person)
    leave = f"{framed.web.gitlab_url}/-/atelier/leave?signed-out=1"
    assert away.headers["location"] == leave
    gone = person.browser.get(leave)
    ended = gone.headers.get_list("set-cookie")
    for domain in ("", "Domain=gitlab.atelier.localhost;", "Domain=atelier.localhost;"):
        assert any(f"{line};".count(domain) and "_gitlab_session=;" in line for line in ended)
    page = person.follow(gone)
    assert page.status_code == 200
    assert "You are signed out." in page.text


def test_after_a_sign_out_nothing_answers_to_the_browser(
    framed: FramedSite, person: Visitor
) -> None:
    person.launch()
    desk = f"{framed.web.hub_url}/services/desk/"
    person.follow(person.browser.get(desk))
    server = f"{framed.web.server_url(person.username)}/user/{person.username}/demo/lab"
    assert person.browser.get(server).status_code == 200
    sign_out(framed, person)
    assert person.browser.get(desk).status_code == 302
    until(
        lambda: person.browser.get(server).status_code == 302,
        "the server has asked the hub again",
        TRUSTED_SECONDS + 10,
    )


def test_pages_that_show_who_is_there_are_not_kept(framed: FramedSite, person: Visitor) -> None:
    person.launch()
    html = {"Accept": "text/html"}
    pages = [
        person.browser.get(f"{framed.web.hub_url}/hub/home"),
        person.follow(person.browser.get(f"{framed.web.hub_url}/services/desk/")),
        person.browser.get(
            f"{framed.web.server_url(person.username)}/user/{person.username}/demo/lab",
            headers=html,
        ),
    ]
    for page in pages:
        assert page.status_code in (200, 503), page.url
        assert "no-store" in page.headers["cache-control"], page.url


def test_a_session_put_in_by_another_host_is_not_taken(framed: FramedSite, person: Visitor) -> None:
    """What a page of a relative of the hub's host may do to a browser, before and after."""
    chosen = "chosen-by-somebody-else"
    for name in ("jupyterhub-session-id", "jupyterhub-hub-login"):
        person.browser.cookies.set(name, chosen, domain=".atelier.localhost", path="/hub/")
    person.launch()
    person.browser.cookies.set(
        "jupyterhub-session-id", chosen, domain=".atelier.localhost", path="/hub/atelier"
    )
    assert person.get("/hub/home").status_code == 200
    sign_out(framed, person)
    assert person.get("/hub/home").status_code == 302


def test_a_server_of_before_is_started_again(framed: FramedSite, person: Visitor) -> None:
    """It would look for the hub on its own host, where there is none."""
    framed.write_settings(site={"notebook_origin": "shared", "notebook_domain": None})
    try:
        framed.stop("hub")
        framed.start_hub()
        with Visitor(framed.web.hub_url, framed.consumer_secret, person.user_id) as before:
            before.browser = framed.web.browser(headers=before.browser.headers)
            answer = before.post(before.form())
            started = until(
                lambda: f"{before.username}/demo" in framed.starts() or step(before, answer),
                "the server was started",
            )
            assert started
    finally:
        framed.write_settings()
        framed.stop("hub")
        framed.start_hub()
    assert person.launch().json()["visitor"] == person.username
    assert framed.starts().count(f"{person.username}/demo") == 2


def step(person: Visitor, answer: httpx.Response) -> bool:
    """Go to where the launch leads, without waiting there."""
    person.browser.get(person.way_on(answer))
    return False
