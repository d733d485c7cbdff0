"""The page where a teacher chooses what a link opens, and ``/hub/lti13/chosen``, the way back."""

from __future__ import annotations

import time
from typing import Any

from atelier.door import deep_linking
from atelier.door.bound import Entrance13
from atelier.door.entrance import LaunchProblem
from atelier.door.lti11 import LaunchError, read_form, single
from atelier.door.lti13 import Message, browser_digest
from atelier.house import house
from atelier.mirrors import course_exercises, course_files
from atelier.settings import SettingsError


async def show_choice(handler: Entrance13, message: Message) -> None:
    """Answer a deep linking message with the page of what there is to choose.

    Raises:
        LaunchError: its bearer may not choose, or there is nothing.
    """
    rooms = house()
    now = time.time()
    browser = browser_digest(handler.browser_secret() or "")
    request = deep_linking.request_of(message, browser, rooms.outside.hosts)
    courses = deep_linking.open_courses(message.registration, rooms.courses.all())
    if not courses:
        detail = f"registration {message.registration.key!r} may launch no course"
        raise LaunchError("course_unknown", detail, 400)
    lang = handler.launch_language()
    templates = rooms.settings.paths.templates
    listed: list[dict[str, Any]] = [
        {
            "slug": slug,
            "title": getattr(course.title, lang),
            "files": await course_files(templates, slug),
            "exercises": [
                (one.id, one.title.get(lang) or one.id)
                for one in await course_exercises(templates, slug)
            ],
        }
        for slug, course in courses.items()
    ]
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


class ChosenHandler(Entrance13):
    """``/hub/lti13/chosen``: the teacher's choice goes back to the platform, signed."""

    async def post(self) -> None:
        """The choice, or that there is none."""
        self.set_header("Cache-Control", "no-store")
        try:
            await self._return(single(read_form(self.request.body)))
        except LaunchError as refused:
            await self.refuse(LaunchProblem.of(refused))

    async def _return(self, form: dict[str, str]) -> None:
        rooms = house()
        now = time.time()
        self.language_told = "fr" if form.get("lang") == "fr" else "en"
        request, registration = deep_linking.unseal(
            form.get("request", ""), rooms.registrations.get(), self.sealer, now
        )
        if request.browser != browser_digest(self.browser_secret() or ""):
            detail = f"registration {registration.key!r}: the browser sent no cookie of ours"
            raise LaunchError("launch_cookie", detail, 403)
        place, title = None, ""
        if "cancel" not in form:
            courses = rooms.courses.all()
            place = deep_linking.place_chosen(form, registration, courses)
            course = getattr(courses[place.course].title, self.language_told)
            title = form.get("title", "").strip() or place.path or place.exercise or course
        claims = deep_linking.answer(request, place, title, rooms.settings.site.hub_url, now)
        try:
            signed = rooms.tool_keys.sign(claims)
        except SettingsError as error:
            raise LaunchError("error", f"deep linking: {error}", 500) from None
        self.finish(
            await self.render_template(
                "atelier_return.html",
                lang=self.language_told,
                title="choose_done",
                address=request.return_url,
                response=signed,
            )
        )
