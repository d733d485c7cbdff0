"""From an accepted launch to the page it leads to: in a tab, or in a frame of the course page."""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import urlencode

from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]

from atelier.door import tickets
from atelier.door.pages import refusal_reference, request_language
from atelier.door.people import PeopleHandler
from atelier.door.sealed import Sealer, SealError
from atelier.door.targets import gitlab_leave
from atelier.house import house

_FRAMES = ("iframe", "frame", "embed", "object")


def in_frame(handler: Any) -> bool:
    """Whether a browser shows the answer inside another page (Fetch Metadata, section 2.1)."""
    return handler.request.headers.get("Sec-Fetch-Dest", "") in _FRAMES


class ArrivalHandler(PeopleHandler):
    """Signs a learner in and leads them on."""

    newcomer = False
    """Whether this browser was not signed in to the hub as the learner who arrives."""

    def check_xsrf_cookie(self) -> None:
        """What comes here is signed, and may come without cookies: there is nothing to compare."""

    def set_login_cookie(self, user: Any) -> None:
        """Sign in, and leave nothing of whoever was here before in this browser.

        The session is always a new one for a newcomer: an identifier that somebody else put into
        this browser beforehand is worth nothing afterwards.
        """
        former = self.get_current_user_cookie()
        self.newcomer = former is None or former.id != user.id
        if self.newcomer:
            if former is not None:
                self.log.info("%s signs in where %s was signed in", user.name, former.name)
                self.clear_login_cookie()
            self._session_id = uuid.uuid4().hex
            self.set_session_cookie()
        super().set_login_cookie(user)  # JupyterHub's own cookie too, for a newcomer
        if not self.newcomer:
            self.set_hub_cookie(user)

    def way(self, query: str, target: str) -> str:
        """Address that leads there: by GitLab's way out, if someone's session may be left."""
        site = house().settings.site
        if self.newcomer and site.gitlab_session_paths and target != "gitlab":
            # Somebody else's GitLab session may be left here; a launch to GitLab ends it itself.
            return gitlab_leave(site.gitlab_url, query)
        return f"{self.base_url}hub/atelier/go?{query}"

    async def lead_on(self, user: Any, query: str, target: str) -> None:
        """Redirect; in a frame, first look whether the browser took the cookies."""
        address = self.way(query, target)
        if not in_frame(self):
            self.redirect(address)
            return
        ticket = tickets.Ticket(user.name, query, target)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "atelier_frame.html",
                lang=request_language(self, await user.get_auth_state()),
                title="frame_title",
                address=address,
                arrived=f"{self.base_url}hub/atelier/arrived?{urlencode({'who': user.name})}",
                enter=f"{self.base_url}hub/atelier/enter",
                ticket=tickets.write(ticket, Sealer(self.settings["cookie_secret"]), time.time()),
            )
        )


class ArrivedHandler(BaseHandler):  # type: ignore[misc]
    """``/hub/atelier/arrived?who=``: whether this browser's cookies say that person."""

    async def get(self) -> None:
        """JSON: ``{"arrived": true}``."""
        user = self.current_user
        who = self.get_query_argument("who", "")
        arrived = user is not None and user.name == who
        if not arrived:
            found = "no cookie of the hub" if user is None else f"the cookies of {user.name}"
            self.log.info("in a frame, for %.80r, a browser brings %s", who, found)
        self.set_header("Cache-Control", "no-store")
        self.finish({"arrived": arrived})


class EnterHandler(ArrivalHandler):
    """``/hub/atelier/enter``: a ticket from a frame, in a tab of its own."""

    def _from_our_own_page(self) -> bool:
        """Whether the form is one of the hub's.

        Browsers say so themselves (Fetch, section 3.2): nobody can have another person's browser
        bring a ticket of their own, and so sign that person in as themselves.
        """
        return bool(self.request.headers.get("Origin") == house().settings.site.hub_origin)

    def _ticket(self) -> tickets.Ticket:
        if not self._from_our_own_page():
            raise SealError("not brought by a page of the hub")
        text = self.get_body_argument("ticket", "")
        sealer = Sealer(self.settings["cookie_secret"])
        ticket = tickets.redeem(text, sealer, self.authenticator.nonces, time.time())
        if self.find_user(ticket.username) is None:
            raise SealError("for somebody who is no more")
        return ticket

    async def post(self) -> None:
        """Sign in once, and lead on."""
        try:
            ticket = self._ticket()
        except SealError as error:
            await self._refuse(str(error))
            return
        self.set_login_cookie(self.find_user(ticket.username))
        self.redirect(self.way(ticket.query, ticket.target))

    async def get(self) -> None:
        """The new tab reloaded: its form is gone."""
        await self._refuse("the tab was loaded again")

    async def _refuse(self, reason: str) -> None:
        reference = refusal_reference(self.log, "launch_replay", f"ticket: {reason}")
        self.set_status(403)
        self.finish(
            await self.render_template(
                "atelier_message.html",
                lang=request_language(self),
                title="launch_failed",
                text="launch_replay",
                advice="back_to_course",
                reference=reference,
                contact=house().settings.site.contact_email,
            )
        )
