"""Reads the header of a token. It is unsigned, so the type of each field is checked before use.

Sources: JSON Web Signature (RFC 7515, section 4.1), 1EdTech Security Framework 1.0, section 6.1.
"""

from __future__ import annotations

import jwt

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})
"""What the Security Framework allows (section 6.1.1); never a shared secret, never none."""
MAX_TOKEN_BYTES = 64 * 1024
_TYPES: dict[str, type] = {
    **dict.fromkeys(("alg", "kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256"), str),
    "jwk": dict,
    "x5c": list,
    "b64": bool,
}
"""What the fields may hold (RFC 7515, section 4.1; ``b64``: RFC 7797)."""


class HeaderError(Exception):
    """A header cannot be used; the text says why, for the log.

    Attributes:
        key: sentence for the learner.
        status: HTTP status.
    """

    def __init__(self, key: str, detail: str, status: int) -> None:
        super().__init__(detail)
        self.key = key
        self.status = status


def read_header(token: str) -> tuple[str, str]:
    """Read the algorithm and the key id of a token.

    Raises:
        HeaderError: it is not a token, or its algorithm or key may not be used.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise HeaderError("launch_shape", f"id_token of {len(token)} characters", 413)
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as error:
        detail = f"id_token is not a token: {type(error).__name__}"
        raise HeaderError("launch_shape", detail, 400) from None
    for name, kind in _TYPES.items():
        if name in header and not isinstance(header[name], kind):
            found = type(header[name]).__name__
            detail = f"id_token: {name} in the header must be {kind.__name__}, and is {found}"
            raise HeaderError("launch_shape", detail, 400)
    if (
        "crit" in header
    ):  # extensions listed in `crit` must be understood (RFC 7515, section 4.1.11)
        detail = "id_token names extensions of JWS as critical, and none is known here"
        raise HeaderError("launch_shape", detail, 400)
    algorithm, kid = header.get("alg", ""), header.get("kid", "")
    if algorithm not in ALGORITHMS:
        detail = f"id_token is signed by {algorithm[:20]!r}, which is not allowed"
        raise HeaderError("launch_signature", detail, 401)
    if not kid:
        raise HeaderError("launch_signature", "id_token does not name its key (kid)", 401)
    return algorithm, kid
