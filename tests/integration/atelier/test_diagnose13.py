"""An LTI 1.3 link whose address is the diagnosis: looked at instead of opened."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

import httpx
import jwt
import pytest
from kit.platform13 import Visitor13, platform
from kit.site import Site, until
from lms.platform13 import Platform13, make_key


@pytest.fixture(scope="module")
def campus(site: Site) -> Iterator[Platform13]:
    """The platform ``campus``, trusted for roles."""
    with platform(site.hub_url) as one:
        whole = one.registration("campus-13", "campus")
        site.write_registrations([{**whole, "trust_roles": True}])
        yield one


@pytest.fixture
def teacher(campus: Platform13, learner: str) -> Iterator[Visitor13]:
    with Visitor13(campus, learner) as one:
        yield one


def login(visitor: Visitor13, role: str = "instructor", **changes: str) -> str:
    """A click on the link that leads to the diagnosis."""
    address, _, query = visitor.click(
        role=role, course="demo", path="notebooks/pi.ipynb"
    ).partition("?")
    leads = {"target_link_uri": f"{visitor.hub_url}/hub/lti13/diagnose"}
    return f"{address}?{urlencode({**dict(parse_qsl(query)), **leads, **changes})}"


def opened(visitor: Visitor13, role: str = "instructor") -> httpx.Response:
    return visitor.send(visitor.authorize(login(visitor, role)))


def test_a_team_sees_what_its_platform_sent_and_is_not_signed_in(
    site: Site, campus: Platform13, teacher: Visitor13
) -> None:
    page = opened(teacher)
    assert page.status_code == 200
    for said in (
        "ce lancement serait accepté",
        "\u00a0s d’écart avec ce serveur (300\u00a0s sont admises)",
        teacher.username,
        "notebooks/pi.ipynb",
        f"{site.hub_url}/hub/lti13/launch",
        f"{site.hub_url}/hub/lti13/diagnose",
        campus.address,
    ):
        assert said in page.text, said
    assert "jupyterhub-hub-login" not in teacher.browser.cookies
    assert "no-store" in page.headers["cache-control"]


def test_a_learner_sees_nothing(teacher: Visitor13) -> None:
    page = opened(teacher, "student")
    assert page.status_code == 403
    assert "notebooks/pi.ipynb" not in page.text


def test_a_diagnosis_is_a_launch_used_up(teacher: Visitor13) -> None:
    form = teacher.authorize(login(teacher))
    assert teacher.send(form).status_code == 200
    again = teacher.send(form)
    assert again.status_code == 401
    assert "a déjà servi" in again.text


def test_a_wrong_key_is_explained_on_the_page_and_in_the_log(
    site: Site, campus: Platform13, teacher: Visitor13
) -> None:
    form = teacher.authorize(login(teacher))
    claims = jwt.decode(form["id_token"], options={"verify_signature": False})
    kid = jwt.get_unverified_header(form["id_token"])["kid"]
    forged = jwt.encode(claims, make_key(), "RS256", headers={"kid": kid})
    page = teacher.send({**form, "id_token": forged})
    assert page.status_code == 401
    assert "is known, but that key did not sign it" in page.text
    assert claims["nonce"] not in page.text
    assert campus.address in page.text
    until(lambda: "is known, but that key did not sign it" in site.log("hub"), "the log says so")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"client_id": "nobody"}, "no client id"),
        ({"iss": "https://nowhere.example"}, "no registration of issuer"),
        ({"lti_deployment_id": "99"}, "no deployment"),
    ],
)
def test_a_login_that_cannot_begin_says_what_does_not_match(
    teacher: Visitor13, wrong: dict[str, str], said: str
) -> None:
    page = teacher.browser.get(login(teacher, **wrong))
    assert page.status_code == 401
    assert said in page.text
    assert next(iter(wrong.values())) in page.text
    assert "What the platform sent" in page.text


def test_the_address_itself_is_a_friendly_page(teacher: Visitor13) -> None:
    page = teacher.get("/hub/lti13/diagnose")
    assert page.status_code == 200
    assert "course page" in page.text
