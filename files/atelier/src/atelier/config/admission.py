"""Checks whether earlier launches would still be accepted, by the current inventory files.

A launch is checked once, but the sessions and servers that it opened last longer. Users therefore
keep their access only as long as the consumer or registration and the course of their launch exist.
A file that cannot be read ends nobody's access: a mistake in it must not sign out a whole class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atelier.config.live import Courses, LiveConsumers, LiveRegistrations
from atelier.config.models import Course, Launcher, may_launch


def names(course: Course, launcher: Launcher) -> bool:
    """Return whether a launcher may open a course and one of them names the other explicitly."""
    return may_launch(launcher, course) and (
        course.consumers is not None or launcher.courses is not None
    )


class Admission:
    """Checks whether the launch of a session, a server or a token would still be accepted.

    Args:
        consumers: the current LTI 1.1 consumers.
        registrations: the current LTI 1.3 registrations.
        courses: the current courses.
    """

    def __init__(
        self, consumers: LiveConsumers, registrations: LiveRegistrations, courses: Courses
    ) -> None:
        self._consumers = consumers
        self._registrations = registrations
        self._courses = courses

    def launchers(self) -> dict[str, Launcher] | None:
        """Return all consumers and registrations by key; None if a file cannot be read."""
        if not self._consumers.readable() or not self._registrations.readable():
            return None
        known: list[Launcher] = [*self._consumers.get().consumers]
        known += self._registrations.get().registrations
        return {one.key: one for one in known}

    def state(self) -> Any:
        """Return the launchers and courses, to detect changes; None if a file cannot be read."""
        launchers = self.launchers()
        return None if launchers is None else (launchers, dict(self._courses.all()))

    def closed(self, slug: str, key: str | None, platform: str | None = None) -> bool:
        """Return whether a launch would no longer be accepted.

        Args:
            slug: the course.
            key: key of the consumer or registration that launched; None: it was not recorded.
            platform: if ``key`` is None, any launcher of this platform is sufficient.
        """
        course = self._courses.get(slug)
        if course is None:
            return not self._courses.exists(slug)
        launchers = self.launchers()
        if launchers is None:
            return False
        if key is not None:
            return key not in launchers or not may_launch(launchers[key], course)
        return not any(
            one.platform == platform and may_launch(one, course) for one in launchers.values()
        )

    def open_courses(self, state: Mapping[str, Any] | None) -> list[str]:
        """Return the slugs of the launched courses that a learner may still open.

        Args:
            state: their ``auth_state``.
        """
        known = state or {}
        return [
            slug
            for slug, kept in known.get("launches", {}).items()
            if not self.closed(slug, kept.get("consumer"), known.get("platform"))
        ]

    def may_teach(self, slug: str, key: str) -> bool:
        """Return whether the roles that a launcher sends are trusted in a course.

        They are trusted if the launcher has ``trust_roles`` and may open the course, and if the
        course names the launcher or the launcher names the course. The names are not required on a
        site with only one platform.

        Args:
            slug: the course.
            key: key of the consumer or registration.
        """
        course, launchers = self._courses.get(slug), self.launchers() or {}
        one = launchers.get(key)
        if course is None or one is None or not one.trust_roles or not may_launch(one, course):
            return False
        alone = len({each.platform for each in launchers.values()}) == 1
        return alone or names(course, one)
