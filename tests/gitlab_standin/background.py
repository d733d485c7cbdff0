"""Sidekiq's part: imports of forks, done after the request that asked for them."""

import logging
import threading
import time

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gitlab_standin.git.command import GitError
from gitlab_standin.models import MergeRequest, Project
from gitlab_standin.projects import finish_import
from gitlab_standin.pushes import catch_up
from gitlab_standin.site import Site

log = logging.getLogger("gitlab_standin.background")

WORKERS = 4
LOOK_AGAIN_SECONDS = 5.0


class Background:
    """Threads that take scheduled imports, oldest first; what a kill interrupts starts again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._wake = threading.Condition()
        self._taken: set[int] = set()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"sidekiq-{number}", daemon=True)
            for number in range(WORKERS)
        ]

    def start(self) -> None:
        """Begin, with what an earlier process left unfinished."""
        with self._site.database.write() as session:
            for project in session.scalars(
                select(Project).where(Project.import_status == "started")
            ):
                project.import_status = "scheduled"
            self._catch_up(session)
        self._site.import_scheduled = self.notify
        for thread in self._threads:
            thread.start()

    def _catch_up(self, session: Session) -> None:
        """Note what was pushed to projects just before a kill."""
        requests = select(MergeRequest.source_project_id).where(MergeRequest.state == "opened")
        targets = select(MergeRequest.project_id).where(MergeRequest.state == "opened")
        waiting = or_(
            Project.default_branch.is_(None),
            Project.id.in_(requests),
            Project.id.in_(targets),
        )
        idle = Project.import_status.in_(("none", "finished"))
        for project in session.scalars(select(Project).where(waiting, idle)).all():
            if (self._site.repository(project.id).path / "HEAD").exists():
                catch_up(self._site, session, project)

    def stop(self) -> None:
        """Take no more; a running copy is left to its end."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def notify(self) -> None:
        """There is something new to do."""
        with self._wake:
            self._wake.notify()

    def _next(self) -> int | None:
        if self._site.paths.sidekiq_down.exists():
            return None
        with self._site.database.read() as session:
            query = (
                select(Project.id)
                .where(Project.import_status == "scheduled", Project.id.not_in(self._taken))
                .order_by(Project.id)
                .limit(1)
            )
            return session.scalar(query)

    def _work(self) -> None:
        while True:
            with self._wake:
                number = None if self._stopping else self._next()
                while number is None:
                    if self._stopping:
                        return
                    self._wake.wait(LOOK_AGAIN_SECONDS)
                    number = None if self._stopping else self._next()
                self._taken.add(number)
            try:
                self._import(number)
            except Exception:
                log.exception("import of project %s", number)
            finally:
                with self._wake:
                    self._taken.discard(number)

    def _import(self, number: int) -> None:
        site = self._site
        time.sleep(site.import_seconds / 2)
        with site.database.write() as session:
            project = session.get(Project, number)
            if project is None:
                return
            project.import_status = "started"
            source, branch = project.forked_from_id, project.import_branch
        time.sleep(site.import_seconds / 2)
        error = None
        try:
            if source is None:
                error = "The source project does not exist any more"
            else:
                site.repository(number).copy_from(site.repository(source), branch)
        except (GitError, OSError) as problem:
            log.warning("import of project %s: %s", number, problem)
            error = "The repository could not be copied"
        with site.database.write() as session:
            project = session.get(Project, number)
            if project is None:
                site.repository(number).remove()
            elif error is not None:
                project.import_status, project.import_error = "failed", error
            else:
                finish_import(site, session, project)
