"""The page *My GitLab access*: sign-in to GitLab without the LMS, and tokens for clones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from atelier.config.live import Courses
from atelier.config.models import Settings
from atelier.desk.access import AccessService
from atelier.desk.db.spaces import SpaceRepository
from atelier.desk.pages.render import Form, PageRenderer
from atelier.desk.pages.sessions import Session
from atelier.i18n.translate import Language, in_language

WITHOUT_LMS = "/users/sign_in?auto_sign_in=false"
FORGOTTEN = "/users/password/new"


@dataclass(frozen=True)
class Clone:
    """A learner's project: title of the course, address of the project's page, clone command."""

    title: str
    url: str
    command: str


class AccessPages:
    """Handlers of *My GitLab access*.

    Args:
        settings: the site's settings.
        store: the learners' spaces.
        courses: the current courses.
        service: reads accounts, creates and revokes tokens.
        renderer: renders the pages.
    """

    def __init__(
        self,
        settings: Settings,
        store: SpaceRepository,
        courses: Courses,
        service: AccessService,
        renderer: PageRenderer,
    ) -> None:
        self._settings = settings
        self._store = store
        self._courses = courses
        self._service = service
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes below the desk's prefix."""
        return [
            Route("/", self._renderer.reading(self._show), methods=["GET"]),
            Route("/tokens", self._renderer.sending(self._make), methods=["POST"]),
            Route("/tokens/revoke", self._renderer.sending(self._revoke), methods=["POST"]),
        ]

    def _clones(self, username: str, lang: Language) -> list[Clone]:
        gitlab = urlsplit(self._settings.site.gitlab_url)
        found = []
        for record in self._store.spaces_of(username):
            course = self._courses.get(record.request.course)
            if course is None or not record.project:
                continue
            # With the username in the address, git only asks for the token.
            host = f"{gitlab.scheme}://{quote(username)}@{gitlab.netloc}{gitlab.path}"
            found.append(
                Clone(
                    in_language(course.title, lang),
                    f"{self._settings.site.gitlab_url}/{quote(record.project)}",
                    f"git clone {host}/{quote(record.project)}.git",
                )
            )
        return found

    async def _show(self, request: Request, session: Session) -> Response:
        del request
        site = self._settings.site
        account = await self._service.account(session.username)
        clones = await asyncio.to_thread(self._clones, session.username, session.language)
        once, session.once = session.once, {}
        # GitLab does not show its password form to signed-in users: end the GitLab session first.
        ending = "/-/atelier/enter?to=" if site.gitlab_session_paths else ""
        return self._renderer.page(
            "access",
            session,
            session.language,
            title="access_title",
            account=account,
            clones=clones,
            gitlab_url=site.gitlab_url,
            sign_in=site.gitlab_url + WITHOUT_LMS,
            password_mail=site.gitlab_url + ending + FORGOTTEN,
            sends_mail=site.gitlab_mail,
            choices=self._service.choices(),
            once=once,
        )

    async def _make(self, request: Request, session: Session, form: Form) -> Response:
        del request
        token, last_day = await self._service.make(
            session.username, form.get("label", ""), form.get("days", "")
        )
        session.once = {"token": token, "last_day": last_day.isoformat()}
        return self._back()

    async def _revoke(self, request: Request, session: Session, form: Form) -> Response:
        del request
        await self._service.revoke(session.username, form.get("id", ""))
        session.once = {"done": "token_revoked"}
        return self._back()

    def _back(self) -> Response:
        # 303, so that reloading the next page does not send the form again.
        return RedirectResponse(f"{self._renderer.prefix}/", 303, {"Cache-Control": "no-store"})
