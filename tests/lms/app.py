"""The course page as a web application."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lms import outcomes, pages, unit
from lms.platform13 import Platform13, make_key
from lms.settings import Settings
from lms.signing import launch_form, outcome_url
from lms.tool import public_key

LANGUAGES = ("fr", "en")
LANGUAGE_COOKIE = "lms_language"
LEARNER_COOKIE = "lms_learner"
MONTH_SECONDS = 30 * 24 * 3600


def language_of(request: Request) -> str:
    """Return the language asked for: in the address, in the cookie, by the browser; else French."""
    asked = [request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)]
    preferred = request.headers.get("accept-language", "").split(",")
    asked += [word.split(";")[0].split("-")[0].strip().lower() for word in preferred]
    return next((code for code in asked if code in LANGUAGES), "fr")


class NeverStored:
    """Every answer names a learner or carries a signature: no cache may keep it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the answer's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"cache-control", b"no-store"),
                    (b"referrer-policy", b"same-origin"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self.app(scope, receive, complete)


def create(settings: Settings, key: str | None = None) -> Starlette:
    """Return the application.

    Args:
        settings: addresses, and the LTI 1.1 consumer.
        key: private key of LTI 1.3, in PEM; None: one for this process.
    """
    book = outcomes.GradeBook()
    platform = Platform13(settings.lms_url, settings.hub_url, key or make_key(), grades=book)

    def remember(answer: Response, name: str, value: str) -> None:
        secure = settings.lms_url.startswith("https:")
        answer.set_cookie(
            name, value, max_age=MONTH_SECONDS, httponly=True, samesite="lax", secure=secure
        )

    async def show_unit(request: Request) -> Response:
        language = language_of(request)
        who = unit.learner(request.cookies.get(LEARNER_COOKIE))
        grades = {link.slug: book.score(who.user_id, link.slug) for link in unit.LINKS}
        answer = HTMLResponse(pages.unit(language, who, grades))
        if "lang" in request.query_params:
            remember(answer, LANGUAGE_COOKIE, language)
        return answer

    async def choose_learner(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        who = unit.learner(form.get("learner", [""])[0])
        answer = RedirectResponse("/", status_code=303)
        remember(answer, LEARNER_COOKIE, who.slug)
        return answer

    async def launch(request: Request) -> Response:
        link = unit.link(request.path_params["link"])
        if link is None:
            return await not_found(request, None)
        language = language_of(request)
        who = unit.learner(request.cookies.get(LEARNER_COOKIE))
        if link.lti == "1.3":
            custom = {"course": settings.course, **link.custom}
            return RedirectResponse(
                platform.login_url(who.user_id, link.slug, custom, name=who.name, email=who.email),
                status_code=302,
            )
        form = launch_form(settings, who, link, language)
        return signed(language, link, settings.launch_url, form)

    def signed(
        language: str, link: unit.Link, address: str, form: list[tuple[str, str]]
    ) -> Response:
        nonce = secrets.token_urlsafe(16)
        # No form-action: browsers apply it to redirects too, and a launch may end in GitLab.
        policy = f"default-src 'none'; style-src 'self'; script-src 'nonce-{nonce}'"
        return HTMLResponse(
            pages.launch(language, link, address, form, nonce),
            headers={"content-security-policy": policy},
        )

    async def take_grade(request: Request) -> Response:
        link = unit.link(request.path_params["link"])
        if link is None or not link.graded:
            return await not_found(request, None)
        told = outcomes.answer(
            book,
            link.slug,
            settings.consumer_secret,
            outcome_url(settings, link),
            request.headers,
            await request.body(),
        )
        return Response(told, media_type="application/xml")

    async def sign_13(request: Request) -> Response:
        asked = dict(request.query_params)
        slug = platform.link(asked)
        link = unit.link(slug) or (unit.LINKS[0] if slug == unit.CHOICE else None)
        if link is None:
            return await not_found(request, None)
        language = language_of(request)
        form = list(platform.answer(asked, language).items())
        return signed(language, link, platform.launch_url, form)

    async def choose(request: Request) -> Response:
        who = unit.learner(request.cookies.get(LEARNER_COOKIE))
        address = platform.login_url(
            who.user_id, unit.CHOICE, {}, name=who.name, role="instructor", deep_linking=True
        )
        return RedirectResponse(address, status_code=302)

    async def chosen(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        platform.tool_key = await run_in_threadpool(public_key, settings.hub_url, settings.ca_file)
        items = platform.chosen(form.get("JWT", [""])[0])
        return HTMLResponse(pages.chosen(language_of(request), items))

    async def token_13(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        platform.tool_key = await run_in_threadpool(public_key, settings.hub_url, settings.ca_file)
        return JSONResponse(platform.access_token({name: form[name][0] for name in form}))

    async def score_13(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        taken = platform.take_score(request.path_params["link"], token, await request.json())
        return Response(status_code=204 if taken else 401)

    async def keys_13(_: Request) -> Response:
        return JSONResponse(platform.keyset())

    async def style(_: Request) -> Response:
        return Response(pages.STYLE, media_type="text/css")

    async def no_icon(_: Request) -> Response:
        return Response(status_code=204)

    async def not_found(request: Request, _: Exception | None) -> Response:
        return HTMLResponse(pages.missing(language_of(request)), status_code=404)

    return Starlette(
        routes=[
            Route("/", show_unit),
            Route("/learner", choose_learner, methods=["POST"]),
            Route("/launch/{link}", launch),
            Route("/outcomes/{link}", take_grade, methods=["POST"]),
            Route("/lti13/auth", sign_13),
            Route("/lti13/keys", keys_13),
            Route("/lti13/token", token_13, methods=["POST"]),
            Route("/lti13/lineitems/{link}/scores", score_13, methods=["POST"]),
            Route("/lti13/choose", choose),
            Route("/lti13/chosen", chosen, methods=["POST"]),
            Route("/style.css", style),
            Route("/favicon.ico", no_icon),
        ],
        middleware=[Middleware(NeverStored)],
        exception_handlers={404: not_found},
    )
