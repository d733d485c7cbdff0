"""The hub's authenticator.

Built on ltiauthenticator's LTI 1.1 class; what it does with a launch is ours, see
:mod:`atelier.door.lti11` for why.
"""

from __future__ import annotations

import time
from typing import Any

from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]
from ltiauthenticator.lti11.auth import LTI11Authenticator  # type: ignore[import-untyped]
from traitlets import Instance, default

from atelier.door import entrance13, lti11
from atelier.door.arrival import ArrivedHandler, EnterHandler
from atelier.door.diagnose import DiagnoseHandler
from atelier.door.entrance import Entrance, LaunchHandler, LaunchProblem
from atelier.door.go import GoHandler, HomeHandler, NoCourseHandler, StartHandler
from atelier.door.keysets import Keysets
from atelier.door.launches import auth_state, teaches
from atelier.door.leaving import LeaveHandler, NoTokensHandler
from atelier.door.nobody import refuse_nobody
from atelier.door.nonces import NonceStore
from atelier.door.old_tokens import end_old_tokens
from atelier.door.seat import SeatHandler
from atelier.door.sweep import Sweep
from atelier.door.targets import TargetError, choose
from atelier.house import house
from atelier.learner import identify, merge_auth_state


class AtelierAuthenticator(LTI11Authenticator):  # type: ignore[misc]
    """Signs learners in from launches; consumers and courses are read live."""

    nonces = Instance(NonceStore)

    @default("nonces")
    def _nonces(self) -> NonceStore:
        return NonceStore(house().database_url)

    keysets = Instance(Keysets)

    @default("keysets")
    def _keysets(self) -> Keysets:
        return Keysets(house().outside)

    def login_url(self, base_url: str) -> str:
        """Where JupyterHub sends whom it does not know: to a page that says where the way in is."""
        return f"{base_url}atelier/entrance"

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """The hub's routes of the door."""
        ended = end_old_tokens(app.db)
        if ended:
            self.log.warning("%s tokens of learners, which had no end, are deleted", ended)
        self.sweep = Sweep(app)
        self.sweep.begin()
        self.nonces  # noqa: B018 (opened when the hub starts: see there what it takes from then on)
        return [
            ("/lti/launch", LaunchHandler),
            ("/lti/diagnose", DiagnoseHandler),
            *entrance13.ROUTES,
            ("/atelier/entrance", Entrance),
            ("/atelier/go", GoHandler),
            ("/atelier/arrived", ArrivedHandler),
            ("/atelier/enter", EnterHandler),
            ("/atelier/seat/([^/]+)", SeatHandler),
            ("/home", HomeHandler),
            ("/logout", LeaveHandler),
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
            LaunchProblem: it is not accepted.
        """
        rooms = house()
        now = time.time()
        checked = data if isinstance(data, lti11.Launch) else None
        try:
            launch = checked or await lti11.verify_aside(
                handler.request.body,
                url=rooms.settings.site.hub_url + "/hub/lti/launch",
                query=handler.request.query,
                consumers=rooms.consumers.get(),
                nonces=self.nonces,
                now=now,
                window=rooms.settings.lti.timestamp_window_seconds,
            )
            refuse_nobody(launch)
            place = choose(
                launch.params,
                launch.consumer,
                rooms.courses.all(),
                rooms.settings.site.hub_url,
            )
        except lti11.LaunchError as refused:
            raise LaunchProblem.of(refused) from None
        except TargetError as wrong:
            raise LaunchProblem(400, wrong.key, wrong.detail) from None
        wanted = launch.params.get("custom_next", "").strip()
        if wanted and place.next is None:
            handler.log.warning(
                "%r: custom_next=%r leads to no page of the learner's server and is passed over:"
                " it must be /hub/user-redirect/ and a path of that server",
                launch.consumer.key,
                wanted[:200],
            )
        learner = identify(launch.params, launch.consumer, rooms.settings.site)
        staff = teaches(launch.params.get("roles", "")) and rooms.admission.may_teach(
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
