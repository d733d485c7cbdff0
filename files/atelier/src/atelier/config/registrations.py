"""LTI 1.3 platforms: what ``registrations.yml`` may hold.

A registration is what LTI 1.3 has in the place of a consumer's key and secret: the platform's
issuer, the client ids and deployments it gave this tool, and where its public keys are
(1EdTech Security Framework 1.0, section 5.1.1).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import jwt
from pydantic import AfterValidator, Field, model_validator

from atelier.config.fields import Strict, is_writable
from atelier.config.models import Launcher
from atelier.config.schema.hosts import host_of

Identifier = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
"""A client id, a deployment id: compared character by character."""
PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
"""Members of a JSON Web Key that are secret (RFC 7518, section 6)."""


def _platform_url(value: str) -> str:
    """An address of a platform, kept as it is: a slash at its end means something there.

    Without TLS it is of use where ``atelier_platform_private_hosts`` names its host: see
    :mod:`atelier.config.schema.hosts`.
    """
    parts = urlsplit(value)
    if not parts.hostname or parts.username or parts.fragment or len(value) > 1024:
        raise ValueError("must be an address without user name or fragment")
    if any(ord(char) <= 32 or ord(char) == 127 for char in value) or "\\" in value:
        raise ValueError("must not hold spaces, backslashes or control characters")
    if not is_writable(value):
        raise ValueError("must not hold halves of characters")
    if parts.scheme not in ("https", "http"):
        raise ValueError("must be an https:// address")
    return value


def is_platform_url(value: str) -> bool:
    """Whether an address may be a platform's."""
    try:
        _platform_url(value)
    except ValueError:
        return False
    return True


PlatformUrl = Annotated[str, AfterValidator(_platform_url)]


class Registration(Launcher):
    """One LTI 1.3 registration; ``key`` is its name in logs and in courses' ``consumers``."""

    issuer: Annotated[str, Field(min_length=1, max_length=255)]
    """The platform's issuer, exactly as it sends it."""
    client_ids: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    deployment_ids: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    auth_login_url: PlatformUrl
    """Where the browser is sent to have a launch signed (OpenID Connect authorization)."""
    auth_token_url: PlatformUrl | None = None
    """Where this tool asks for access tokens, for grades."""
    auth_audience: str | None = None
    """``aud`` of such requests where the platform wants another than ``auth_token_url``."""
    jwks_url: PlatformUrl | None = None
    """The platform's public keys."""
    jwks: dict[str, Any] | None = None
    """The same, written down, where the platform has no address for them."""

    @model_validator(mode="after")
    def _keys_from_one_place(self) -> Registration:
        if (self.jwks_url is None) == (self.jwks is None):
            raise ValueError("one of jwks_url and jwks is needed, and not both")
        if self.jwks is not None:
            keys = self.jwks.get("keys")
            if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
                raise ValueError("jwks: must be a JSON Web Key Set, {keys: [...]}")
            if any(PRIVATE_PARTS & one.keys() for one in keys):
                raise ValueError("jwks: must hold public keys only; this private one is burnt")
            try:
                known = jwt.PyJWKSet.from_dict(self.jwks).keys
            except jwt.PyJWTError as error:
                raise ValueError(f"jwks: {error}") from None
            if not all(one.key_id for one in known):
                raise ValueError("jwks: each key needs its kid")
        return self

    @property
    def known_hosts(self) -> frozenset[str]:
        """Hosts this platform is known by: a grade, or a teacher's choice, goes to one of them."""
        addresses = (self.issuer, self.auth_login_url, self.auth_token_url, self.jwks_url)
        known = {host for host in map(host_of, addresses) if host is not None}
        return frozenset(known.union(self.hosts))

    @property
    def origin(self) -> str:
        """Scheme, host and port from which the platform's pages come."""
        parts = urlsplit(self.auth_login_url)
        return f"{parts.scheme}://{parts.netloc}"


class Registrations(Strict):
    """All of ``registrations.yml``."""

    version: Literal[1] = 1
    registrations: tuple[Registration, ...] = ()

    @model_validator(mode="after")
    def _one_registration_per_client(self) -> Registrations:
        keys: set[str] = set()
        clients: set[tuple[str, str]] = set()
        for one in self.registrations:
            if one.key in keys:
                raise ValueError(f"two registrations have the key {one.key!r}")
            keys.add(one.key)
            for client in one.client_ids:
                if (one.issuer, client) in clients:
                    raise ValueError(
                        f"two registrations have issuer {one.issuer!r} and client id {client!r}"
                    )
                clients.add((one.issuer, client))
        return self

    def by_key(self, key: str) -> Registration | None:
        """The registration with that key, if there is one."""
        return next((one for one in self.registrations if one.key == key), None)

    def of_issuer(self, issuer: str) -> list[Registration]:
        """Every registration of a platform's issuer."""
        return [one for one in self.registrations if one.issuer == issuer]

    def by_client(self, issuer: str, client_id: str) -> Registration | None:
        """The registration under which an issuer gave this tool that client id."""
        return next((one for one in self.of_issuer(issuer) if client_id in one.client_ids), None)
