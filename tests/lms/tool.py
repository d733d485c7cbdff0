"""The tool's public key, read at its address as a platform does."""

from __future__ import annotations

import ssl

import httpx
import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kit.local_names import LocalNames


def public_key(hub_url: str, ca_file: str) -> str:
    """The key with which the tool signs now, in PEM.

    Args:
        hub_url: the tool's address.
        ca_file: certificates trusted; empty: the usual ones.
    """
    trust = ssl.create_default_context(cafile=ca_file or None)
    with httpx.Client(transport=LocalNames(verify=trust), timeout=20) as client:
        found = client.get(f"{hub_url}/hub/lti13/keys").raise_for_status().json()
    key = jwt.PyJWK(found["keys"][0]).key
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()
