"""Caches platforms' public keys, and reads them again when a launch names an unknown key.

While a platform's key address does not answer, launches with cached keys still work, after a short
wait. Invented key names cause at most one request a minute.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from atelier.config.registrations import Registration
from atelier.lti.http import PlatformClient, PlatformRequestError

log = logging.getLogger(__name__)

FLOOR_SECONDS = 60
"""Minimum time between two requests to one address."""
FRESH_SECONDS = 3600
"""Age at which keys are read again, so that a withdrawn key is not trusted for ever."""
PATIENCE_SECONDS = 2.0
"""Seconds that a launch with a cached key waits for a refresh, to notice a withdrawal."""
KEPT_SECONDS = 7 * 86_400
"""Life of cached keys while the platform's address does not answer."""


class UnknownKeyError(Exception):
    """The platform has no such key; the text says why."""


def usable(keyset: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """The keys of a set that can check a signature, by ``kid``: RSA of 2048 bits or more, EC."""
    try:
        keys = jwt.PyJWKSet.from_dict(keyset).keys
    except (jwt.PyJWTError, TypeError, AttributeError):
        return {}
    return {
        str(key.key_id): key
        for key in keys
        if key.key_id
        and key.public_key_use in (None, "sig")
        and (
            isinstance(key.key, EllipticCurvePublicKey)
            or (isinstance(key.key, RSAPublicKey) and key.key.key_size >= 2048)
        )
    }


@dataclass
class _Known:
    keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    read: float | None = None
    tried: float | None = None
    said: str = ""
    """Result of the last request."""
    reading: asyncio.Task[None] | None = None
    """The request in progress, which all launches share."""

    def serves(self, kid: str, now: float) -> bool:
        """Whether a key may be used at a time of the clock."""
        return self.read is not None and now - self.read < KEPT_SECONDS and kid in self.keys


class Keysets:
    """Public keys by registration and ``kid``.

    Args:
        platform_client: sends the requests.
        clock: seconds that only grow.
    """

    def __init__(
        self, platform_client: PlatformClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._platform_client = platform_client
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def known(self, registration: Registration) -> dict[str, jwt.PyJWK]:
        """The cached keys of a platform, by ``kid``; sends no request."""
        if registration.jwks is not None:
            return usable(registration.jwks)
        known = self._known.get(str(registration.jwks_url))
        return dict(known.keys) if known is not None else {}

    async def key(self, registration: Registration, kid: str) -> jwt.PyJWK:
        """The public key a platform names.

        Raises:
            UnknownKeyError: the platform has no such key, or its keys cannot be read.
        """
        if registration.jwks is not None:
            found = usable(registration.jwks).get(kid)
            if found is None:
                raise UnknownKeyError(f"jwks of {registration.key!r} has no key {kid[:80]!r}")
            return found
        url = str(registration.jwks_url)
        known = self._known.setdefault(url, _Known())
        now = self._clock()
        fresh = known.read is not None and now - known.read < FRESH_SECONDS
        may_ask = known.tried is None or now - known.tried >= FLOOR_SECONDS
        reason = "it was read less than a minute ago"
        wanting = kid not in known.keys or not fresh
        if known.reading is None and may_ask and wanting:
            known.tried = now
            known.reading = asyncio.create_task(self._read(registration.key, url, known))
        if known.reading is not None and wanting:
            patience = PATIENCE_SECONDS if known.serves(kid, now) else None
            await asyncio.wait({known.reading}, timeout=patience)
            reason = known.said
        if known.serves(kid, self._clock()):
            return known.keys[kid]
        raise UnknownKeyError(f"{url} has no key {kid[:80]!r}: {reason}")

    async def _read(self, key: str, url: str, known: _Known) -> None:
        """Ask a platform for its keys, on behalf of all who wait."""
        try:
            answer = await self._platform_client.request("GET", url)
            if not isinstance(answer.get("keys"), list):
                # An empty list would withdraw all keys; an unusable answer must not.
                raise PlatformRequestError(f"{url}: not a set of keys")
            known.keys = usable(answer)
            known.read = self._clock()
            known.said = "it was read just now"
        except PlatformRequestError as error:
            known.said = str(error)
            log.warning("keys of %s cannot be read: %s", key, error)
        finally:
            known.reading = None
