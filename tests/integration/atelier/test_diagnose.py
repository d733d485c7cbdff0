"""The address that looks at a launch instead of opening it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from kit.platform11 import Visitor, launch_form
from kit.site import Site, until


@pytest.fixture
def trusted(site: Site) -> Iterator[None]:
    """The platform is trusted for roles."""
    campus = {"key": "campus", "secret": site.consumer_secret, "platform": "campus"}
    site.write_consumers([{**campus, "trust_roles": True}])
    yield
    site.write_consumers([campus])


def diagnose(
    site: Site, visitor: Visitor, address: str = "", roles: str = "Instructor", **headers: str
) -> httpx.Response:
    """Send a launch to be looked at, signed for that address."""
    right = f"{site.hub_url}/hub/lti/diagnose"
    form = launch_form(
        address or right,
        "campus",
        site.consumer_secret,
        visitor.user_id,
        roles=roles,
        path="notebooks/pi.ipynb",
    )
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return visitor.browser.post(right, data=form, headers=sent)


@pytest.mark.usefixtures("trusted")
def test_a_team_sees_what_its_platform_sent_and_is_not_signed_in(
    site: Site, visitor: Visitor
) -> None:
    page = diagnose(site, visitor, Host="inside.example:8000", X_Forwarded_Proto="gopher")
    assert page.status_code == 200
    for said in (
        "ce lancement serait accepté",
        visitor.username,
        "notebooks/pi.ipynb",
        f"{site.hub_url}/hub/lti/diagnose",
        "inside.example:8000",
        "gopher",
        "Un proxy devant le site change l’adresse",
    ):
        assert said in page.text, said
    assert site.consumer_secret not in page.text
    assert "jupyterhub-hub-login" not in visitor.browser.cookies


def test_a_platform_that_is_not_trusted_for_roles_sees_nothing(
    site: Site, visitor: Visitor
) -> None:
    page = diagnose(site, visitor)
    assert page.status_code == 403
    assert "réservé aux équipes des cours" in page.text
    assert "notebooks/pi.ipynb" not in page.text


@pytest.mark.usefixtures("trusted")
def test_a_learner_of_a_trusted_platform_sees_nothing(site: Site, visitor: Visitor) -> None:
    page = diagnose(site, visitor, roles="Student")
    assert page.status_code == 403
    assert "notebooks/pi.ipynb" not in page.text


def test_a_signature_that_fails_is_explained_on_the_page_and_in_the_log(
    site: Site, visitor: Visitor
) -> None:
    wrong = f"{site.hub_url}/hub/lti/diagnose/"
    page = until(
        lambda: (
            answer
            if "La plateforme a signé pour" in (answer := diagnose(site, visitor, wrong)).text
            else None
        ),
        "the cause is looked for",  # once a second at most
    )
    assert page.status_code == 401
    assert wrong in page.text
    reference = page.text.split("<code>")[1].split("</code>")[0]
    until(
        lambda: f"[{reference}] launch_signature: " in site.log("hub"),
        "the reference is in the log",
    )
    assert f"The platform signed for {wrong}" in site.log("hub")
    assert site.consumer_secret not in page.text + site.log("hub")
