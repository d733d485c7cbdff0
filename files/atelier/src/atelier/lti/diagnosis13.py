"""Explains why an LTI 1.3 token is refused, by comparing it with the platform's registration.

The explanation contains no secret and only values that the platform itself sent; of the
registration it says only whether a value is equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

from atelier.config.registrations import Registration
from atelier.config.schema.kinds import is_writable
from atelier.lti.claims13 import CLAIM, is_time
from atelier.lti.diagnosis11 import Cause
from atelier.lti.keysets13 import Keysets
from atelier.lti.launch13 import ALGORITHMS, MAX_TOKEN_BYTES, Returned

HIDDEN = ("nonce", "login_hint", "lti_message_hint")
_SHOWN = ("iss", "aud", "azp", "iat", "exp", "sub")
_SHOWN_LTI = ("deployment_id", "version", "message_type", "target_link_uri", "roles", "custom")
MAX_SHOWN = 500
MAX_TRIED_KEYS = 20
MAX_TRIED_BYTES = 16 * 1024
"""For larger tokens, other keys are not tried."""


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token without verification; empty if they cannot be decoded."""
    if len(token) > MAX_TOKEN_BYTES:
        return {}, {}
    try:
        whole = jwt.decode_complete(token, options={"verify_signature": False})
        return dict(whole["header"]), dict(whole["payload"])
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return {}, {}


def as_text(value: Any, length: int) -> str:
    """A value for a page; lone surrogates, which JSON can contain, become U+FFFD."""
    text = str(value)[:length]
    return "".join(char if is_writable(char) else "\ufffd" for char in text)


def shown(header: Mapping[str, Any], claims: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parts of a token that a page shows: those that depend on the platform's settings."""
    rows = [(name, header.get(name)) for name in ("alg", "kid", "typ")]
    rows += [(name, claims.get(name)) for name in _SHOWN]
    rows += [(name, claims.get(CLAIM + name)) for name in _SHOWN_LTI]
    return [(name, as_text(value, MAX_SHOWN)) for name, value in rows if value is not None]


def _signed_by(token: str, algorithm: str, key: jwt.PyJWK) -> bool:
    try:
        jwt.PyJWS().decode(token, key.key, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return False
    return True


def _signature_causes(
    token: str, header: Mapping[str, Any], keys: Mapping[str, jwt.PyJWK]
) -> list[Cause]:
    algorithm, kid = str(header.get("alg")), header.get("kid")
    if algorithm not in ALGORITHMS:
        allowed = ", ".join(sorted(ALGORITHMS))
        return [Cause("cause13_algorithm", {"given": as_text(algorithm, 20), "allowed": allowed})]
    known = isinstance(kid, str) and kid in keys
    if known and _signed_by(token, algorithm, keys[str(kid)]):
        return []
    fields = {"kid": as_text(kid, 80), "count": str(len(keys))}
    found = [Cause("cause13_kid_known" if known else "cause13_kid_unknown", fields)]
    if len(token) > MAX_TRIED_BYTES:
        return found
    tried = list(keys.items())[:MAX_TRIED_KEYS]
    other = next((name for name, key in tried if _signed_by(token, algorithm, key)), None)
    if other is not None:
        found.append(Cause("cause13_other_key", {"kid": as_text(other, 80)}))
    elif keys and len(keys) <= MAX_TRIED_KEYS:
        found.append(Cause("cause13_no_key"))
    return found


def causes(
    token: str,
    state: Returned,
    registration: Registration | None,
    keysets: Keysets,
    now: float,
    window: int,
) -> list[Cause]:
    """Everything that is wrong with a token, not only the first error.

    Args:
        token: ``id_token``; the browser that brings it began the login ``state`` is of.
        state: what this site remembered.
        registration: the platform's, if it is still known.
        keysets: their public keys.
        now: present time, seconds since 1970.
        window: how far the platform's clock may be off, seconds.
    """
    if registration is None:
        return [Cause("cause13_registration")]
    header, claims = unverified(token)
    if not header:
        return [Cause("cause13_no_token")]
    found = _signature_causes(token, header, keysets.known(registration))
    if claims.get("iss") != registration.issuer:
        found.append(Cause("cause13_issuer", {"given": as_text(claims.get("iss"), 200)}))
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if state.client_id not in audiences:
        given = {"given": as_text(audience, 200), "client": state.client_id}
        found.append(Cause("cause13_client", given))
    elif claims.get("azp", state.client_id if len(audiences) == 1 else None) != state.client_id:
        found.append(Cause("cause13_party", {"given": as_text(claims.get("azp"), 200)}))
    deployment = claims.get(CLAIM + "deployment_id")
    if deployment not in registration.deployment_ids:
        found.append(Cause("cause13_deployment", {"given": as_text(deployment, 80)}))
    if claims.get("nonce") != state.nonce:
        found.append(Cause("cause13_nonce"))
    return found + _clock(claims, now, window)


def _clock(claims: Mapping[str, Any], now: float, window: int) -> list[Cause]:
    dated: Any = claims.get("iat")
    ends: Any = claims.get("exp")
    found = []
    if is_time(dated):
        fields = {"skew": f"{now - dated:+.0f}", "window": str(window)}
        found.append(Cause("diagnosis_clock", fields))
    if is_time(ends) and now > ends:
        found.append(Cause("cause13_expired", {"seconds": f"{now - ends:.0f}"}))
    return found
