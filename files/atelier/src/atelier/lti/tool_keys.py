"""The tool's own keys: the private ones sign, the public ones are published for platforms.

One file has the private keys in PEM, the newest first, which signs. All are published, so that
signatures from just before a rotation can still be verified.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from atelier.config.credentials import Credentials
from atelier.config.models import SettingsError

CREDENTIAL = "lti_tool_keys"
ALGORITHM = "RS256"
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.S)


@dataclass(frozen=True)
class ToolKey:
    """A key pair and its name, the thumbprint of RFC 7638."""

    kid: str
    private: RSAPrivateKey
    public: dict[str, Any]
    """The public half as a JSON Web Key."""


def _key(pem: str) -> ToolKey:
    try:
        private = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, RSAPrivateKey) or private.key_size < 2048:
        raise SettingsError(f"credential {CREDENTIAL!r}: must hold RSA keys of 2048 bits or more")
    public = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    essential = {name: public[name] for name in ("e", "kty", "n")}
    digest = hashlib.sha256(json.dumps(essential, separators=(",", ":"), sort_keys=True).encode())
    kid = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
    return ToolKey(kid, private, {**essential, "kid": kid, "use": "sig", "alg": ALGORITHM})


class ToolKeys:
    """The keys of this site.

    Args:
        pem: private keys in PEM, one after the other, the newest first.

    Raises:
        SettingsError: one is not an RSA key of 2048 bits or more.
    """

    def __init__(self, pem: str) -> None:
        self._keys = [_key(one) for one in _PEM.findall(pem)]

    def sign(self, claims: dict[str, Any]) -> str:
        """A JSON Web Token with these claims, signed by the newest key.

        Raises:
            SettingsError: there is no key.
        """
        if not self._keys:
            raise SettingsError(f"credential {CREDENTIAL!r}: holds no private key in PEM")
        newest = self._keys[0]
        return jwt.encode(claims, newest.private, ALGORITHM, headers={"kid": newest.kid})

    def published(self) -> dict[str, Any]:
        """The JSON Web Key Set that platforms read (RFC 7517, section 5)."""
        return {"keys": [one.public for one in self._keys]}


def tool_keys(credentials: Credentials) -> ToolKeys:
    """This site's keys, as systemd handed them over; none where it did not."""
    return ToolKeys(credentials.optional(CREDENTIAL) or "")
