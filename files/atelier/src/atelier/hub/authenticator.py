"""The hub's authenticator.

A subclass of ltiauthenticator's LTI 1.1 authenticator that checks launches with
:mod:`atelier.lti.launch11`, which says why.
"""

from __future__ import annotations

import time
from typing import Any

from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]
from ltiauthenticator.lti11.auth import LTI11Authenticator  # type: ignore[import-untyped]
from traitlets import Instance, default

from atelier.courses.destinations import TargetError, choose
from atelier.hub.access_sweep import AccessSweep
from atelier.hub.context import hub_context
from atelier.hub.launch_state import auth_state
from atelier.hub.old_tokens import end_old_tokens
from atelier.hub.web import launch13 as entrance13
from atelier.hub.web.arrival import ArrivedHandler, EnterHandler
from atelier.hub.web.diagnose11 import DiagnoseHandler
from atelier.hub.web.go import GoHandler, HomeHandler, NoCourseHandler, StartHandler
from atelier.hub.web.launch11 import LaunchHandler, LaunchHTTPError, LtiHandler
from atelier.hub.web.logout import NoTokensHandler, SignOutHandler
from atelier.hub.web.server_address import ServerAddressHandler
from atelier.learner import identify, merge_auth_state
from atelier.lti import launch11 as lti11
from atelier.lti.anonymous_users import refuse_anonymous
from atelier.lti.keysets13 import Keysets
from atelier.lti.nonces import NonceStore
from atelier.lti.roles import has_teacher_role


class AtelierAuthenticator(LTI11Authenticator):  # type: ignore[misc]
    """Signs learners in from launches; consumers and courses are read live."""

    nonces = Instance(NonceStore)

    @default("nonces")
    def _nonces(self) -> NonceStore:
        return NonceStore(hub_context().database_url)

    keysets = Instance(Keysets)

    @default("keysets")
    def _keysets(self) -> Keysets:
        return Keysets(hub_context().platform_client)

    def login_url(self, base_url: str) -> str:
        """The page for visitors who are not signed in; it points to the course page."""
        return f"{base_url}atelier/entrance"

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """The hub's routes for launches, registration, sign-out and the pages of learners."""
        ended = end_old_tokens(app.db)
        if ended:
            self.log.warning("%s tokens of learners, which had no end, are deleted", ended)
        self.sweep = AccessSweep(app)
        self.sweep.begin()
        self.nonces  # noqa: B018 (opened when the hub starts: see there what it takes from then on)
        return [
            ("/lti/launch", LaunchHandler),
            ("/lti/diagnose", DiagnoseHandler),
            *entrance13.ROUTES,
            ("/atelier/entrance", LtiHandler),
            ("/atelier/go", GoHandler),
            ("/atelier/arrived", ArrivedHandler),
            ("/atelier/enter", EnterHandler),
            ("/atelier/seat/([^/]+)", ServerAddressHandler),
            ("/home", HomeHandler),
            ("/logout", SignOutHandler),
            ("/token", NoTokensHandler),
            ("/spawn(?:/[^/]+)?", NoCourseHandler),
            ("/spawn/([^/]+)/([^/]+)", StartHandler),
        ]

    async def authenticate(
        self, handler: BaseHandler, data: lti11.Launch | dict[str, str] | None = None
    ) -> dict[str, Any] | None:
        """Check a launch.

        Args:
            handler: the request.
            data: the launch, when it was checked already (LTI 1.3); what JupyterHub's own login
                form holds is not looked at.

        Returns:
            JupyterHub's authentication model: name, auth_state, user_info.

        Raises:
            LaunchHTTPError: it is not accepted.
        """
        context = hub_context()
        now = time.time()
        checked = data if isinstance(data, lti11.Launch) else None
        try:
            launch = checked or await lti11.verify_aside(
                handler.request.body,
                url=context.settings.site.hub_url + "/hub/lti/launch",
                query=handler.request.query,
                consumers=context.consumers.get(),
                nonces=self.nonces,
                now=now,
                window=context.settings.lti.timestamp_window_seconds,
            )
            refuse_anonymous(launch)
            place = choose(
                launch.params,
                launch.consumer,
                context.courses.all(),
                context.settings.site.hub_url,
            )
        except lti11.LaunchError as refused:
            raise LaunchHTTPError.of(refused) from None
        except TargetError as wrong:
            raise LaunchHTTPError(400, wrong.key, wrong.detail) from None
        wanted = launch.params.get("custom_next", "").strip()
        if wanted and place.next is None:
            handler.log.warning(
                "%r: custom_next=%r leads to no page of the learner's server and is passed over:"
                " it must be /hub/user-redirect/ and a path of that server",
                launch.consumer.key,
                wanted[:200],
            )
        learner = identify(launch.params, launch.consumer, context.settings.site)
        staff = has_teacher_role(launch.params.get("roles", "")) and context.admission.may_teach(
            place.course, launch.consumer.key
        )
        state = auth_state(
            learner, place, launch.params, launch.consumer, now, launch.services, staff=staff
        )
        return {"name": learner.username, "auth_state": state}


async def fill_user_info(
    authenticator: AtelierAuthenticator, handler: BaseHandler, authentication: dict[str, Any]
) -> dict[str, Any]:
    """Post-auth hook: name and e-mail where GitLab reads them, in ``user_info``; the desk's
    pages are in the language that is there."""
    del authenticator, handler
    learner = authentication["auth_state"]["learner"]
    authentication["user_info"] = {name: learner[name] for name in ("name", "email", "locale")}
    return authentication


def reconcile(
    authenticator: AtelierAuthenticator,
    authentication: dict[str, Any],
    existing: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """Auth-state hook: launches of other courses stay known."""
    del authenticator
    return merge_auth_state(authentication.get("auth_state"), existing)
