"""Access tokens for platforms' services, such as the one that takes grades.

A registered tool authenticates with its own key and gets a token for some scopes, for about an
hour (1EdTech Security Framework 1.0, section 4.1; RFC 6749, section 4.4; RFC 7523).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable

from atelier.config.models import SettingsError
from atelier.config.registrations import Registration
from atelier.lti.http import PlatformClient, PlatformRequestError
from atelier.lti.tool_keys import ToolKeys

SCORE_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
"""Permits sending scores (Assignment and Grade Services 2.0, section 3.4)."""
ASSERTION_SECONDS = 60
_MARGIN_SECONDS = 60
"""Seconds before its end from which a token is no longer used."""
_DEFAULT_SECONDS = 300
"""Life of a token without ``expires_in``, which is only recommended."""


class ServiceError(Exception):
    """A platform gave no token; the text says why, without secrets.

    Attributes:
        silent: nobody answered.
    """

    def __init__(self, text: str, *, silent: bool = False) -> None:
        super().__init__(text)
        self.silent = silent


class PlatformTokens:
    """Access tokens, cached until they expire.

    Args:
        platform_client: sends the requests.
        keys: this site's keys, which sign the requests.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        platform_client: PlatformClient,
        keys: ToolKeys,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._platform_client = platform_client
        self._keys = keys
        self._clock = clock
        self._kept: dict[tuple[str, str, str], tuple[str, float]] = {}
        self._locks: dict[tuple[str, str, str], asyncio.Lock] = {}
        self._silent: dict[tuple[str, str, str], tuple[str, float]] = {}

    async def token(
        self, registration: Registration, client_id: str, scopes: Iterable[str] = (SCORE_SCOPE,)
    ) -> str:
        """A token, for the header ``Authorization: Bearer``.

        Args:
            registration: the platform's.
            client_id: the client id of the launch.
            scopes: scopes that the token must have.

        Raises:
            ServiceError: the platform gave no token, or not for all of these scopes.
        """
        wanted = sorted(set(scopes))
        name = (registration.key, client_id, " ".join(wanted))
        came = time.monotonic()
        async with self._locks.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            if kept is not None and self._clock() <= kept[1] - _MARGIN_SECONDS:
                return kept[0]
            why, when = self._silent.get(name, ("", 0.0))
            if when > came:  # while this call waited for the lock
                raise ServiceError(why, silent=True)
            try:
                self._kept[name] = await self._ask(registration, client_id, wanted)
            except ServiceError as error:
                if error.silent:
                    self._silent[name] = str(error), time.monotonic()
                raise
            return self._kept[name][0]

    def forget(self, token: str) -> None:
        """Drop a token that a platform refused, so that the next call asks for a new one."""
        self._kept = {name: kept for name, kept in self._kept.items() if kept[0] != token}

    async def _ask(
        self, registration: Registration, client_id: str, scopes: list[str]
    ) -> tuple[str, float]:
        """Request a token; return it with its expiry."""
        where = f"registration {registration.key!r}"
        url = registration.auth_token_url
        if url is None:
            raise ServiceError(f"{where}: auth_token_url is not set")
        now = self._clock()
        try:
            assertion = self._keys.sign(
                {
                    "iss": client_id,
                    "sub": client_id,
                    "aud": registration.auth_audience or url,
                    "iat": int(now),
                    "exp": int(now) + ASSERTION_SECONDS,
                    "jti": secrets.token_urlsafe(24),
                }
            )
            answer = await self._platform_client.request(
                "POST",
                url,
                form={
                    "grant_type": "client_credentials",
                    "client_assertion_type": (
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                    ),
                    "client_assertion": assertion,
                    "scope": " ".join(scopes),
                },
            )
        except (PlatformRequestError, SettingsError) as error:
            silent = isinstance(error, PlatformRequestError) and error.silent
            raise ServiceError(f"{where}: {error}", silent=silent) from None
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not token.isascii():
            raise ServiceError(f"{where}: {url} gives no access_token")
        # RFC 6749, section 5.1: without `scope`, the scopes are those requested.
        given = str(answer.get("scope") or " ".join(scopes)).split()
        if missing := [one for one in scopes if one not in given]:
            raise ServiceError(f"{where}: {url} does not permit {' '.join(missing)}")
        usable = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
        return token, now + (float(seconds) if usable else _DEFAULT_SECONDS)  # type: ignore[arg-type]
