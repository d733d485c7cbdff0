"""Learners' pages: a course's list of exercises, and one exercise with its latest result."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from atelier.config.models import Course, Settings
from atelier.desk.checking.files import Place
from atelier.desk.checks import CheckService
from atelier.desk.db.answers import Attempt
from atelier.desk.errors import RefusedError
from atelier.desk.pages.diff import stretches
from atelier.desk.pages.render import Form, PageRenderer
from atelier.desk.pages.sessions import Session
from atelier.desk.pages.tried import tried
from atelier.exercises.exercises import Exercise
from atelier.exercises.model import Comparison
from atelier.exercises.reveal import reveal, verdict
from atelier.exercises.value_checks import ending
from atelier.i18n.translate import Language, in_language, say


def percent(score: float, lang: Language) -> str:
    """Format a score as a rounded percentage; only a full score is shown as 100."""
    return say("percent", lang, number=min(int(score * 100 + 0.5), 99 if score < 1 else 100))


def moment(at: datetime) -> str:
    """Format a time to the minute, in its own time zone."""
    return at.strftime("%Y-%m-%d %H:%M %Z").strip()


def checks_left(exercise: Exercise, made: int) -> int | None:
    """Return how many checks are left after ``made``; None: there is no limit."""
    return None if exercise.attempts is None else max(exercise.attempts - made, 0)


def exercise_path(prefix: str, course: str, exercise: str = "") -> str:
    """Return the path of an exercise's page, or of the list if no exercise is given.

    Args:
        prefix: path of the desk on the hub's host.
        course: slug.
        exercise: the exercise's id.
    """
    page = f"{prefix}/courses/{quote(course)}/exercises"
    return f"{page}/{quote(exercise)}" if exercise else page


def revealed(
    attempt: Attempt, exercise: Exercise, lang: Language, now: datetime, *, staff: bool
) -> dict[str, Any]:
    """Return a result, reduced to what the reader may see.

    Args:
        attempt: the learner's latest attempt, with its comparison.
        exercise: the exercise.
        lang: language of the texts.
        now: the current time, with a time zone.
        staff: whether a teacher reads it.
    """
    shown = "full" if staff else exercise.shows(now)
    comparison = reveal(cast(Comparison, attempt.comparison), shown, staff=staff)
    hint = in_language(exercise.hint, lang) if exercise.hint else ""
    return {
        "score": percent(attempt.score, lang),
        "verdict": verdict(attempt.score, exercise.pass_mark),
        "commit": attempt.commit,
        "committed": moment(datetime.fromisoformat(attempt.committed).astimezone(UTC)),
        "checked": moment(datetime.fromtimestamp(attempt.checked, UTC)),
        "shown": shown,
        "hint": hint if shown != "verdict" and attempt.score < 1 else "",
        "problem": comparison["problem"],
        "rule": comparison["rule"],
        "warnings": [*comparison["warnings"], *comparison["limits"]],
        "comparison": comparison,
    }


class ExercisePages:
    """Handlers of the learners' pages on exercises.

    Args:
        settings: the site's settings.
        service: checks answers.
        renderer: renders the pages.
    """

    def __init__(self, settings: Settings, service: CheckService, renderer: PageRenderer) -> None:
        self._settings = settings
        self._service = service
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes below the desk's prefix."""
        course = "/courses/{course}/exercises"
        return [
            Route(course, self._renderer.reading(self._list), methods=["GET"]),
            Route(course + "/{exercise}", self._renderer.reading(self._show), methods=["GET"]),
            Route(course + "/{exercise}", self._renderer.sending(self._check), methods=["POST"]),
            Route("/courses/{course}/check", self._renderer.reading(self._find), methods=["GET"]),
        ]

    def address(self, course: str, exercise: str = "") -> str:
        """Return the path of an exercise's page, or of the list if no exercise is given."""
        return exercise_path(self._renderer.prefix, course, exercise)

    async def _find(self, request: Request, session: Session) -> Response:
        """Redirect from the file that a notebook's toolbar names to its exercise's page."""
        del session
        slug, path = request.path_params["course"], request.query_params.get("path", "")
        _course, declared, _version = await self._service.declared(slug)
        exercise = declared.of_file(path)
        if exercise is None:
            raise RefusedError(404, "exercise_no_file")
        return RedirectResponse(self.address(slug, exercise.id), 302)

    async def _list(self, request: Request, session: Session) -> Response:
        slug = request.path_params["course"]
        course, declared, _version = await self._service.declared(slug)
        standings = await asyncio.to_thread(
            self._service.book.standings, slug, username=session.username
        )
        done = {standing.exercise: standing for standing in standings}
        now, lang = datetime.now(UTC), session.language
        rows = [
            {
                "title": in_language(exercise.title, session.language),
                "link": self.address(slug, exercise.id),
                "file": exercise.file,
                "state": exercise.state(now),
                "opens": moment(exercise.opens) if exercise.opens else "",
                "closes": moment(exercise.closes) if exercise.closes else "",
                "best": percent(done[exercise.id].best, lang) if exercise.id in done else "",
                "last": percent(done[exercise.id].last.score, lang) if exercise.id in done else "",
                "made": done[exercise.id].attempts if exercise.id in done else 0,
                "limit": exercise.attempts,
            }
            for exercise in declared.exercises
        ]
        best = course.grade == "best"
        total = declared.total(
            {name: one.best if best else one.last.score for name, one in done.items()}
        )
        staff = await self._is_staff(session.username, slug)
        return self._renderer.page(
            "exercises",
            session,
            session.language,
            title="exercises_title",
            course=self._course(course, session),
            rows=rows,
            best=best,
            total=percent(total, lang) if total is not None else "",
            answers=f"{self._renderer.prefix}/courses/{quote(slug)}/answers" if staff else "",
        )

    async def _is_staff(self, username: str, slug: str) -> bool:
        return await self._renderer.entry.staff(username, slug)

    def _course(self, course: Course, session: Session) -> dict[str, str]:
        return {
            "title": in_language(course.title, session.language),
            "link": self.address(course.slug),
        }

    async def _show(self, request: Request, session: Session) -> Response:
        slug, wanted = request.path_params["course"], request.path_params["exercise"]
        learner = request.query_params.get("learner", session.username)
        staff = await self._is_staff(session.username, slug)
        if learner != session.username and not staff:
            raise RefusedError(403, "staff_only")
        place = await self._service.place(learner, slug, wanted)
        attempt = await asyncio.to_thread(self._service.book.latest, learner, slug, wanted)
        standings = await asyncio.to_thread(
            self._service.book.standings, slug, username=learner, exercise=wanted
        )
        made = standings[0].attempts if standings else 0
        now = datetime.now(UTC)
        exercise = place.exercise
        unified = request.query_params.get("view") == "unified"
        query = {"learner": learner} if learner != session.username else {}
        result = None
        if attempt is not None and attempt.comparison is not None:
            result = revealed(attempt, exercise, session.language, now, staff=bool(query))
            is_notebook = ending(exercise.file) == ".ipynb"
            result["tried"] = tried(result["comparison"], session.language, is_notebook=is_notebook)
            result["stretches"] = stretches(result["comparison"])
        once, session.once = session.once, {}
        return self._renderer.page(
            "exercise",
            session,
            session.language,
            title="exercise_title",
            course=self._course(place.course, session),
            exercise=in_language(exercise.title, session.language),
            here=self.address(slug, wanted),
            learner=learner if query else "",
            learner_name=(await self._name(slug, learner)) if query else "",
            state=exercise.state(now),
            opens=moment(exercise.opens) if exercise.opens else "",
            closes=moment(exercise.closes) if exercise.closes else "",
            made=made,
            limit=exercise.attempts,
            left=checks_left(exercise, made),
            no_space=place.record is None,
            preparing=place.preparing,
            links=self._links(place),
            result=result,
            unified=unified,
            views={kind: "?" + urlencode({**query, "view": kind}) for kind in ("split", "unified")},
            checked_now="checked" in once,
            missing_now="missing" in once,
            made_now="made" in once,
        )

    async def _name(self, slug: str, learner: str) -> str:
        return (await asyncio.to_thread(self._service.book.names, slug)).get(learner, learner)

    def _links(self, place: Place) -> dict[str, str]:
        """Return links to the project in GitLab and to the notebook."""
        slug, path = place.course.slug, place.exercise.file
        base = self._renderer.prefix.removesuffix("/services/desk")
        notebook = urlencode({"course": slug, "target": "notebook", "path": path})
        links = {"file": path, "notebook": f"{base}/hub/atelier/go?{notebook}", "gitlab": ""}
        if place.record is not None:
            project = f"{self._settings.site.gitlab_url}/{quote(place.record.project)}"
            links["gitlab"] = project
        return links

    async def _check(self, request: Request, session: Session, form: Form) -> Response:
        slug, wanted = request.path_params["course"], request.path_params["exercise"]
        if form.get("action") == "make":
            await self._service.make_file(session.username, slug, wanted)
            session.once = {"made": "1"}
        else:
            try:
                await self._service.check(session.username, slug, wanted)
                session.once = {"checked": "1"}
            except RefusedError as refused:
                if refused.reason != "exercise_file_missing":
                    raise
                session.once = {"missing": "1"}
        view = request.query_params.get("view", "")
        query = f"?view={view}" if view in ("split", "unified") else ""
        # 303, so that reloading the next page does not check again.
        return RedirectResponse(
            self.address(slug, wanted) + query, 303, {"Cache-Control": "no-store"}
        )
