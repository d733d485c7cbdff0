"""One-time tickets: from a frame where the browser refuses cookies to a tab of its own.

A launch is accepted once, so the new tab cannot repeat it. The page in the frame holds a ticket
instead: sealed by the hub, good for a few minutes, redeemed once through the record of nonces.
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
    """Who may be signed in, and where they go then."""

    username: str
    query: str
    """Query of ``/hub/atelier/go``."""
    target: str
    instead_of: str = ""
    """Username of whom it replaces in the browser it was made for; empty: of nobody."""


def write(ticket: Ticket, sealer: Sealer, now: float) -> str:
    """A ticket as text; each call makes one of its own.

    Args:
        ticket: what it is good for.
        sealer: the site's.
        now: present time, seconds since 1970.
    """
    value = {**asdict(ticket), "id": secrets.token_hex(16), "at": int(now)}
    return sealer.seal(_PURPOSE, value, now, LIFETIME_SECONDS)


def redeem(text: str, sealer: Sealer, nonces: NonceStore, now: float) -> Ticket:
    """The ticket, once.

    Args:
        text: what came.
        sealer: the site's.
        nonces: where it is recorded that it was used.
        now: present time, seconds since 1970.

    Raises:
        SealError: it is forged, too old, or was used before; the text says which.
    """
    value = sealer.open(_PURPOSE, text, now)
    used, made = value.pop("id"), value.pop("at")
    if not nonces.claim(_PURPOSE, made, used, now=now, expires=made + 2 * LIFETIME_SECONDS):
        raise SealError("used before")
    return Ticket(**value)
