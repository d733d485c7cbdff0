"""Requests that are no launch at all still get a page that somebody can act on."""

from __future__ import annotations

import httpx
import pytest
from kit.site import Site, until


@pytest.mark.parametrize("address", ["lti/launch", "lti/diagnose", "lti13/launch", "lti13/login"])
@pytest.mark.parametrize(
    "body", [b"launch_presentation_locale=%ff", b"launch_presentation_locale=\xff&user_id=\xfe"]
)
def test_a_locale_that_is_no_text_gets_a_page_with_a_reference(
    site: Site, address: str, body: bytes
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    page = httpx.post(f"{site.hub_url}/hub/{address}", content=body, headers=form, trust_env=False)
    assert page.status_code in (400, 401)
    reference = page.text.split('<p class="small">')[1].split("<code>")[1].split("</code>")[0]
    until(lambda: f"[{reference}]" in site.log("hub"), "the log knows the reference")
