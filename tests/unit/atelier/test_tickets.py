"""Tickets from a frame to a tab: sealed, short-lived, used once."""

from __future__ import annotations

import secrets

import pytest
from atelier.config.models import Settings, SettingsError, Site, parse
from atelier.hub.tickets import LIFETIME_SECONDS, Ticket, redeem, write
from atelier.lti.nonces import NonceStore
from atelier.lti.sealed import Sealer, SealError
from atelier.web.headers import page_headers

NOW = 1_800_000_000.0
SEALER = Sealer(secrets.token_bytes(32))
TICKET = Ticket("uabc", "course=demo&target=notebook", "notebook")


@pytest.fixture
def nonces() -> NonceStore:
    return NonceStore("sqlite://")


def test_a_ticket_is_good_once(nonces: NonceStore) -> None:
    text = write(TICKET, SEALER, NOW)
    assert redeem(text, SEALER, nonces, NOW + 1) == TICKET
    with pytest.raises(SealError, match="used before"):
        redeem(text, SEALER, nonces, NOW + 2)
    assert redeem(write(TICKET, SEALER, NOW), SEALER, nonces, NOW) == TICKET


def test_a_ticket_ends(nonces: NonceStore) -> None:
    text = write(TICKET, SEALER, NOW)
    with pytest.raises(SealError, match="too long ago"):
        redeem(text, SEALER, nonces, NOW + LIFETIME_SECONDS + 1)


@pytest.mark.parametrize("text", ["", "x", "é", "a.b.c", "\udcff"])
def test_what_was_not_sealed_here_is_no_ticket(nonces: NonceStore, text: str) -> None:
    with pytest.raises(SealError):
        redeem(text, SEALER, nonces, NOW)


def test_what_was_sealed_for_something_else_is_no_ticket(nonces: NonceStore) -> None:
    other = SEALER.seal("login", {"username": "uabc", "query": "", "target": ""}, NOW, 60)
    with pytest.raises(SealError, match="something else"):
        redeem(other, SEALER, nonces, NOW)
    with pytest.raises(SealError, match="not sealed by this site"):
        redeem(write(TICKET, Sealer(b"x" * 32), NOW), SEALER, nonces, NOW)


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ((), "frame-ancestors 'none';"),
        (("https://lms.example.org",), "frame-ancestors https://lms.example.org;"),
        (
            ("https://a.example.org", "https://B.example.org:8443"),
            "frame-ancestors https://a.example.org https://b.example.org:8443;",
        ),
    ],
)
def test_pages_say_who_may_show_them_in_a_frame(origins: tuple[str, ...], said: str) -> None:
    site = Site.model_validate(
        {
            "hub_url": "https://hub.example.org",
            "gitlab_url": "https://gitlab.example.org",
            "frame_ancestors": origins,
        }
    )
    assert page_headers(site)["Content-Security-Policy"].startswith(said)


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.org", "https://a.example.org/x", "https://a; script-src *"]
)
def test_an_origin_is_a_scheme_and_a_host(origin: str) -> None:
    text = (
        "site: {hub_url: 'https://h.example.org', gitlab_url: 'https://g.example.org',"
        f" frame_ancestors: ['{origin}']}}"
    )
    with pytest.raises(SettingsError, match=r"site\.frame_ancestors\.0"):
        parse(Settings, text, "atelier.yml")
