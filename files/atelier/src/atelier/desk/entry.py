"""Who may still come in to the desk, and who sees everybody's answers."""

from __future__ import annotations

import asyncio

from atelier.config.admission import Admission
from atelier.config.models import Settings
from atelier.desk.db.answers import AnswerRepository
from atelier.desk.errors import RefusedError


class Entry:
    """Asks the inventory's files at each request, for those who launched.

    Args:
        settings: the site's settings.
        book: knows who launched what.
        admission: knows what is still open.
    """

    def __init__(self, settings: Settings, book: AnswerRepository, admission: Admission) -> None:
        self._admins = settings.hub.admin_users
        self._book = book
        self._admission = admission

    def _closed(self, course: str, key: str) -> bool:
        # An earlier version did not note by which key they came: their next launch says it.
        return bool(key) and self._admission.closed(course, key)

    def _shut(self, username: str, course: str | None) -> bool:
        known = self._book.came_by(username)
        if course is not None and course in known:
            return self._closed(course, known[course])
        return bool(known) and all(self._closed(*one) for one in known.items())

    async def admit(self, username: str, course: str | None = None) -> None:
        """Let somebody in who launched a course, while what they came by is there.

        Args:
            username: the learner.
            course: slug; None: any of those they launched.

        Raises:
            RefusedError: it was removed.
        """
        if await asyncio.to_thread(self._shut, username, course):
            raise RefusedError(403, "entry_closed")

    def _staff(self, username: str, course: str) -> bool:
        if username in self._admins:
            return True
        key = self._book.came_by(username).get(course, "")
        return self._book.is_staff(username, course) and self._admission.may_teach(course, key)

    async def staff(self, username: str, course: str) -> bool:
        """Whether somebody teaches a course: their platform says so, or they run the site."""
        return await asyncio.to_thread(self._staff, username, course)
