"""A launch by LTI 1.1 where somebody else is signed in: the hub asks, and switches nobody alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from kit.platform11 import Visitor
from kit.site import Site, until


@pytest.fixture
def pair(site: Site, learner: str) -> Iterator[tuple[Visitor, Visitor]]:
    """Ada, who is signed in, and Bob, who launches in the same browser."""
    with (
        Visitor(site.hub_url, site.consumer_secret, learner + "-ada") as ada,
        Visitor(site.hub_url, site.consumer_secret, learner + "-bob") as bob,
    ):
        ada.launch(target="home", full_name="Ada Lovelace")
        bob.browser.cookies = ada.browser.cookies
        yield ada, bob


def who(visitor: Visitor) -> str:
    return str(visitor.get("/hub/api/user").json().get("name", ""))


def ticket_of(page: httpx.Response) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def enter(visitor: Visitor, ticket: str, **headers: str) -> httpx.Response:
    return visitor.browser.post(
        f"{visitor.hub_url}/hub/atelier/enter", data={"ticket": ticket}, headers=headers
    )


@pytest.mark.parametrize(
    ("locale", "question", "button"),
    [
        (
            "fr",
            "Vous êtes Ada Lovelace. Continuer en tant que Bob &amp; Co ?",
            "Rester connecté en tant que Ada Lovelace",
        ),
        ("en", "You are Ada Lovelace. Continue as Bob &amp; Co?", "Stay signed in as Ada Lovelace"),
    ],
)
def test_somebody_else_is_asked(
    pair: tuple[Visitor, Visitor], locale: str, question: str, button: str
) -> None:
    ada, bob = pair
    page = bob.post(bob.form(target="home", full_name="Bob + Co", locale=locale))
    assert page.status_code == 200
    text = page.text.replace("\u202f", " ").replace("\xa0", " ")
    assert question.replace("&amp; Co", "+ Co") in text
    assert button in page.text
    assert page.headers["cache-control"] == "no-store"
    assert who(ada) == ada.username, "nothing has changed"
    answer = bob.agree(page)
    assert answer.is_redirect
    assert who(bob) == bob.username


def test_the_same_person_is_not_asked(pair: tuple[Visitor, Visitor]) -> None:
    ada, _bob = pair
    page = ada.post(ada.form(target="home"))
    assert page.is_redirect
    assert "/hub/atelier/go?" in page.headers["location"]
    assert who(ada) == ada.username


def test_nobody_is_asked_where_nobody_is_signed_in(visitor: Visitor) -> None:
    page = visitor.post(visitor.form(target="home"))
    assert page.is_redirect
    assert who(visitor) == visitor.username


def test_another_page_cannot_answer(site: Site, pair: tuple[Visitor, Visitor]) -> None:
    """Login CSRF: a page of somebody who has a launch of their own signs nobody in as them."""
    ada, bob = pair
    page = bob.post(bob.form(target="home"))
    for headers in (
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": site.hub_url + ".evil.example"},
    ):
        assert enter(bob, ticket_of(page), **headers).status_code == 403
        assert who(ada) == ada.username


def test_an_answer_counts_in_its_own_browser_and_once(
    site: Site, pair: tuple[Visitor, Visitor], learner: str
) -> None:
    _ada, bob = pair
    ticket = ticket_of(bob.post(bob.form(target="home")))
    with Visitor(site.hub_url, site.consumer_secret, learner + "-eve") as eve:
        eve.launch(target="home")
        assert enter(eve, ticket, Origin=site.hub_url).status_code == 403
        assert who(eve) == eve.username
    ticket = ticket_of(bob.post(bob.form(target="home")))
    assert enter(bob, ticket, Origin=site.hub_url).is_redirect
    assert enter(bob, ticket, Origin=site.hub_url).status_code == 403


def test_a_browser_that_keeps_back_its_cookies_is_asked_too(
    site: Site, pair: tuple[Visitor, Visitor]
) -> None:
    """With a form of another site, Chromium sends no cookies that are SameSite=Lax."""
    ada, bob = pair
    held = httpx.Cookies(ada.browser.cookies)
    bob.browser.cookies = httpx.Cookies()
    answer = bob.browser.post(
        bob.launch_url,
        data=bob.form(target="home"),
        headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
    )
    assert answer.status_code == 303
    (given,) = answer.headers.get_list("set-cookie")
    assert given.startswith("atelier-arrival-")
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    for cookie in held.jar:
        bob.browser.cookies.jar.set_cookie(cookie)
    way = f"{site.hub_url}{answer.headers['location']}"
    page = bob.browser.get(way)
    assert page.status_code == 200
    assert who(bob) == ada.username
    assert bob.agree(page).is_redirect
    assert who(bob) == bob.username
    assert bob.browser.get(way).status_code == 403, "good once"


def test_where_a_launch_goes_on_needs_what_that_browser_was_given(
    site: Site, pair: tuple[Visitor, Visitor], learner: str
) -> None:
    _ada, bob = pair
    bob.browser.cookies = httpx.Cookies()
    answer = bob.browser.post(
        bob.launch_url, data=bob.form(target="home"), headers={"Sec-Fetch-Site": "cross-site"}
    )
    with Visitor(site.hub_url, site.consumer_secret, learner + "-eve") as eve:
        refused = eve.browser.get(f"{site.hub_url}{answer.headers['location']}")
        assert refused.status_code == 403
        assert eve.get("/hub/api/user").status_code == 403
    for query in ("", "?n=", "?n=x", "?n=%22;"):
        assert eve is not None
        page = httpx.get(f"{site.hub_url}/hub/atelier/enter{query}", trust_env=False)
        assert page.status_code == 403


def test_the_log_says_who_was_asked(site: Site, pair: tuple[Visitor, Visitor]) -> None:
    ada, bob = pair
    bob.post(bob.form(target="home"))
    said = f"{ada.username} is asked whether {bob.username}"
    until(lambda: said in site.log("hub"), "the log says so")
