"""From an accepted launch to the page it opens, in a tab or in a frame of the course page."""

from __future__ import annotations

import secrets
import time
import uuid
from typing import Any
from urllib.parse import urlencode

from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]

from atelier.config.models import HOST_PREFIX
from atelier.courses.destinations import gitlab_leave
from atelier.hub import tickets
from atelier.hub.context import hub_context
from atelier.hub.users import UserHandler
from atelier.hub.web.pages import refusal_reference, request_language
from atelier.learner import learner_of
from atelier.lti.sealed import Sealer, SealError

_FRAMES = ("iframe", "frame", "embed", "object")


def _https() -> bool:
    """Whether browsers reach the hub over TLS."""
    return hub_context().settings.site.hub_url.startswith("https:")


def arrival_cookie(number: str) -> str:
    """Name of the cookie that carries a launch's ticket; one for each launch in progress."""
    return f"{HOST_PREFIX if _https() else ''}atelier-arrival-{number}"


def in_frame(handler: Any) -> bool:
    """Whether a browser shows the answer inside another page (Fetch Metadata, section 2.1)."""
    return handler.request.headers.get("Sec-Fetch-Dest", "") in _FRAMES


class ArrivalHandler(UserHandler):
    """Signs a learner in and leads them on."""

    newcomer = False
    """Whether this browser was not yet signed in as the launched learner."""
    asks = False
    """Whether to ask before replacing another user who is signed in."""
    instead: Any = None
    """The signed-in user who has to be asked."""
    unsure = False
    """Whether the browser sent no cookies, so that it is unknown who is signed in."""

    def check_xsrf_cookie(self) -> None:
        """Skip the check: requests here are signed and may come without cookies."""

    def set_login_cookie(self, user: Any) -> None:
        """Sign in, and remove the previous user's cookies from this browser.

        A learner who was not signed in always gets a new session, so a session id that somebody
        else planted in this browser is useless (session fixation).
        """
        former = self.get_current_user_cookie()
        if self.asks and former is not None and former.id != user.id:
            self.instead = former
            return
        if self.asks and former is None and self._cookies_kept_back():
            self.unsure = True
            return
        self.newcomer = former is None or former.id != user.id
        if self.newcomer:
            if former is not None:
                self.log.info("%s signs in where %s was signed in", user.name, former.name)
                self.clear_login_cookie()
            self._session_id = uuid.uuid4().hex
            self.set_session_cookie()
        super().set_login_cookie(user)  # JupyterHub's own cookie too, for a new session
        if not self.newcomer:
            self.set_hub_cookie(user)

    def way(self, query: str, target: str) -> str:
        """Address of the next page, through GitLab's sign-out if a session may be left there."""
        site = hub_context().settings.site
        if self.newcomer and site.gitlab_session_paths and target != "gitlab":
            # Another user's GitLab session may be left here; a launch to GitLab ends it anyway.
            return gitlab_leave(site.gitlab_url, query)
        return f"{self.base_url}hub/atelier/go?{query}"

    def _cookies_kept_back(self) -> bool:
        """Whether a browser sends no cookies with a form of another site (SameSite=Lax).

        Where frames are allowed it does: cookies are SameSite=None there.
        """
        headers, site = self.request.headers, hub_context().settings.site
        foreign = headers.get("Sec-Fetch-Site", "") == "cross-site"
        return foreign and not in_frame(self) and not site.frame_ancestors

    def _sealed(self, ticket: tickets.Ticket) -> str:
        return tickets.write(ticket, Sealer(self.settings["cookie_secret"]), time.time())

    def redirect_with_ticket(self, user: Any, query: str, target: str) -> None:
        """Redirect to an address where the browser sends its cookies, with a ticket only it has."""
        number = secrets.token_hex(8)
        self.set_cookie(
            arrival_cookie(number),
            self._sealed(tickets.Ticket(user.name, query, target)),
            path="/",
            max_age=tickets.LIFETIME_SECONDS,
            httponly=True,
            secure=_https(),
            samesite="Lax",
        )
        self.redirect(f"{self.base_url}hub/atelier/enter?n={number}", status=303)

    async def ask(self, user: Any, query: str, target: str) -> None:
        """Ask before the launched learner replaces the signed-in user: one click and a ticket.

        An LTI 1.1 launch is a form that any page can submit from any browser. Without the question,
        an attacker could sign a victim's browser in as the attacker and read what the victim does
        there (login CSRF). Only an answer from this page in this browser counts.
        """
        former, state = self.instead, await user.get_auth_state()
        ticket = tickets.Ticket(user.name, query, target, former.name)
        learner, before = learner_of(state), learner_of(await former.get_auth_state())
        lang = request_language(self, state)
        self.log.info("%s is asked whether %s may sign in in their place", former.name, user.name)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "atelier_switch.html",
                lang=lang,
                title="switch_title",
                fields={
                    "former": before.name if before else former.name,
                    "newcomer": learner.name if learner else user.name,
                },
                enter=f"{self.base_url}hub/atelier/enter",
                stay=f"{self.base_url}hub/home",
                ticket=self._sealed(ticket),
            )
        )

    async def redirect_checked(self, user: Any, query: str, target: str) -> None:
        """Redirect; in a frame, check first that the browser accepted the cookies."""
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
                ticket=self._sealed(ticket),
            )
        )


class ArrivedHandler(BaseHandler):  # type: ignore[misc]
    """``/hub/atelier/arrived?who=``: whether this browser is signed in as that user."""

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
    """``/hub/atelier/enter``: redeems a ticket from a frame in a new tab."""

    def _from_our_own_page(self) -> bool:
        """Whether the form was submitted from one of the hub's pages.

        The browser's ``Origin`` header tells (Fetch, section 3.2). So an attacker cannot make a
        victim's browser redeem the attacker's ticket.
        """
        return bool(self.request.headers.get("Origin") == hub_context().settings.site.hub_origin)

    def _redeemed(self, text: str) -> tickets.Ticket:
        """Redeem a ticket.

        Raises:
            SealError: the text is not a valid ticket.
        """
        sealer = Sealer(self.settings["cookie_secret"])
        return tickets.redeem(text, sealer, self.authenticator.nonces, time.time())

    def _ticket(self) -> tickets.Ticket:
        if not self._from_our_own_page():
            raise SealError("not brought by a page of the hub")
        ticket = self._redeemed(self.get_body_argument("ticket", ""))
        if self.find_user(ticket.username) is None:
            raise SealError("for somebody who is no more")
        here = self.get_current_user_cookie()
        if ticket.instead_of and here is not None and here.name != ticket.instead_of:
            raise SealError(f"for a browser where {ticket.instead_of} was signed in")
        return ticket

    async def post(self) -> None:
        """Sign in and redirect."""
        try:
            ticket = self._ticket()
        except SealError as error:
            await self._refuse(str(error))
            return
        self.set_login_cookie(self.find_user(ticket.username))
        self.redirect(self.way(ticket.query, ticket.target))

    async def get(self) -> None:
        """After a launch whose browser sent no cookies, or when the tab is reloaded."""
        name = arrival_cookie(self.get_query_argument("n", "")[:16])
        text = self.get_cookie(name)
        try:
            if text is None:
                raise SealError("the tab was loaded again")
            self.clear_cookie(name, path="/")
            ticket = self._redeemed(text)
            user = self.find_user(ticket.username)
            if user is None or ticket.instead_of:
                raise SealError("not a launch's")
        except (SealError, ValueError) as error:
            await self._refuse(str(error))
            return
        here = self.get_current_user_cookie()
        if here is not None and here.id != user.id:
            self.instead = here
            await self.ask(user, ticket.query, ticket.target)
            return
        self.set_login_cookie(user)
        self.redirect(self.way(ticket.query, ticket.target))

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
                contact=hub_context().settings.site.contact_email,
            )
        )
