"""The teachers' page: all learners' answers and scores, undelivered grades, and CSV export."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from atelier.config.models import Course, Settings
from atelier.desk.checks import CheckService
from atelier.desk.db.grades import Grade, GradeQueue
from atelier.desk.errors import RefusedError
from atelier.desk.pages.exercises import moment, percent
from atelier.desk.pages.render import Form, PageRenderer
from atelier.desk.pages.sessions import Session
from atelier.exercises.exercises import CourseExercises
from atelier.i18n.translate import in_language

ROWS_SHOWN = 500
"""Most rows on a page; the CSV file has all."""
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(value: object) -> str:
    """Return a cell that no spreadsheet reads as a formula (OWASP, CSV Injection).

    French spreadsheets split at semicolons even inside quotes, so that text after a semicolon in a
    learner's name would start a new cell, and text after a line break a new row.
    """
    text = " ".join(str(value).replace(";", ",").split())
    return f"'{text}" if text.startswith(_FORMULA) else text


def grade_state(grade: Grade | None) -> str:
    """Return the state of a grade's delivery: none, sent, waiting, owed or failed."""
    if grade is None:
        return "none"
    if grade.delivered:
        return "sent"
    if grade.due == float("inf"):
        return "waiting"
    return "failed" if grade.reason else "owed"


class TeacherPages:
    """Handlers of the pages for a course's teachers.

    Args:
        settings: the site's settings.
        service: checks answers.
        queue: the queue of grades.
        renderer: renders the pages.
    """

    def __init__(
        self, settings: Settings, service: CheckService, queue: GradeQueue, renderer: PageRenderer
    ) -> None:
        self._settings = settings
        self._service = service
        self._queue = queue
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes below the desk's prefix."""
        page = "/courses/{course}/answers"
        return [
            Route(page, self._renderer.reading(self._show), methods=["GET"]),
            Route(page + ".csv", self._renderer.reading(self._csv), methods=["GET"]),
            Route(page + "/recheck", self._renderer.sending(self._recheck), methods=["POST"]),
            Route(page + "/resend", self._renderer.sending(self._resend), methods=["POST"]),
        ]

    async def _course(self, request: Request, session: Session) -> tuple[Course, CourseExercises]:
        slug = request.path_params["course"]
        if not await self._renderer.entry.staff(session.username, slug):
            raise RefusedError(403, "staff_only")
        course, declared, _version = await self._service.declared(slug)
        return course, declared

    def _rows(self, course: Course, exercise: str) -> list[dict[str, Any]]:
        names = self._service.book.names(course.slug)
        grades = self._queue.of_course(course.slug)
        rows = []
        for standing in self._service.book.standings(course.slug, exercise=exercise or None):
            grade = grades.get((standing.username, standing.exercise))
            rows.append(
                {
                    "username": standing.username,
                    "name": names.get(standing.username, standing.username),
                    "exercise": standing.exercise,
                    "attempts": standing.attempts,
                    "best": standing.best,
                    "last": standing.last.score,
                    "commit": standing.last.commit,
                    "checked": moment(datetime.fromtimestamp(standing.last.checked, UTC)),
                    "state": grade_state(grade),
                    "reason": grade.reason if grade is not None else "",
                    "sent": grade.sent if grade is not None else None,
                }
            )
        return rows

    async def _show(self, request: Request, session: Session) -> Response:
        course, declared = await self._course(request, session)
        exercise = request.query_params.get("exercise", "")
        rows = await asyncio.to_thread(self._rows, course, exercise)
        left = await asyncio.to_thread(self._service.book.rechecks, course.slug)
        here = f"{self._renderer.prefix}/courses/{quote(course.slug)}"
        lang = session.language
        for row in rows:
            query = urlencode({"learner": row["username"]})
            row["link"] = f"{here}/exercises/{quote(row['exercise'])}?{query}"
            row["best"], row["last"] = (percent(row[one], lang) for one in ("best", "last"))
        failed = [row for row in rows if row["state"] == "failed"]
        return self._renderer.page(
            "answers",
            session,
            session.language,
            title="answers_title",
            course=in_language(course.title, session.language),
            exercises=[
                (one.id, in_language(one.title, session.language)) for one in declared.exercises
            ],
            chosen=exercise if declared.get(exercise) is not None else "",
            rows=rows[:ROWS_SHOWN],
            total=len(rows),
            failed=failed,
            left=len(left),
            here=f"{here}/answers",
        )

    async def _csv(self, request: Request, session: Session) -> Response:
        course, _declared = await self._course(request, session)
        exercise = request.query_params.get("exercise", "")
        rows = await asyncio.to_thread(self._rows, course, exercise)
        text = io.StringIO()
        names = (
            *("username", "name", "exercise", "attempts", "best", "last", "commit", "checked"),
            *("sent", "state", "reason"),
        )
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(names)
        for row in rows:
            row["sent"] = "" if row["sent"] is None else row["sent"]
            writer.writerow([harmless(row[name]) for name in names])
        return Response(
            "\ufeff" + text.getvalue(),  # the byte order mark makes spreadsheets read UTF-8
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{course.slug}-answers.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def _recheck(self, request: Request, session: Session, form: Form) -> Response:
        course, _declared = await self._course(request, session)
        await self._service.recheck_all(course.slug, form.get("exercise", ""))
        return self._back(course, form)

    async def _resend(self, request: Request, session: Session, form: Form) -> Response:
        course, _declared = await self._course(request, session)
        await asyncio.to_thread(self._queue.try_again, course.slug)
        return self._back(course, form)

    def _back(self, course: Course, form: Form) -> Response:
        exercise = form.get("exercise", "")
        query = f"?{urlencode({'exercise': exercise})}" if exercise else ""
        address = f"{self._renderer.prefix}/courses/{quote(course.slug)}/answers{query}"
        return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
