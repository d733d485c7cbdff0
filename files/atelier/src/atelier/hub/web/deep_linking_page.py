"""The page where a teacher chooses what a link opens, and ``/hub/lti13/chosen``, the way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from atelier.config.models import Course, SettingsError, may_launch
from atelier.config.registrations import Registration
from atelier.courses.declaration import Published
from atelier.courses.destinations import (
    Destination,
    TargetError,
    check_exercise,
    check_path,
    check_target,
)
from atelier.hub.context import hub_context
from atelier.hub.web.launch11 import LaunchHTTPError
from atelier.hub.web.lti13_base import Lti13Handler
from atelier.i18n.translate import Language, in_language, language
from atelier.lti import deep_linking13 as deep_linking
from atelier.lti.launch11 import LaunchError, read_form, single
from atelier.lti.launch13 import Message, browser_digest


def open_courses(registration: Registration, courses: Mapping[str, Course]) -> dict[str, Course]:
    """The courses whose links a platform may have."""
    return {slug: course for slug, course in courses.items() if may_launch(registration, course)}


def chosen_destination(
    form: Mapping[str, str], registration: Registration, courses: Mapping[str, Course]
) -> Destination:
    """Where the chosen link leads.

    Args:
        form: ``place`` is ``<slug>/<path>``, the path empty for the course itself, or
            ``<slug>#<exercise>``; ``target`` for the former.
        registration: the platform's.
        courses: the site's.

    Raises:
        LaunchError: no such place, or not for this platform.
    """
    head, _, path = form.get("place", "").partition("/")
    slug, sign, exercise = head.partition("#")
    if slug not in open_courses(registration, courses):
        raise LaunchError("course_unknown", f"deep linking: no course {slug[:80]!r}", 400)
    try:
        if sign:
            return Destination(slug, "check", exercise=check_exercise(exercise))
        return Destination(slug, check_target(form.get("target", "")), check_path(path))
    except TargetError as wrong:
        raise LaunchError(wrong.key, f"deep linking: {wrong.detail}", 400) from None


def link_to(place: Destination, title: str) -> deep_linking.Link:
    """The link that opens a place, as :func:`choose` of ``courses.destinations`` reads it."""
    custom: dict[str, str] = {"course": place.course, "target": place.target}
    if place.path:
        custom["path"] = place.path
    if place.exercise:
        custom["exercise"] = place.exercise
    return deep_linking.Link(title, custom, place.exercise)


def shown(published: Published | None, lang: Language) -> dict[str, Any]:
    """The files and exercises to choose from; none of a course that has published nothing yet."""
    if published is None:
        return {"files": [], "exercises": []}
    exercises = [(one.id, one.title.get(lang) or one.id) for one in published.exercises]
    return {"files": published.files, "exercises": exercises}


async def show_choice(handler: Lti13Handler, message: Message) -> None:
    """Answer a deep linking message with the page of what there is to choose.

    Raises:
        LaunchError: its bearer may not choose, or there is nothing.
    """
    context = hub_context()
    now = time.time()
    browser = browser_digest(handler.browser_secret() or "")
    request = deep_linking.request_of(message, browser, context.platform_client.hosts)
    courses = open_courses(message.registration, context.courses.all())
    if not courses:
        detail = f"registration {message.registration.key!r} may launch no course"
        raise LaunchError("course_unknown", detail, 400)
    lang = handler.launch_language()
    listed: list[dict[str, Any]] = []
    for slug, course in courses.items():
        # In a thread: the file may be large, and is read again after each publication.
        published = await asyncio.to_thread(context.published.get, slug)
        listed.append(
            {"slug": slug, "title": in_language(course.title, lang), **shown(published, lang)}
        )
    handler.finish(
        await handler.render_template(
            "atelier_choose.html",
            lang=lang,
            title="choose_title",
            courses=listed,
            sealed=deep_linking.seal(request, handler.sealer, now),
            address=f"{handler.base_url}hub/lti13/chosen",
        )
    )


class ChosenHandler(Lti13Handler):
    """``/hub/lti13/chosen``: the teacher's choice goes back to the platform, signed."""

    async def post(self) -> None:
        """The choice, or that there is none."""
        self.set_header("Cache-Control", "no-store")
        try:
            await self._return(single(read_form(self.request.body)))
        except LaunchError as refused:
            await self.refuse(LaunchHTTPError.of(refused))

    async def _return(self, form: dict[str, str]) -> None:
        context = hub_context()
        now = time.time()
        self.chosen_language = language(form.get("lang"))
        request, registration = deep_linking.unseal(
            form.get("request", ""), context.registrations.get(), self.sealer, now
        )
        if request.browser != browser_digest(self.browser_secret() or ""):
            detail = f"registration {registration.key!r}: the browser sent no cookie of ours"
            raise LaunchError("launch_cookie", detail, 403)
        link = None
        if "cancel" not in form:
            courses = context.courses.all()
            place = chosen_destination(form, registration, courses)
            course = in_language(courses[place.course].title, self.chosen_language)
            title = form.get("title", "").strip() or place.path or place.exercise or course
            link = link_to(place, title)
        claims = deep_linking.answer(request, link, context.settings.site.hub_url, now)
        try:
            signed = context.tool_keys.sign(claims)
        except SettingsError as error:
            raise LaunchError("error", f"deep linking: {error}", 500) from None
        self.finish(
            await self.render_template(
                "atelier_return.html",
                lang=self.chosen_language,
                title="choose_done",
                address=request.return_url,
                response=signed,
            )
        )
