"""A page that tells a learner of a problem carries a reference, which is in the log."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from atelier.hub.web import arrival, go, pages

LOG = logging.getLogger("atelier.tests.references")


class Page:
    """A request whose answer is what its template was given."""

    def __init__(self) -> None:
        self.log = LOG
        self.request = SimpleNamespace(headers={})
        self.status = 200
        self.shown: dict[str, Any] = {}

    def set_status(self, status: int) -> None:
        self.status = status

    async def render_template(self, name: str, **values: Any) -> str:
        self.shown = {"template": name, **values}
        return ""

    def finish(self, page: str) -> None:
        assert page == ""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    site = SimpleNamespace(contact_email=None)
    for module in (arrival, go):
        monkeypatch.setattr(
            module, "hub_context", lambda: SimpleNamespace(settings=SimpleNamespace(site=site))
        )
    return Page()


def told(page: Page, caplog: pytest.LogCaptureFixture) -> str:
    """The line of the log that the page's reference leads to."""
    reference = page.shown["reference"]
    (line,) = [one for one in caplog.messages if f"[{reference}]" in one]
    return line


def test_a_place_that_is_not_there_is_in_the_log(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    asked: Any = page
    asyncio.run(
        go.GoHandler._message(
            asked, "fr", 404, "launch_failed", "course_unknown", detail="course='moon'"
        )
    )
    assert page.status == 404
    assert "course_unknown: course='moon'" in told(page, caplog)


def test_a_ticket_that_is_refused_is_in_the_log(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    asked: Any = page
    asyncio.run(arrival.EnterHandler._refuse(asked, "used before"))
    assert page.status == 403
    assert "launch_replay: ticket: used before" in told(page, caplog)


def test_references_differ(caplog: pytest.LogCaptureFixture) -> None:
    found = {pages.refusal_reference(LOG, "error", "the same") for _ in range(20)}
    assert len(found) == 20
    assert all(any(f"[{one}]" in line for line in caplog.messages) for one in found)
