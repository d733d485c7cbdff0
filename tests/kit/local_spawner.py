"""Learners' servers as plain processes: what a course asks of a spawner, without containers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from atelier.hub.context import hub_context
from atelier.hub.engines.base import CourseMixin, container_environment
from jupyterhub.spawner import SimpleLocalProcessSpawner  # type: ignore[import-untyped]
from jupyterhub.utils import random_port  # type: ignore[import-untyped]
from traitlets import Instance

from kit import fork_server

MODULE = "kit.notebook_server"
NOTEBOOK = Path(__file__).with_name("notebook_server.py")


class LocalCourseSpawner(CourseMixin, SimpleLocalProcessSpawner):  # type: ignore[misc]
    """Starts notebook_server.py; counts its starts in a file."""

    cmd = [sys.executable, str(NOTEBOOK)]  # noqa: RUF012 (a traitlet of the parent)

    proc = Instance(object, allow_none=True)

    async def start(self) -> Any:
        assert self.course is not None
        assert self.learner is not None
        settings = hub_context().settings
        with (settings.desk.state_dir / "starts").open("a") as starts:
            starts.write(f"{self.user.name}/{self.name}\n")
        self.environment = container_environment(
            settings, self.course, self.learner, space=self.space
        )
        server = os.environ.get(fork_server.ADDRESS)
        if server is None:  # a hub that is no fork itself
            return await super().start()
        self.port = random_port()
        home = Path(self.home_dir)
        home.mkdir(parents=True, exist_ok=True)
        words = [MODULE, *self.get_args()]
        self.proc = fork_server.fork(server, words, cwd=home, env=self.get_env(), output=sys.stdout)
        self.pid = self.proc.pid
        return (self.ip or "127.0.0.1", self.port)
