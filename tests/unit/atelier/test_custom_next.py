"""A ``custom_next`` that is passed over is told to who reads the log."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from atelier.config.models import Consumer, Course, Site
from atelier.hub import authenticator
from atelier.lti.launch11 import Launch

SITE = Site(hub_url="https://hub.mooc.example", gitlab_url="https://gitlab.mooc.example")
CAMPUS = Consumer.model_validate({"key": "campus", "secret": "a-secret" * 5, "platform": "campus"})
DEMO = Course.model_validate(
    {"slug": "demo", "title": {"fr": "d", "en": "d"}, "template": "d/t", "image": "i"}
)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("https://evil.example/", True),
        ("/\\evil.example", True),
        ("/hub/logout", True),
        ("/hub/user-redirect/lab", False),
        ("", False),
    ],
)
def test_an_address_that_leads_elsewhere_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wanted: str, told: bool
) -> None:
    rooms = SimpleNamespace(
        settings=SimpleNamespace(site=SITE), courses=SimpleNamespace(all=lambda: {"demo": DEMO})
    )
    monkeypatch.setattr(authenticator, "hub_context", lambda: rooms)
    handler: Any = SimpleNamespace(log=logging.getLogger("atelier.tests.next"))
    launch = Launch(CAMPUS, {"user_id": "42", "custom_next": wanted})
    door = authenticator.AtelierAuthenticator()
    assert asyncio.run(door.authenticate(handler, launch)) is not None
    lines = [one for one in caplog.messages if "custom_next" in one]
    assert bool(lines) is told
    assert all("'campus'" in one and repr(wanted) in one for one in lines)
