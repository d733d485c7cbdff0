"""Who may still come in, by the inventory's files as they are now.

A launch is looked at once; what it opened, sessions and servers, lasts longer. So whoever came by a
consumer, a registration or a course is let in only as long as these are there. What cannot be read
closes nothing: a mistake in a file must not show a whole class out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atelier.config.live import Courses, LiveConsumers, LiveRegistrations
from atelier.config.models import Course, Launcher, may_launch


def names(course: Course, launcher: Launcher) -> bool:
    """Whether a course and a launcher are made for each other in so many words."""
    return may_launch(launcher, course) and (
        course.consumers is not None or launcher.courses is not None
    )


class Admission:
    """Answers for sessions, servers and tokens whether their launch would still be accepted.

    Args:
        consumers: LTI 1.1, as they are now.
        registrations: LTI 1.3, as they are now.
        courses: as they are now.
    """

    def __init__(
        self, consumers: LiveConsumers, registrations: LiveRegistrations, courses: Courses
    ) -> None:
        self._consumers = consumers
        self._registrations = registrations
        self._courses = courses

    def launchers(self) -> dict[str, Launcher] | None:
        """Everybody who may launch, by key; None: a file of theirs cannot be read."""
        if not self._consumers.readable() or not self._registrations.readable():
            return None
        known: list[Launcher] = [*self._consumers.get().consumers]
        known += self._registrations.get().registrations
        return {one.key: one for one in known}

    def state(self) -> Any:
        """What the answers depend on, to be compared; None: a file of it cannot be read."""
        launchers = self.launchers()
        return None if launchers is None else (launchers, dict(self._courses.all()))

    def closed(self, slug: str, key: str | None, platform: str | None = None) -> bool:
        """Whether what a launch opened is closed.

        Args:
            slug: the course.
            key: of the consumer or registration that launched; None: it was not noted.
            platform: then any launcher of this platform will do.
        """
        course = self._courses.get(slug)
        if course is None:
            return not self._courses.there(slug)
        launchers = self.launchers()
        if launchers is None:
            return False
        if key is not None:
            return key not in launchers or not may_launch(launchers[key], course)
        return not any(
            one.platform == platform and may_launch(one, course) for one in launchers.values()
        )

    def open_courses(self, state: Mapping[str, Any] | None) -> list[str]:
        """Slugs of the courses a learner launched that are still open to them.

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
        """Whether the roles that a launcher sends count in a course.

        They count where the site trusts them and the course names the launcher, or the launcher
        the course. A site with one platform alone has nobody else to name.

        Args:
            slug: the course.
            key: of the consumer or registration.
        """
        course, launchers = self._courses.get(slug), self.launchers() or {}
        one = launchers.get(key)
        if course is None or one is None or not one.trust_roles or not may_launch(one, course):
            return False
        alone = len({each.platform for each in launchers.values()}) == 1
        return alone or names(course, one)
