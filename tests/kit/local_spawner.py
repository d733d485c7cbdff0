"""Learners' servers as plain processes: what a course asks of a spawner, without containers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from atelier.hub.context import hub_context
from atelier.hub.engines.base import CourseMixin, container_environment
from jupyterhub.spawner import SimpleLocalProcessSpawner  # type: ignore[import-untyped]

NOTEBOOK = Path(__file__).with_name("notebook_server.py")


class LocalCourseSpawner(CourseMixin, SimpleLocalProcessSpawner):  # type: ignore[misc]
    """Starts notebook_server.py; counts its starts in a file."""

    cmd = [sys.executable, str(NOTEBOOK)]  # noqa: RUF012 (a traitlet of the parent)

    async def start(self) -> Any:
        assert self.course is not None
        assert self.learner is not None
        settings = hub_context().settings
        with (settings.desk.state_dir / "starts").open("a") as starts:
            starts.write(f"{self.user.name}/{self.name}\n")
        self.environment = container_environment(
            settings, self.course, self.learner, space=self.space
        )
        return await super().start()
