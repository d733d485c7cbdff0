"""A click on an LTI 1.3 link: what it opens, for whom, and what it refuses."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from kit.platform11 import Visitor
from kit.platform13 import Visitor13, platform
from kit.site import Site, until
from lms.platform13 import Platform13


@pytest.fixture(scope="module")
def campus(site: Site) -> Iterator[Platform13]:
    """The platform ``campus``, by its LTI 1.3 registration."""
    with platform(site.hub_url) as one:
        site.write_registrations([one.registration("campus-13", "campus")])
        yield one


@pytest.fixture
def visitor13(campus: Platform13, learner: str) -> Iterator[Visitor13]:
    with Visitor13(campus, learner) as one:
        yield one


class Links(HTMLParser):
    """The links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append({name: value or "" for name, value in attrs})


def test_a_click_opens_the_file_named_in_the_learner_s_own_server(visitor13: Visitor13) -> None:
    page = visitor13.open(course="demo", path="notebooks/pi & python.ipynb")
    assert page.status_code == 200
    assert page.json()["visitor"] == visitor13.username
    assert page.json()["path"] == (
        f"/user/{visitor13.username}/demo/lab/tree/demo/notebooks/pi%20%26%20python.ipynb"
    )


def test_1_1_and_1_3_open_the_same_learner_s_server(
    site: Site, campus: Platform13, learner: str
) -> None:
    with Visitor(site.hub_url, site.consumer_secret, learner) as old:
        first = old.launch().json()
    with Visitor13(campus, learner) as new:
        second = new.open(course="demo").json()
    assert (first["visitor"], first["pid"]) == (second["visitor"], second["pid"])


def test_two_links_may_be_opened_at_once(visitor13: Visitor13) -> None:
    first, second = (visitor13.authorize(visitor13.click(path=f"{n}.md")) for n in "ab")
    for form, name in ((second, "b.md"), (first, "a.md")):
        answer = visitor13.send(form)
        assert answer.status_code == 302
        assert f"path={name}" in answer.headers["location"]


def test_a_launch_is_accepted_once_also_after_a_restart(site: Site, visitor13: Visitor13) -> None:
    form = visitor13.authorize(visitor13.click())
    assert visitor13.send(form).status_code == 302
    again = visitor13.send(form)
    assert again.status_code == 401
    assert "Ce lien a déjà servi" in again.text, "in the launch's language"
    assert 'href="/hub/atelier/go?' in again.text, "a double click goes on"
    site.stop("hub")
    site.start_hub()
    assert visitor13.send(form).status_code == 401


def test_a_launch_slipped_into_another_s_browser_signs_nobody_in(
    campus: Platform13, visitor13: Visitor13
) -> None:
    form = visitor13.authorize(visitor13.click())
    with Visitor13(campus, "victim") as victim:
        page = victim.send(form)
        assert page.status_code == 403
        assert not any("login" in name for name in victim.browser.cookies)
        victim.authorize(victim.click())  # also once the victim has a login of their own
        assert victim.send(form).status_code == 403
        (link,) = [one for one in Links(page.text).found if one.get("target") == "_blank"]
        assert link["href"].startswith("/hub/lti13/login?")
        own = victim.browser.get(victim.hub_url + link["href"])
        assert own.headers["location"].startswith(campus.address), "the platform says who it is"
    assert visitor13.send(form).status_code == 302, "the refusal used nothing up"


def test_a_refusal_is_a_page_with_a_reference_that_is_in_the_log(
    site: Site, visitor13: Visitor13
) -> None:
    form = visitor13.authorize(visitor13.click(course="nothing"))
    page = visitor13.send(form)
    assert page.status_code == 400
    assert "n’ouvre pas depuis votre plateforme" in page.text, "in the launch's language"
    reference = page.text.split("<code>")[1].split("</code>")[0]
    until(lambda: f"[{reference}]" in site.log("hub"), "the reference is in the log")
    assert "custom_course='nothing'" in site.log("hub")


@pytest.mark.parametrize(
    "change",
    [
        {"state": ""},
        {"state": "x"},
        {"id_token": ""},
        {"id_token": "a.b.c"},
        {"error": "login_required", "id_token": ""},
    ],
)
def test_a_form_that_is_not_a_launch_gets_a_page(
    visitor13: Visitor13, change: dict[str, str]
) -> None:
    page = visitor13.send({**visitor13.authorize(visitor13.click()), **change})
    assert page.status_code in (400, 401)
    assert "<code>" in page.text


def test_a_forged_token_signs_nobody_in(visitor13: Visitor13) -> None:
    form = visitor13.authorize(visitor13.click())
    claims: dict[str, Any] = jwt.decode(form["id_token"], options={"verify_signature": False})
    claims["sub"] = "somebody else"
    for forged in (
        jwt.encode(claims, "x" * 32, "HS256", headers={"kid": "key-1"}),
        jwt.encode(claims, None, "none", headers={"kid": "key-1"}),  # type: ignore[arg-type]
    ):
        assert visitor13.send({**form, "id_token": forged}).status_code == 401
    assert visitor13.send(form).status_code == 302


@pytest.mark.parametrize("looked_at", [False, True])
def test_a_header_of_any_kind_gets_a_page(visitor13: Visitor13, looked_at: bool) -> None:
    link = visitor13.click()
    if looked_at:  # the page that says why a launch is refused reads the header, too
        parts = urlsplit(link)
        query = dict(parse_qsl(parts.query))
        query["target_link_uri"] = f"{visitor13.campus.hub_url}/hub/lti13/diagnose"
        link = parts._replace(query=urlencode(query)).geturl()
    form = visitor13.authorize(link)
    _, claims, signature = form["id_token"].split(".")
    for name in ("alg", "kid", "typ", "crit", "jku", "jwk", "x5c", "b64"):
        for value in (None, 1, ["RS256"], {"a": []}, [[]]):
            head = json.dumps({"alg": "RS256", "kid": "key-1", name: value}).encode()
            encoded = base64.urlsafe_b64encode(head).rstrip(b"=").decode()
            page = visitor13.send({**form, "id_token": f"{encoded}.{claims}.{signature}"})
            assert page.status_code in (400, 401), (name, value, page.text)
            assert "<code>" in page.text


def test_requests_that_come_to_nothing_leave_nothing(site: Site, visitor13: Visitor13) -> None:
    def recorded() -> int:
        with sqlite3.connect(site.root / "hub" / "nonces.sqlite") as database:
            return int(database.execute("select count(*) from atelier_nonces").fetchone()[0])

    before = recorded()
    for _ in range(20):
        visitor13.browser.get(visitor13.click())
        visitor13.send({"state": "x", "id_token": "a.b.c"})
    assert recorded() == before


def test_the_site_publishes_the_public_half_of_its_keys_only(site: Site, visitor: Visitor) -> None:
    answer = visitor.get("/hub/lti13/keys")
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert answer.headers["content-type"].startswith("application/json")
    assert site.secrets["lti_tool_keys"].split()[5] not in answer.text


def test_somebody_who_types_the_addresses_gets_a_friendly_page(visitor: Visitor) -> None:
    for address in ("/hub/lti13/login", "/hub/lti13/launch"):
        page = visitor.get(address)
        assert page.status_code == 200
        assert "Start from your course page" in page.text
