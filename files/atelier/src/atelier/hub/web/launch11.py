"""Where launches arrive: who they are about is signed in, and a refusal gets a page."""

from __future__ import annotations

from urllib.parse import urlencode

from tornado import web

from atelier.courses.destinations import Destination
from atelier.hub.context import hub_context
from atelier.hub.launch_state import hand_over
from atelier.hub.web.arrival import ArrivalHandler
from atelier.hub.web.pages import refusal_reference, request_language
from atelier.i18n.translate import Language, language
from atelier.identity import username
from atelier.lti.diagnosis11 import explain
from atelier.lti.launch11 import Launch, LaunchError


class LaunchHTTPError(web.HTTPError):
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

    @classmethod
    def of(cls, refused: LaunchError) -> LaunchHTTPError:
        """The problem that a check found."""
        who = None
        if refused.params is not None and refused.consumer is not None:
            who = username(refused.consumer.platform, refused.params["user_id"])
        return cls(refused.status, refused.key, refused.detail, who)


def go_query(place: Destination) -> str:
    """Query of the page that leads to a place."""
    query = {"course": place.course, "target": place.target}
    if place.path:
        query["path"] = place.path
    if place.exercise:
        query["exercise"] = place.exercise
    if place.next is not None:
        query["next"] = "1"
    return urlencode(query)


class LtiHandler(ArrivalHandler):
    """An address that launches are sent to by POST; GET is somebody who typed it."""

    async def get(self) -> None:
        """A friendly page: the way in is the course page.

        JupyterHub sends whom it does not know here, with where they wanted to go: in a tab beside
        a frame, browsers that keep a frame's cookies apart know nobody.
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

    async def enter(self, launch: Launch | None = None) -> None:
        """Sign in whom a launch is about, and send them where it leads.

        Args:
            launch: when it was checked already; None: the authenticator checks the request.

        Raises:
            LaunchHTTPError: it is not accepted.
        """
        user = await self.login_user(launch)
        if user is None:
            raise LaunchHTTPError(403, "forbidden", "the user may not sign in")
        kept = self.state["launches"][self.state["last"]]
        place = Destination(**{name: kept[name] for name in Destination.__dataclass_fields__})
        hub_context().desk.tell(hand_over(self.state, place.course))
        if self.instead is not None:
            await self.ask(user, go_query(place), place.target)
        elif self.unsure:
            self.hand_on(user, go_query(place), place.target)
        else:
            await self.lead_on(user, go_query(place), place.target)

    async def refuse(self, problem: LaunchHTTPError, new_tab: str | None = None) -> None:
        """A page with one sentence, a reference that is in the log, and a way on.

        Args:
            problem: why.
            new_tab: address that begins the same launch anew, to be opened in a tab of its own.
        """
        reference = self.log_refusal(problem.key, problem.detail)
        way_on = None
        if problem.learner:
            # An honest double click. This answer may overtake the cookies of the first one's, and
            # browsers may keep them from a form of another site: who is here is looked at there.
            who = urlencode({"who": problem.learner})
            way_on = f"{self.base_url}hub/atelier/go?{who}"
        advice: str | None = "allow_cookies" if new_tab else "back_to_course"
        if problem.key == "launch_nobody":  # the same click again would do the same
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
        """Tell the log; the reference it returns is for the page, see ``atelier-diagnose``."""
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
            await self.enter()
        except LaunchHTTPError as problem:
            if problem.key == "launch_signature":
                context = hub_context()
                url = context.settings.site.hub_url + "/hub/lti/launch"
                consumers = context.consumers.get()
                cause = await explain(context.signature_search, consumers, self.request, url)
                problem.detail += f": {cause.in_english()}"
            await self.refuse(problem)
