"""What the desk's pages share: templates, headers, languages, error pages, access checks."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from atelier.config.models import Settings
from atelier.desk.entry import Entry
from atelier.desk.errors import RefusedError
from atelier.desk.explain import EXPLAINED, explain
from atelier.desk.pages.sessions import Session
from atelier.desk.pages.signin import SignIn
from atelier.i18n.translate import (
    LANGUAGES,
    Language,
    accepted_language,
    knows,
    language,
    say,
)
from atelier.web import DESK_TEMPLATES
from atelier.web.headers import page_headers

log = logging.getLogger(__name__)

MAX_FORM_BYTES = 64 * 1024

Form = Mapping[str, str]
PageHandler = Callable[[Request, Session], Awaitable[Response]]
FormHandler = Callable[[Request, Session, Form], Awaitable[Response]]
Handler = Callable[[Request], Awaitable[Response]]


def security_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every page; they only allow the desk's own scripts and styles."""
    common = page_headers(settings.site)
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
        " form-action 'self'; " + common["Content-Security-Policy"]
    )
    return {**common, "Content-Security-Policy": policy}


async def read_form(request: Request) -> dict[str, str]:
    """Return a form's fields; of fields with the same name, the last one.

    Raises:
        RefusedError: the body is too large or not a form.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise RefusedError(413, "form_wrong")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise RefusedError(400, "form_wrong") from None


class PageRenderer:
    """Renders pages, and wraps their handlers with sign-in, access checks and error pages.

    Args:
        settings: the site's settings.
        sign_in: provides the browsers' sessions.
        entry: decides whether a person still has access.
    """

    def __init__(self, settings: Settings, sign_in: SignIn, entry: Entry) -> None:
        self._site = settings.site
        self._sign_in = sign_in
        self.entry = entry
        self._headers = security_headers(settings)
        self._origin = settings.site.hub_origin
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(DESK_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @property
    def prefix(self) -> str:
        """Path of the desk on the hub's host."""
        return self._sign_in.prefix

    def page(
        self,
        name: str,
        session: Session | None,
        lang: Language,
        *,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """Render a page.

        Args:
            name: name of the template, without ``.html``.
            session: the browser's session; None: not signed in.
            lang: language of the page.
            status: HTTP status.
            values: variables of the template.
        """
        prefix = self._sign_in.prefix
        text = self._environment.get_template(f"{name}.html").render(
            lang=lang,
            languages=LANGUAGES,
            say=lambda key, **fields: say(key, lang, **fields),
            say_in=lambda other, key: say(key, other),
            desk=prefix,
            home=f"{prefix.removesuffix('/services/desk')}/hub/home",
            contact=self._site.contact_email,
            session=session,
            **values,
        )
        return HTMLResponse(text, status, dict(self._headers))

    def message(
        self,
        session: Session | None,
        lang: Language,
        status: int,
        key: str,
        link: str = "",
        **fields: object,
    ) -> Response:
        """Render a page with one sentence and a link.

        Args:
            session: the browser's session; None: not signed in.
            lang: language of the page.
            status: HTTP status.
            key: key of the sentence.
            link: address of the link; empty: no link.
            fields: values for the sentence's placeholders.
        """
        shown: dict[str, Any] = {"title": "desk_trouble", "text": key, "link": link}
        return self.page("message", session, lang, status=status, fields=fields, **shown)

    def reading(self, handler: PageHandler) -> Handler:
        """Wrap the handler of a page; browsers without a session sign in through the hub first."""

        async def answer(request: Request) -> Response:
            async def run(session: Session | None) -> Response:
                if session is None:
                    return self._sign_in.begin(request)
                await self._admit(request, session)
                wanted = request.query_params.get("lang")
                if wanted is not None:
                    session.language = language(wanted)
                return await handler(request, session)

            return await self._told(request, run, certain=False)

        return answer

    def sending(self, handler: FormHandler) -> Handler:
        """Wrap the handler of a form; accept it only from the desk's pages of the same session."""

        async def answer(request: Request) -> Response:
            async def run(session: Session | None) -> Response:
                if session is None:
                    raise RefusedError(403, "sign_in_stale")
                # The origin of the page that sends the form (Fetch, section 3.2).
                if request.headers.get("origin") != self._origin:
                    raise RefusedError(403, "form_wrong")
                await self._admit(request, session)
                if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
                    raise RefusedError(403, "form_wrong")
                if request.headers.get("sec-fetch-dest", "document") not in ("document", "iframe"):
                    raise RefusedError(403, "form_wrong")  # sent by a script, perhaps a notebook's
                form = await read_form(request)
                if not hmac.compare_digest(form.get("csrf", "").encode(), session.csrf.encode()):
                    raise RefusedError(403, "form_wrong")
                return await handler(request, session, form)

            return await self._told(request, run, certain=True)

        return answer

    async def _admit(self, request: Request, session: Session) -> None:
        await self.entry.admit(session.username, request.path_params.get("course"))

    async def arriving(self, request: Request) -> Response:
        """Handle browsers that the hub redirects back after sign-in."""

        async def run(session: Session | None) -> Response:
            del session
            return await self._sign_in.finish(request)

        return await self._told(request, run, certain=False, known=False)

    async def _told(
        self,
        request: Request,
        run: Callable[[Session | None], Awaitable[Response]],
        *,
        certain: bool,
        known: bool = True,
    ) -> Response:
        session = None
        try:
            if known:
                session = await self._sign_in.session(request, certain=certain)
            return await run(session)
        except EXPLAINED as error:
            if not isinstance(error, RefusedError):
                log.warning("page %s: %s: %s", request.url.path, type(error).__name__, error)
            told = explain(error)
        lang = session.language if session else None
        lang = lang or accepted_language(request.headers.get("accept-language"))
        back = f"{self._sign_in.prefix}/" if known else ""
        if request.method == "POST" and "/exercises/" in request.url.path:
            back = request.url.path  # the page with the form
        key = told.key if knows(told.key) else "error"
        answer = self.message(session, lang, told.status, key, back, **told.fields)
        answer.headers.update(told.headers)
        return answer
