# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates a JSON Web Key Set in the inventory (RFC 7517): public keys that verify launches."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .kinds import PLAIN, Kind, Reading
from .problems import wrong

PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
"""Members of a JSON Web Key that are secret (RFC 7518, section 6)."""
LEAST_RSA_BITS = 2048
ALGORITHMS = {"RSA": ("RS256", "RS384", "RS512"), "EC": ("ES256", "ES384", "ES512")}
"""Signature algorithms of launches, by key type."""


@dataclass(frozen=True)
class Curve:
    """An elliptic curve of FIPS 186-4, y² = x³ - 3x + b modulo p: bytes of a coordinate, p, b."""

    size: int
    p: int
    b: int


CURVES = {
    "P-256": Curve(
        32,
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    "P-384": Curve(
        48,
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    ),
    "P-521": Curve(
        66,
        2**521 - 1,
        0x0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
    ),
}


def _bytes(value: Any) -> bytes:
    """Decode base64url without padding; return an empty value if it is invalid."""
    if not isinstance(value, str) or not value.isascii():
        return b""
    try:
        padded = value + "=" * (-len(value) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_rsa(key: Mapping[str, Any]) -> bool:
    modulus, exponent = (int.from_bytes(_bytes(key.get(part)), "big") for part in ("n", "e"))
    return modulus.bit_length() >= LEAST_RSA_BITS and 3 <= exponent < modulus and exponent % 2 == 1


def _is_ec(key: Mapping[str, Any]) -> bool:
    curve = CURVES.get(str(key.get("crv")))
    if curve is None:
        return False
    x, y = _bytes(key.get("x")), _bytes(key.get("y"))
    if len(x) != curve.size or len(y) != curve.size:
        return False
    across, up = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    if across >= curve.p or up >= curve.p:
        return False
    return (up * up - (across**3 - 3 * across + curve.b)) % curve.p == 0


def checks_launches(key: Mapping[str, Any]) -> bool:
    """Return whether a key can verify a launch's signature: RSA of 2048 bits or more, or EC."""
    kind = str(key.get("kty"))
    if key.get("use") not in (None, "sig") or kind not in ALGORITHMS:
        return False
    if key.get("alg") is not None and key["alg"] not in ALGORITHMS[kind]:
        return False
    return _is_rsa(key) if kind == "RSA" else _is_ec(key)


@dataclass(frozen=True)
class Keyset(Kind):
    """A set of public keys, at least one of which can verify launches.

    Attributes:
        usable: whether such a key is required; earlier releases did not require one.
    """

    fix: str = "Copy the platform's public key set, {keys: [...]}, or give its address in jwks_url."
    usable: bool = True

    ansible = "dict"

    def read(self, value: Any, reading: Reading = PLAIN) -> dict[str, Any]:
        """Return the set."""
        del reading
        keys = value.get("keys") if isinstance(value, Mapping) else None
        if not isinstance(keys, (list, tuple)) or not all(isinstance(one, Mapping) for one in keys):
            raise wrong("is not a JSON Web Key Set", self.fix)
        if any(PRIVATE_PARTS & one.keys() for one in keys):
            raise wrong(
                "holds a private key, which is not secret any more",
                "Make another key on the platform, and write its public part alone.",
            )
        if self.usable:
            serving = [one for one in keys if checks_launches(one)]
            if not serving:
                raise wrong("has no key that can check a launch", self.fix)
            if not all(isinstance(one.get("kid"), str) and one["kid"] for one in serving):
                raise wrong("has a key without its kid", "Each key needs its kid.")
        return {str(name): member for name, member in value.items()}
