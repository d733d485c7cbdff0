"""One-time tickets that carry a launch from a frame without cookies to a new tab.

A launch is accepted once, so the new tab cannot repeat it. The page in the frame contains a ticket
instead: sealed by the hub, valid for a few minutes, and redeemed once, like a nonce.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

from atelier.lti.nonces import NonceStore
from atelier.lti.sealed import Sealer, SealError

LIFETIME_SECONDS = 300
_PURPOSE = "ticket"


@dataclass(frozen=True)
class Ticket:
    """The learner to sign in, and the page to open then."""

    username: str
    query: str
    """Query of ``/hub/atelier/go``."""
    target: str
    instead_of: str = ""
    """Username that this sign-in replaces in the browser; empty if nobody was signed in."""


def write(ticket: Ticket, sealer: Sealer, now: float) -> str:
    """Return a ticket as text; each call creates a different one.

    Args:
        ticket: what it permits.
        sealer: the site's.
        now: present time, seconds since 1970.
    """
    value = {**asdict(ticket), "id": secrets.token_hex(16), "at": int(now)}
    return sealer.seal(_PURPOSE, value, now, LIFETIME_SECONDS)


def redeem(text: str, sealer: Sealer, nonces: NonceStore, now: float) -> Ticket:
    """Redeem a ticket, which works once.

    Args:
        text: the ticket as it was received.
        sealer: the site's.
        nonces: records that the ticket was used.
        now: present time, seconds since 1970.

    Raises:
        SealError: the ticket is forged, expired or used; the text says which.
    """
    value = sealer.open(_PURPOSE, text, now)
    used, made = value.pop("id"), value.pop("at")
    if not nonces.claim(_PURPOSE, made, used, now=now, expires=made + 2 * LIFETIME_SECONDS):
        raise SealError("used before")
    return Ticket(**value)
