"""LTI 1.3 platforms: models of ``registrations.yml``.

A registration replaces LTI 1.1's consumer key and secret: it has the platform's issuer, the client
ids and deployment ids that the platform gave this tool, and the address of its public keys (1EdTech
Security Framework 1.0, section 5.1.1).
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import model_validator

from atelier.config.fields import Strict
from atelier.config.models import Launcher
from atelier.config.schema.hosts import host_of
from atelier.config.schema.paths import platform_url
from atelier.config.schema.registration import KEPT_REGISTRATION


def is_platform_url(value: str) -> bool:
    """Return whether an address is valid for a platform, with or without TLS."""
    try:
        platform_url(value)
    except ValueError:
        return False
    return True


class Registration(Launcher):
    """One LTI 1.3 registration; ``key`` is its name in logs and in courses' ``consumers``."""

    table = KEPT_REGISTRATION

    issuer: str
    """The platform's issuer, exactly as it sends it."""
    client_ids: tuple[str, ...]
    deployment_ids: tuple[str, ...]
    auth_login_url: str
    """OpenID Connect authorization endpoint, where the platform signs a launch."""
    auth_token_url: str | None = None
    """OAuth token endpoint, for the access tokens with which grades are sent."""
    auth_audience: str | None = None
    """``aud`` of token requests if the platform requires another value than ``auth_token_url``."""
    jwks_url: str | None = None
    """Address of the platform's public keys."""
    jwks: dict[str, Any] | None = None
    """The public keys themselves, for a platform without an address for them."""

    @property
    def known_hosts(self) -> frozenset[str]:
        """Hosts to which the platform's grades and deep linking responses may be sent."""
        addresses = (self.issuer, self.auth_login_url, self.auth_token_url, self.jwks_url)
        known = {host for host in map(host_of, addresses) if host is not None}
        return frozenset(known.union(self.hosts))

    @property
    def origin(self) -> str:
        """Origin (scheme, host and port) of the platform's pages."""
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
        """Return the registration with that key, or None."""
        return next((one for one in self.registrations if one.key == key), None)

    def of_issuer(self, issuer: str) -> list[Registration]:
        """Return all registrations of an issuer."""
        return [one for one in self.registrations if one.issuer == issuer]

    def by_client(self, issuer: str, client_id: str) -> Registration | None:
        """Return the registration with that issuer and client id, or None."""
        return next((one for one in self.of_issuer(issuer) if client_id in one.client_ids), None)
