"""The list of a learner's courses."""

from __future__ import annotations

import re

from kit.platform11 import Visitor
from kit.site import Site


def test_without_a_course_named_a_learner_sees_the_list(visitor: Visitor) -> None:
    visitor.launch()
    for address in (
        "/hub/spawn",
        f"/hub/spawn/{visitor.username}",
        "/hub/user-redirect/lab",
        f"/user/{visitor.username}/lab",
    ):
        page = visitor.follow(visitor.get(address))
        assert page.status_code < 500, address
        assert "/hub/home" in f"{page.url} {page.text}", address


def test_a_link_may_lead_to_the_list(visitor: Visitor) -> None:
    page = visitor.launch(target="home")
    assert (page.status_code, page.url.path) == (200, "/hub/home")
    assert "/hub/atelier/go?course=demo&amp;target=gitlab" in page.text


def test_a_course_that_was_never_launched_is_not_in_it(site: Site, visitor: Visitor) -> None:
    site.write_course("other")
    try:
        page = visitor.launch(course="demo", target="home")
        assert "Le cours demo" in page.text
        assert "Le cours other" not in page.text
    finally:
        (site.root / "courses.d" / "other.yml").unlink()


def test_a_page_of_an_error_has_a_reference_that_the_log_explains(
    site: Site, visitor: Visitor
) -> None:
    visitor.launch()
    page = visitor.get("/hub/admin")
    assert page.status_code == 403
    (reference,) = re.findall(r"<code>([0-9a-f]{8})</code>", page.text)
    (line,) = [line for line in site.log("hub").splitlines() if reference in line]
    assert "status 403" in line
    assert "<code>" not in visitor.get("/hub/nowhere").text, "there is nothing to be told of a 404"
