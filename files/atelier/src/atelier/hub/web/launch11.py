"""``/hub/lti/launch``, and what all launch addresses share: signing in, refusing."""

from __future__ import annotations

from urllib.parse import urlencode

from tornado import web

from atelier.courses.destinations import Destination
from atelier.hub.context import hub_context
from atelier.hub.launch_state import launch_message
from atelier.hub.web.arrival import ArrivalHandler
from atelier.hub.web.pages import refusal_reference, request_language
from atelier.i18n.translate import Language, language
from atelier.identity import username
from atelier.lti.diagnosis11 import explain
from atelier.lti.launch11 import Launch, LaunchError


class LaunchHTTPError(web.HTTPError):
    """A refused launch, with the page that the learner sees.

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

    @classmethod
    def of(cls, refused: LaunchError) -> LaunchHTTPError:
        """The HTTP error for a refused launch."""
        who = None
        if refused.params is not None and refused.consumer is not None:
            who = username(refused.consumer.platform, refused.params["user_id"])
        return cls(refused.status, refused.key, refused.detail, who)


def go_query(place: Destination) -> str:
    """Query of ``/hub/atelier/go`` for a destination."""
    query = {"course": place.course, "target": place.target}
    if place.path:
        query["path"] = place.path
    if place.exercise:
        query["exercise"] = place.exercise
    if place.next is not None:
        query["next"] = "1"
    return urlencode(query)


class LtiHandler(ArrivalHandler):
    """An address that receives launches by POST; a GET is a visitor who typed it."""

    async def get(self) -> None:
        """A page that points to the course page.

        JupyterHub redirects visitors who are not signed in to this address. A tab beside a frame is
        such a visitor where the browser partitions the frame's cookies.
        """
        sent = bool(self.get_query_argument("next", "")) and bool(
            hub_context().settings.site.frame_ancestors
        )
        self.finish(
            await self.render_template(
                "atelier_message.html",
                lang=request_language(self),
                title="entrance_title",
                text="entrance",
                advice="entrance_new_tab" if sent else None,
                contact=hub_context().settings.site.contact_email,
            )
        )

    async def sign_in(self, launch: Launch | None = None) -> None:
        """Sign the launched learner in and redirect to the page that the launch opens.

        Args:
            launch: the launch, if already checked; None: the authenticator checks the request.

        Raises:
            LaunchHTTPError: it is not accepted.
        """
        user = await self.login_user(launch)
        if user is None:
            raise LaunchHTTPError(403, "forbidden", "the user may not sign in")
        kept = self.state["launches"][self.state["last"]]
        place = Destination(**{name: kept[name] for name in Destination.__dataclass_fields__})
        hub_context().desk.queue_launch(launch_message(self.state, place.course))
        if self.instead is not None:
            await self.ask(user, go_query(place), place.target)
        elif self.unsure:
            self.redirect_with_ticket(user, go_query(place), place.target)
        else:
            await self.redirect_checked(user, go_query(place), place.target)

    async def refuse(self, problem: LaunchHTTPError, new_tab: str | None = None) -> None:
        """A page with one sentence, the reference of the log line, and a link.

        Args:
            problem: why.
            new_tab: address that starts the same launch again in a new tab.
        """
        reference = self.log_refusal(problem.key, problem.detail)
        way_on = None
        if problem.learner:
            # A double click. This answer may arrive before the first one's cookies, and browsers
            # may not send cookies with another site's form: the next page checks the user.
            who = urlencode({"who": problem.learner})
            way_on = f"{self.base_url}hub/atelier/go?{who}"
        advice: str | None = "allow_cookies" if new_tab else "back_to_course"
        if problem.key == "launch_nobody":  # a second click would fail in the same way
            advice = None
        self.set_status(problem.status_code)
        self.finish(
            await self.render_template(
                "atelier_message.html",
                lang=self.launch_language(),
                title="launch_failed",
                text=problem.key,
                advice=None if way_on else advice,
                link=way_on or new_tab,
                link_text="continue" if way_on else "open_new_tab",
                new_tab=new_tab is not None and way_on is None,
                reference=reference,
                contact=hub_context().settings.site.contact_email,
            )
        )

    def log_refusal(self, key: str, detail: str) -> str:
        """Log a refusal and return the reference that the page shows, see ``atelier-diagnose``."""
        return refusal_reference(self.log, key, detail)

    def launch_language(self) -> Language:
        """Language of a launch's pages: that of the launch, else what the browser prefers."""
        try:
            locale = self.get_body_argument("launch_presentation_locale", "")
        except web.HTTPError:  # it is no text
            locale = ""
        return language(locale) if locale else request_language(self)


class LaunchHandler(LtiHandler):
    """``/hub/lti/launch``: launches of LTI 1.1."""

    asks = True

    async def post(self) -> None:
        """A launch."""
        try:
            await self.sign_in()
        except LaunchHTTPError as problem:
            if problem.key == "launch_signature":
                context = hub_context()
                url = context.settings.site.hub_url + "/hub/lti/launch"
                consumers = context.consumers.get()
                cause = await explain(context.signature_search, consumers, self.request, url)
                problem.detail += f": {cause.in_english()}"
            await self.refuse(problem)
