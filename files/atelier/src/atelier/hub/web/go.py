"""``/hub/atelier/go``: from a launch to notebook, GitLab or exercise, with pages that wait."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import quote, urlencode

from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]
from jupyterhub.handlers.pages import SpawnHandler  # type: ignore[import-untyped]
from tornado import web

from atelier.config.models import Course
from atelier.courses.destinations import (
    Destination,
    TargetError,
    desk_path,
    gitlab_entry,
    notebook_path,
)
from atelier.homes.words import full_sentence
from atelier.hub.context import hub_context
from atelier.hub.launch_state import launch_message, requested_destination
from atelier.hub.origins import server_origin
from atelier.hub.web.logout import SIGNED_OUT
from atelier.hub.web.pages import refusal_reference, request_language
from atelier.i18n.translate import Language, in_language, say
from atelier.learner import AuthState, LearnerInfo, learner_of

SPACE_WAIT_SECONDS = 2.0
"""Seconds that a browser waits for the desk before it gets a page about the progress."""
_QUERY = ("course", "target", "path", "exercise")


class GoHandler(BaseHandler):  # type: ignore[misc]
    """Redirects a learner to the page that the launch or the query names."""

    async def get(self) -> None:
        """Redirect, or show a page about the progress that reloads."""
        user = self.current_user
        if self.get_query_argument(SIGNED_OUT, ""):
            self.redirect(f"{self.hub.base_url}logout")
            return
        if user is None:
            lang = request_language(self)
            await self._message(
                lang, 403, "not_signed_in_title", "not_signed_in", detail="no cookie of the hub"
            )
            return
        state = await user.get_auth_state()
        lang = request_language(self, state)
        if self.get_query_argument("who", user.name) != user.name:
            detail = f"{user.name} is signed in, the link is for somebody else"
            await self._message(
                lang, 403, "launch_failed", "somebody_else", "back_to_course", detail=detail
            )
            return
        learner = learner_of(state)
        query = {name: self.get_query_argument(name, "") for name in _QUERY}
        query["next"] = self.get_query_argument("next", "")
        try:
            place = requested_destination(state, query)
        except TargetError as wrong:
            await self._message(
                lang, 400, "launch_failed", wrong.key, "back_to_course", detail=wrong.detail
            )
            return
        course = hub_context().courses.get(place.course) if place is not None else None
        if learner is None or place is None or course is None:
            key = "course_unknown" if query["course"] else "no_launch"
            detail = f"{user.name} asks for course {query['course'][:80]!r}"
            await self._message(lang, 404, "launch_failed", key, "back_to_course", detail=detail)
        elif place.course not in hub_context().admission.open_courses(state):
            detail = f"{user.name} came to {place.course!r} by what is not there any more"
            await self._message(lang, 403, "launch_failed", "entry_closed", detail=detail)
        elif place.target == "home":
            self.redirect(f"{self.hub.base_url}home")
        elif place.target == "check":
            await self._to_desk(state, place, lang)
        elif place.target == "gitlab":
            await self._to_gitlab(learner, place, lang)
        else:
            await self._to_notebook(user, place, course, lang)

    async def _to_desk(self, state: AuthState, place: Destination, lang: Language) -> None:
        """Redirect to an exercise, once the desk knows where its grade goes."""
        if await hub_context().desk.launched(launch_message(state, place.course)):
            self.redirect(desk_path(self.base_url, place))
        else:
            self.set_status(503)
            await self._wait(lang, "desk_down_title", "desk_down", seconds=5)

    async def _to_notebook(
        self, user: Any, place: Destination, course: Course, lang: Language
    ) -> None:
        origin = server_origin(hub_context().settings.site, user.name)
        address = origin + notebook_path(self.base_url, user.name, place, course)
        spawner = user.spawners.get(place.course)
        if spawner is not None and spawner.ready and await spawner.poll() is not None:
            await spawner.poll_and_notify()  # it died since the hub's last poll
            spawner = None
        if spawner is not None and spawner.ready and spawner.origin != origin:
            # Started before learners' servers had their own hosts: it expects the hub there.
            await self.stop_single_user(user, place.course)
        if spawner is not None and spawner.ready:
            self.redirect(address)
            return
        if spawner is not None and spawner.pending == "stop":
            await self._wait(lang, "stopping_title", "stopping")
            return
        if spawner is None or not spawner.active:
            waits_at = await self._start_in_turn(user, place.course)
            if waits_at:
                seconds = hub_context().spawn_queue.pause(waits_at)
                await self._wait(lang, "queue_title", "queue", seconds, place=waits_at)
                return
        spawner = user.spawners[place.course]
        if spawner.ready:
            self.redirect(address)
            return
        pending = f"{self.hub.base_url}spawn-pending/{quote(user.name)}/{place.course}"
        # JupyterHub redirects to the hub's own host only; for another host, come back here first.
        after = self.request.uri if origin else address
        self.redirect(f"{pending}?{urlencode({'next': after})}")

    async def _start_in_turn(self, user: Any, course: str) -> int:
        """Start the server, or return the learner's place in the queue; 0: it is starting."""
        key = (user.name, course)
        if key not in hub_context().starting:
            place = hub_context().spawn_queue.place(key, time.monotonic())
            if place > self._free_starts():
                return place
        try:
            await self._start(user, course)
        except web.HTTPError as error:
            if error.status_code != 429:
                raise
            return hub_context().spawn_queue.place(key, time.monotonic())
        hub_context().spawn_queue.leave(key)
        return 0

    def _free_starts(self) -> int:
        """How many more servers may start now, by JupyterHub's count."""
        counts = self.users.count_active_users()
        pending = counts["spawn_pending"] + counts["proxy_pending"]
        return int(self.concurrent_spawn_limit) - int(pending)

    async def _start(self, user: Any, course: str) -> None:
        """Start the server once for all requests that ask; wait for it one second at most."""
        key = (user.name, course)
        task = hub_context().starting.get(key)
        if task is None:
            spawner = user.get_or_create_spawner(course, course, replace_failed=True)
            if spawner._spawn_future and spawner._spawn_future.done():
                spawner._spawn_future = None  # an explicit start clears the previous failure
            task = asyncio.ensure_future(self.spawn_single_user(user, course, course))
            hub_context().starting[key] = task
            task.add_done_callback(lambda done: self._started(key, done))
        await asyncio.wait([task], timeout=1)
        error = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(error, web.HTTPError) and error.status_code == 429:
            raise error

    def _started(self, key: tuple[str, str], task: asyncio.Task[Any]) -> None:
        hub_context().starting.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            # The waiting page shows the error; only log it here.
            self.log.error("server %s of %s: %s", key[1], key[0], task.exception())

    async def _to_gitlab(self, learner: LearnerInfo, place: Destination, lang: Language) -> None:
        context = hub_context()
        found = await context.desk.space(
            learner.username,
            learner.name,
            learner.email,
            place.course,
            wait=SPACE_WAIT_SECONDS,
        )
        address = None
        if found.state == "ready":
            address = gitlab_entry(context.settings.site, found.project, found.branch, place.path)
        down = found.state == "unavailable"
        if down:
            self.log.warning("space of %s for %s: %s", learner.username, place.course, found.reason)
        step = say("gitlab_down" if down else f"step_{found.step}", lang)
        if self.get_query_argument("format", "") == "json":
            self.set_header("Content-Type", "application/json")
            self.finish({"state": found.state, "step": step, "location": address})
        elif address is not None:
            self.redirect(address)
        else:
            query = {"course": place.course, "target": "notebook", "path": place.path or ""}
            self.set_header("Cache-Control", "no-store")
            self.set_status(503 if down else 200)
            self.finish(
                await self.render_template(
                    "atelier_gitlab.html",
                    lang=lang,
                    title="gitlab_down_title" if down else "gitlab_title",
                    step=step,
                    down=down,
                    notebook=f"{self.base_url}hub/atelier/go?{urlencode(query)}",
                    poll=f"{self.request.uri}{'&' if self.request.query else '?'}format=json",
                )
            )

    async def _wait(
        self, lang: Language, title: str, text: str, seconds: int = 2, **fields: object
    ) -> None:
        """A page that reloads; ``fields`` fill its text."""
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "atelier_message.html",
                lang=lang,
                title=title,
                text=text,
                fields=fields,
                reload_after=seconds,
            )
        )

    async def _message(
        self,
        lang: Language,
        status: int,
        title: str,
        text: str,
        advice: str | None = None,
        *,
        detail: str,
    ) -> None:
        """A refusal; ``detail`` is for the log."""
        reference = refusal_reference(self.log, text, detail)
        self.set_status(status)
        self.finish(
            await self.render_template(
                "atelier_message.html",
                lang=lang,
                title=title,
                text=text,
                advice=advice,
                reference=reference,
                contact=hub_context().settings.site.contact_email,
            )
        )


class HomeHandler(BaseHandler):  # type: ignore[misc]
    """``/hub/home``: the courses a learner has launched."""

    @web.authenticated
    async def get(self) -> None:
        """The list."""
        user = self.current_user
        state = await user.get_auth_state()
        lang = request_language(self, state)
        known = hub_context().courses.all()
        slugs = [slug for slug in hub_context().admission.open_courses(state) if slug in known]
        homes = hub_context().homes
        usages = await asyncio.gather(*(homes.usage(user.name, slug) for slug in slugs))
        rows = []
        for slug, usage in zip(slugs, usages, strict=True):
            spawner = user.spawners.get(slug)
            rows.append(
                {
                    "title": in_language(known[slug].title, lang),
                    "running": spawner is not None and spawner.ready,
                    "full": full_sentence(usage, lang),
                    "notebook": f"{self.base_url}hub/atelier/go?course={slug}",
                    "gitlab": f"{self.base_url}hub/atelier/go?course={slug}&target=gitlab",
                    "exercises": f"{self.base_url}hub/atelier/go?course={slug}&target=check",
                }
            )
        self.finish(
            await self.render_template(
                "atelier_home.html",
                lang=lang,
                title="home_title",
                rows=rows,
                desk=f"{self.base_url}services/desk/",
            )
        )


class NoCourseHandler(BaseHandler):  # type: ignore[misc]
    """``/hub/spawn`` without a course: there is no such server, so the list is shown."""

    @web.authenticated
    async def get(self) -> None:
        """To the list."""
        self.redirect(f"{self.hub.base_url}home")


class StartHandler(SpawnHandler):  # type: ignore[misc]
    """``/hub/spawn/<username>/<course>``: JupyterHub's own address that starts a server."""

    async def get(self, username: str, course: str) -> None:
        """One's own server starts as after a launch: with its turn in the queue."""
        if self.current_user is not None and self.current_user.name == username:
            query = {"course": course, "target": "notebook"}
            self.redirect(f"{self.hub.base_url}atelier/go?{urlencode(query)}")
        else:
            await super().get(username, course)
