"""Sign-in through the hub (OAuth 2.0 authorization code grant, RFC 6749 section 4.1, with PKCE)."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from jupyterhub.services.auth import HubOAuth  # type: ignore[import-untyped]
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from tornado.web import HTTPError

from atelier.config.models import HOST_PREFIX, Settings
from atelier.desk.credentials import HubUnavailableError
from atelier.desk.errors import RefusedError
from atelier.desk.pages.sessions import SESSION_SECONDS, Session, Sessions, set_cookie
from atelier.i18n.translate import accepted_language, language
from atelier.identity import is_username
from atelier.messages import service_prefix

log = logging.getLogger(__name__)

COOKIE = "atelier-desk"
SCOPE = "access:services!service=desk"
SIGN_IN_SECONDS = 600
MAX_SIGN_INS = 10_000
"""Limit on unfinished sign-ins; the oldest are dropped first."""
RECHECK_SECONDS = 30
"""Time for which pages cache the hub's answer about a token; forms always ask the hub."""


@dataclass(frozen=True)
class _Begun:
    verifier: str = field(repr=False)
    after: str
    ends: float


class SignIn:
    """Signs browsers in through the hub, and keeps their sessions.

    Args:
        settings: the site's settings.
        hub_token: the desk's API token, which is also its OAuth client secret.
    """

    def __init__(self, settings: Settings, hub_token: str) -> None:
        self._hub_url = settings.site.hub_url
        self._prefix = service_prefix(settings)
        self._https = settings.site.hub_url.startswith("https:")
        self._hub_session_cookie = settings.site.hub_session_cookie
        # Browsers let no other host set a cookie with the prefix, and require the path "/" for it.
        apart = settings.site.notebooks is not None
        self._cookie_name = f"{HOST_PREFIX if apart else ''}{COOKIE}"
        self._cookie_path = "/" if apart else f"{self._prefix}/"
        base = self._prefix.removesuffix("/services/desk")
        self._oauth = HubOAuth(
            api_url=f"{settings.hub.api_url}{base}/hub/api",
            api_token=hub_token,
            hub_host="",
            hub_prefix=f"{base}/hub/",
            base_url=f"{self._prefix}/",
            oauth_client_id="service-desk",
            oauth_redirect_uri=f"{self._hub_url}/services/desk/oauth_callback",
            cache_max_age=RECHECK_SECONDS,
        )
        self._sessions = Sessions()
        self._begun: dict[str, _Begun] = {}

    @property
    def prefix(self) -> str:
        """Path of the desk on the hub's host."""
        return self._prefix

    async def session(self, request: Request, *, certain: bool) -> Session | None:
        """Return the browser's session if the hub confirms that the sign-in is still valid.

        Args:
            request: the browser's request.
            certain: whether to ask the hub now, without the cache of half a minute.

        Raises:
            HubUnavailableError: the hub does not answer.
        """
        name = request.cookies.get(self._cookie_name, "")
        found = self._sessions.find(name) if name else None
        if found is None:
            return None
        if found.hub_session != request.cookies.get(self._hub_session_cookie, ""):
            self._sessions.close(name)  # the user signed out of the hub, or another one signed in
            return None
        model = await self._user(found.token, use_cache=not certain)
        if model is None or model.get("name") != found.username:
            self._sessions.close(name)
            return None
        return found

    async def _user(self, token: str, *, use_cache: bool) -> dict[str, Any] | None:
        try:
            model = await self._oauth.user_for_token(token, use_cache=use_cache, sync=False)
        except HTTPError as error:
            raise HubUnavailableError(str(error.log_message or error.status_code)) from None
        if model is None or model.get("kind") != "user" or SCOPE not in model.get("scopes", ()):
            return None
        return model if is_username(str(model.get("name", ""))) else None

    def begin(self, request: Request) -> Response:
        """Redirect a browser to the hub; after sign-in it returns to the requested page."""
        state = secrets.token_urlsafe(24)
        verifier, challenge, method = self._oauth.generate_pkce_code_challenge()
        after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self._forget_old()
        self._begun[state] = _Begun(verifier, after, time.monotonic() + SIGN_IN_SECONDS)
        query = {
            "client_id": self._oauth.oauth_client_id,
            "redirect_uri": self._oauth.oauth_redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": method,
        }
        base = self._prefix.removesuffix("/services/desk")
        address = f"{base}/hub/api/oauth2/authorize?{urlencode(query)}"
        response = RedirectResponse(address, 302, {"Cache-Control": "no-store"})
        self._cookie(response, self._state_cookie(state), state, SIGN_IN_SECONDS)
        return response

    def _forget_old(self) -> None:
        now = time.monotonic()
        for state, begun in list(self._begun.items()):  # oldest first
            if begun.ends > now and len(self._begun) < MAX_SIGN_INS:
                return
            del self._begun[state]

    async def finish(self, request: Request) -> Response:
        """Open a session for a browser that returns from the hub, and redirect to its page.

        Raises:
            RefusedError: the sign-in did not start in this browser, has expired, or the hub
                refuses.
            HubUnavailableError: the hub does not answer.
        """
        state = request.query_params.get("state", "")
        held = request.cookies.get(self._state_cookie(state), "")
        ours = secrets.compare_digest(held.encode(), state.encode())
        begun = self._begun.pop(state, None) if ours else None
        if begun is None or begun.ends < time.monotonic():
            raise RefusedError(403, "sign_in_stale")
        code = request.query_params.get("code", "")
        if not code:
            log.warning(
                "sign-in refused by the hub: %s", request.query_params.get("error", "")[:80]
            )
            raise RefusedError(403, "sign_in_refused")
        try:
            token = await self._oauth.token_for_code(code, code_verifier=begun.verifier, sync=False)
        except HTTPError as error:
            log.warning("sign-in: the hub gives no token: %s", error.log_message)
            raise RefusedError(403, "sign_in_refused") from None
        model = await self._user(token, use_cache=False)
        if model is None:
            raise RefusedError(403, "sign_in_refused")
        info = model.get("user_info") or {}
        locale = str(info.get("locale") or "")
        session = Session(
            username=model["name"],
            name=str(info.get("name") or model["name"]),
            token=token,
            hub_session=request.cookies.get(self._hub_session_cookie, ""),
            language=language(locale)
            if locale
            else accepted_language(request.headers.get("accept-language")),
        )
        self._sessions.close(request.cookies.get(self._cookie_name, ""))
        response = RedirectResponse(begun.after, 302, {"Cache-Control": "no-store"})
        self._cookie(response, self._cookie_name, self._sessions.open(session), SESSION_SECONDS)
        self._cookie(response, self._state_cookie(state), "", 0)
        return response

    def _cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        path = self._cookie_path
        set_cookie(response, name, value, path=path, seconds=seconds, https=self._https)

    def _state_cookie(self, state: str) -> str:
        """Return a cookie name for each sign-in, as several tabs may sign in at the same time."""
        return f"{self._cookie_name}-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
