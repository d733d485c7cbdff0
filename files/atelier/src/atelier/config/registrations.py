"""LTI 1.3 platforms: what ``registrations.yml`` may hold.

A registration is what LTI 1.3 has in the place of a consumer's key and secret: the platform's
issuer, the client ids and deployments it gave this tool, and where its public keys are
(1EdTech Security Framework 1.0, section 5.1.1).
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
    """Whether an address may be a platform's, with or without TLS."""
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
    """Where the browser is sent to have a launch signed (OpenID Connect authorization)."""
    auth_token_url: str | None = None
    """Where this tool asks for access tokens, for grades."""
    auth_audience: str | None = None
    """``aud`` of such requests where the platform wants another than ``auth_token_url``."""
    jwks_url: str | None = None
    """The platform's public keys."""
    jwks: dict[str, Any] | None = None
    """The same, written down, where the platform has no address for them."""

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
