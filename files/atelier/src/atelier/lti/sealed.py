"""Signs values that pass through a browser: each for one purpose and a short time."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import jwt

_ALGORITHM = "HS256"


class SealError(Exception):
    """A value was not sealed by this site for that purpose, or has expired; the text says which."""


class Sealer:
    """Seals and opens values.

    Args:
        secret: a secret of this site, 32 bytes; the key is derived from it.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.new(secret, b"atelier: sealed values of the door", hashlib.sha256).digest()

    def seal(self, purpose: str, value: dict[str, Any], now: float, seconds: int) -> str:
        """Seal a value.

        Args:
            purpose: must be the same to open it.
            value: JSON; it is readable, not encrypted.
            now: present time, seconds since 1970.
            seconds: validity.
        """
        return jwt.encode(
            {"for": purpose, "until": int(now) + seconds, "value": value}, self._key, _ALGORITHM
        )

    def open(self, purpose: str, sealed: str, now: float) -> dict[str, Any]:
        """The value that was sealed.

        Raises:
            SealError: it was not sealed by this site for that purpose, or has expired.
        """
        try:
            body = jwt.decode(sealed, self._key, algorithms=[_ALGORITHM])
        except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as error:
            raise SealError(f"not sealed by this site: {type(error).__name__}") from None
        if body.get("for") != purpose:
            raise SealError("sealed for something else")
        if now > body["until"]:
            raise SealError(f"sealed too long ago, by {now - body['until']:.0f} s")
        value: dict[str, Any] = body["value"]
        return value
