"""Studio's preview: a sentence, and no account."""

from __future__ import annotations

import pytest
from atelier.identity import username
from kit.platform11 import Visitor
from kit.platform13 import Visitor13, platform
from kit.site import Site, until

SENTENCES = {
    "fr": "ouvrez le cours comme vos étudiants",
    "en": "open the course as learners see it",
}


def accounts(site: Site) -> str:
    """What the hub has said of people whom it stored or signed in."""
    return "".join(line for line in site.log("hub").splitlines(True) if "refused" not in line)


@pytest.mark.parametrize("user_id", ["student", "None", ""])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_by_1_1(site: Site, user_id: str, lang: str) -> None:
    with Visitor(site.hub_url, site.consumer_secret, user_id or "x") as author:
        form = author.form(locale=lang)
        if not user_id:  # signed or not: nobody is told apart
            form["user_id"] = ""
        page = author.post(form)
        assert page.status_code in (400, 403)
        assert SENTENCES[lang] in page.text
        assert "View live" in page.text
        assert "click the link again" not in page.text
        assert author.get("/hub/api/user").status_code == 403
        reference = page.text.split("<code>")[1].split("</code>")[0]
        until(lambda: f"[{reference}]" in site.log("hub"), "the reference is in the log")
        if user_id:
            assert username("campus", user_id) not in accounts(site)


def test_by_1_3(site: Site) -> None:
    with platform(site.hub_url) as campus:
        site.write_registrations([campus.registration("campus-13", "campus")])
        with Visitor13(campus, "student") as author:
            page = author.send(author.authorize(author.click()))
            assert page.status_code == 403
            assert "View live" in page.text
            assert author.get("/hub/api/user").status_code == 403
        with Visitor13(campus, "42") as ada:
            assert ada.send(ada.authorize(ada.click())).is_redirect
    site.write_registrations([])
