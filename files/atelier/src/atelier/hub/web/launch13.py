"""``/hub/lti13/…``: the addresses of LTI 1.3.

``login`` receives login requests, ``launch`` the signed tokens, ``chosen`` a teacher's choice of a
link, ``register/<code>`` the registration of an invited platform. ``keys`` has this site's public
keys.
The rules are in :mod:`atelier.lti.launch13`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlencode

from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]

from atelier.hub.context import hub_context
from atelier.hub.web import diagnose13
from atelier.hub.web.deep_linking_page import ChosenHandler, show_choice
from atelier.hub.web.dynamic_registration import RegisterHandler
from atelier.hub.web.launch11 import LaunchHTTPError
from atelier.hub.web.lti13_base import Lti13Handler
from atelier.i18n.translate import language
from atelier.lti import launch13 as lti13
from atelier.lti.launch11 import LaunchError, read_form, single


class LoginHandler(Lti13Handler):
    """``/hub/lti13/login``: a platform's login request, by GET or POST."""

    async def get(self) -> None:
        """A login request in the query, or a visitor who typed the address."""
        if self.request.query:
            await self._begin(self.request.query.encode("utf-8", "surrogateescape"))
        else:
            await super().get()

    async def post(self) -> None:
        """A login request in a form."""
        await self._begin(self.request.body)

    async def _begin(self, form: bytes) -> None:
        site = hub_context().settings.site
        self.set_header("Cache-Control", "no-store")
        asked: dict[str, str] = {}
        try:
            asked = single(read_form(form))
            login = lti13.begin(
                asked,
                registrations=hub_context().registrations.get(),
                hosts=hub_context().platform_client.hosts,
                hub_url=site.hub_url,
                sealer=self.sealer,
                browser_secret=self.keep_browser_secret(),
                now=time.time(),
            )
        except LaunchError as refused:
            if diagnose13.is_diagnosis(asked):
                await diagnose13.show_login_refusal(self, asked, refused)
            else:
                await self.refuse(LaunchHTTPError.of(refused))
            return
        self.redirect(login.address)


class Launch13Handler(Lti13Handler):
    """``/hub/lti13/launch``: receives the token."""

    async def post(self) -> None:
        """A launch."""
        self.set_header("Cache-Control", "no-store")
        new_tab = None
        try:
            form = single(read_form(self.request.body))
            state = lti13.returned(form.get("state", ""), self.sealer, time.time())
            if not state.started_by(self.browser_secret()):
                new_tab = f"{self.base_url}hub/lti13/login?{urlencode(state.request)}"
                detail = f"registration {state.registration!r}: the browser sent no cookie of ours"
                raise LaunchError("launch_cookie", detail, 403)
            try:
                await self._accept(form, state)
            except LaunchError as refused:
                if not diagnose13.is_diagnosis(state.request):
                    raise
                self._use_launch_language(refused.params or {})
                await diagnose13.show_token_refusal(self, form.get("id_token", ""), state, refused)
        except LaunchError as refused:
            self._use_launch_language(refused.params or {})
            await self.refuse(LaunchHTTPError.of(refused), new_tab)
        except LaunchHTTPError as problem:
            await self.refuse(problem)

    async def _accept(self, form: dict[str, str], state: lti13.Returned) -> None:
        if "error" in form:  # OpenID Connect Core 1.0, section 3.1.2.6
            detail = (
                f"registration {state.registration!r}: the platform says {form['error'][:80]!r}"
            )
            raise LaunchError("launch_platform", detail, 401)
        context = hub_context()
        message = await lti13.verify(
            form.get("id_token", ""),
            state,
            registrations=context.registrations.get(),
            consumers=context.consumers.get(),
            keysets=self.authenticator.keysets,
            nonces=self.authenticator.nonces,
            hub_url=context.settings.site.hub_url,
            now=time.time(),
            window=context.settings.lti.timestamp_window_seconds,
        )
        self._use_launch_language(message.launch.params)
        if message.deep_linking:
            await show_choice(self, message)
        elif diagnose13.is_diagnosis(state.request):
            await diagnose13.show_accepted(self, state, message)
        else:
            await self.sign_in(message.launch)

    def _use_launch_language(self, params: Mapping[str, str]) -> None:
        """Use the launch's language from here on, if it names one."""
        locale = params.get("launch_presentation_locale")
        self.chosen_language = language(locale) if locale else self.chosen_language


class KeysHandler(BaseHandler):  # type: ignore[misc]
    """``/hub/lti13/keys``: this site's public keys, for anybody."""

    def get(self) -> None:
        """The JSON Web Key Set."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "public, max-age=300")
        self.finish(hub_context().tool_keys.published())


ROUTES: list[tuple[str, type[BaseHandler]]] = [
    ("/lti13/login", LoginHandler),
    ("/lti13/launch", Launch13Handler),
    ("/lti13/diagnose", diagnose13.Diagnose13Handler),
    ("/lti13/chosen", ChosenHandler),
    ("/lti13/register/([A-Za-z0-9_-]+)", RegisterHandler),
    ("/lti13/keys", KeysHandler),
]
