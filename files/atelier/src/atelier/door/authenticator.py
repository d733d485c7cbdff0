"""The hub's authenticator and the launch address.

Built on ltiauthenticator's LTI 1.1 class; what it does with a launch is ours, see
:mod:`atelier.door.lti11` for why.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from typing import Any
from urllib.parse import urlencode

from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]
from ltiauthenticator.lti11.auth import LTI11Authenticator  # type: ignore[import-untyped]
from tornado import web
from traitlets import Instance, default

from atelier.door import lti11
from atelier.door.go import GoHandler, HomeHandler, NoCourseHandler
from atelier.door.launches import auth_state
from atelier.door.nonces import NonceStore
from atelier.door.pages import request_language
from atelier.door.targets import Destination, TargetError, choose, gitlab_leave
from atelier.house import house
from atelier.identity import username
from atelier.learner import identify, merge_auth_state
from atelier.text import Language, language

_background: set[asyncio.Task[Any]] = set()


class LaunchProblem(web.HTTPError):
    """A launch that ends on a page for the learner.

    Attributes:
        key: the sentence shown.
        detail: what the log says.
        learner: username when the signature was right (a launch used twice), else None.
    """

    def __init__(self, status: int, key: str, detail: str, learner: str | None = None) -> None:
        super().__init__(status, detail)
        self.key = key
        self.detail = detail
        self.learner = learner


class AtelierAuthenticator(LTI11Authenticator):  # type: ignore[misc]
    """Signs learners in from launches; consumers and courses are read live."""

    nonces = Instance(NonceStore)

    @default("nonces")
    def _nonces(self) -> NonceStore:
        return NonceStore(house().settings.hub.database_url)

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """The hub's routes of the door."""
        del app
        return [
            ("/lti/launch", LaunchHandler),
            ("/atelier/go", GoHandler),
            ("/home", HomeHandler),
            ("/spawn(?:/[^/]+)?", NoCourseHandler),
        ]

    async def authenticate(
        self, handler: BaseHandler, data: dict[str, str] | None = None
    ) -> dict[str, Any] | None:
        """Check a launch.

        Returns:
            JupyterHub's authentication model: name, auth_state, user_info.

        Raises:
            LaunchProblem: it is not accepted.
        """
        del data
        rooms = house()
        now = time.time()
        try:
            launch = lti11.verify(
                handler.request.body,
                url=rooms.settings.site.hub_url + "/hub/lti/launch",
                query=handler.request.query,
                consumers=rooms.consumers.get(),
                nonces=self.nonces,
                now=now,
                window=rooms.settings.lti.timestamp_window_seconds,
            )
            place = choose(
                launch.params,
                launch.consumer,
                rooms.courses.all(),
                rooms.settings.site.hub_url,
            )
        except lti11.LaunchError as refused:
            who = None
            if refused.params is not None and refused.consumer is not None:
                who = username(refused.consumer.platform, refused.params["user_id"])
            raise LaunchProblem(refused.status, refused.key, refused.detail, who) from None
        except TargetError as wrong:
            raise LaunchProblem(400, wrong.key, wrong.detail) from None
        learner = identify(launch.params, launch.consumer, rooms.settings.site)
        state = auth_state(learner, place, launch.params, launch.consumer, now)
        return {"name": learner.username, "auth_state": state}


async def fill_user_info(
    authenticator: AtelierAuthenticator, handler: BaseHandler, authentication: dict[str, Any]
) -> dict[str, Any]:
    """Post-auth hook: name and e-mail where GitLab reads them, in ``user_info``."""
    del authenticator, handler
    learner = authentication["auth_state"]["learner"]
    authentication["user_info"] = {"name": learner["name"], "email": learner["email"]}
    return authentication


def reconcile(
    authenticator: AtelierAuthenticator,
    authentication: dict[str, Any],
    existing: dict[str, Any] | None,
) -> dict[str, Any] | None:
    """Auth-state hook: launches of other courses stay known."""
    del authenticator
    return merge_auth_state(authentication.get("auth_state"), existing)


def go_query(place: Destination) -> str:
    """Query of the page that leads to a place."""
    query = {"course": place.course, "target": place.target}
    if place.path:
        query["path"] = place.path
    if place.next is not None:
        query["next"] = "1"
    return urlencode(query)


class LaunchHandler(BaseHandler):  # type: ignore[misc]
    """``/hub/lti/launch``: POST by the platform, GET by somebody who typed the address."""

    newcomer = False
    """Whether this browser was not signed in to the hub as the learner who launches."""

    def check_xsrf_cookie(self) -> None:
        """Launches come from another site and are signed: there is no token to compare."""

    def set_login_cookie(self, user: Any) -> None:
        """Sign in, and leave nothing of whoever was signed in before in this browser."""
        former = self.get_current_user_cookie()
        self.newcomer = former is None or former.id != user.id
        if former is not None and self.newcomer:
            self.log.info("%s signs in where %s was signed in", user.name, former.name)
            self.clear_login_cookie()
            self._session_id = uuid.uuid4().hex
            self._set_cookie(
                "jupyterhub-session-id", self._session_id, encrypted=False, path=self.base_url
            )
        super().set_login_cookie(user)
        self.set_hub_cookie(user)

    async def get(self) -> None:
        """A friendly page: the way in is the course page."""
        self.finish(
            await self.render_template(
                "atelier_message.html",
                lang=request_language(self),
                title="entrance_title",
                text="entrance",
                contact=house().settings.site.contact_email,
            )
        )

    async def post(self) -> None:
        """A launch."""
        try:
            user = await self.login_user()
        except LaunchProblem as problem:
            await self._refuse(problem)
            return
        if user is None:
            await self._refuse(LaunchProblem(403, "forbidden", "the user may not sign in"))
            return
        state = await user.get_auth_state()
        kept = state["launches"][state["last"]]
        place = Destination(
            course=kept["course"], target=kept["target"], path=kept["path"], next=kept["next"]
        )
        learner = state["learner"]
        # The space is being prepared while the browser follows the redirect.
        task = asyncio.ensure_future(
            house().desk.space(user.name, learner["name"], learner["email"], place.course)
        )
        _background.add(task)
        task.add_done_callback(_background.discard)
        site = house().settings.site
        if self.newcomer and site.gitlab_session_paths and place.target != "gitlab":
            # Somebody else's GitLab session may be left here; a launch to GitLab ends it itself.
            self.redirect(gitlab_leave(site.gitlab_url, go_query(place)))
        else:
            self.redirect(f"{self.base_url}hub/atelier/go?{go_query(place)}")

    async def _refuse(self, problem: LaunchProblem) -> None:
        """A page with one sentence, a reference that is in the log, and a way on."""
        reference = secrets.token_hex(4)
        self.log.warning("launch refused [%s]: %s", reference, problem.detail)
        way_on = None
        signed_in = self.get_current_user_cookie()
        if problem.learner and signed_in is not None and signed_in.name == problem.learner:
            way_on = f"{self.base_url}hub/atelier/go"
        self.set_status(problem.status_code)
        self.finish(
            await self.render_template(
                "atelier_message.html",
                lang=self._language(),
                title="launch_failed",
                text=problem.key,
                advice=None if way_on else "back_to_course",
                link=way_on,
                link_text="continue",
                reference=reference,
                contact=house().settings.site.contact_email,
            )
        )

    def _language(self) -> Language:
        locale = self.get_body_argument("launch_presentation_locale", "")
        return language(locale) if locale else request_language(self)
