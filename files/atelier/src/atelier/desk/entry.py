"""Decides who still has access to the desk, and who may see all learners' answers."""

from __future__ import annotations

import asyncio

from atelier.config.admission import Admission
from atelier.config.models import Settings
from atelier.desk.db.answers import AnswerRepository
from atelier.desk.errors import RefusedError


class Entry:
    """Checks, at each request, that a person's launches would still be accepted.

    Args:
        settings: the site's settings.
        answers: stored launches.
        admission: checks launchers and courses against the current inventory files.
    """

    def __init__(self, settings: Settings, answers: AnswerRepository, admission: Admission) -> None:
        self._admins = settings.hub.admin_users
        self._answers = answers
        self._admission = admission

    def _closed(self, course: str, key: str) -> bool:
        # Without a key, recorded by an earlier version, access stays open: the next launch adds it.
        return bool(key) and self._admission.closed(course, key)

    def _has_lost_access(self, username: str, course: str | None) -> bool:
        known = self._answers.launch_keys(username)
        if course is not None and course in known:
            return self._closed(course, known[course])
        return bool(known) and all(self._closed(*one) for one in known.items())

    async def admit(self, username: str, course: str | None = None) -> None:
        """Check that a person still has access.

        Args:
            username: the learner.
            course: slug; None, or a course that they did not launch: one open course is enough.

        Raises:
            RefusedError: the course was removed, or the launcher may no longer open it.
        """
        if await asyncio.to_thread(self._has_lost_access, username, course):
            raise RefusedError(403, "entry_closed")

    def _staff(self, username: str, course: str) -> bool:
        if username in self._admins:
            return True
        key = self._answers.launch_keys(username).get(course, "")
        return self._answers.is_staff(username, course) and self._admission.may_teach(course, key)

    async def staff(self, username: str, course: str) -> bool:
        """Return whether a person teaches a course by their platform's roles, or is an admin."""
        return await asyncio.to_thread(self._staff, username, course)
