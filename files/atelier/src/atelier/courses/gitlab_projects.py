"""Creates and updates a course's group, projects and members in GitLab.

Requests have the policy of the modules for classes (:mod:`atelier.gitlab.calls`), with shorter
limits: a run holds the course's lock while it waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atelier.courses.git import GitError
from atelier.courses.settings import CourseSource
from atelier.gitlab.calls import Calls
from atelier.gitlab.errors import GitLabUnavailableError, SpaceError
from atelier.gitlab.pause import Pause
from atelier.gitlab.spaces import connect, named_errors
from atelier.gitlab.template import CourseProjects, TemplateError

CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")
REQUEST_SECONDS = 30.0
"""Timeout of one request."""
RUN_SECONDS = 300.0
"""Total time of the requests that read or update the projects, pauses included."""
LONGEST_PAUSE_SECONDS = 120.0
"""Longest pause that is waited for if GitLab asks for one (429)."""


@dataclass(frozen=True)
class ProjectChanges:
    """The changes that :meth:`GitLabProjects.ensure` made, or would make in a dry run."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    missing_staff: list[str] = field(default_factory=list)


class GitLabProjects:
    """The course's group and projects.

    Args:
        settings: the course's settings.
        dry_run: change nothing; a missing token file means that GitLab has no projects yet.
    """

    def __init__(self, settings: CourseSource, dry_run: bool) -> None:
        self._settings = settings
        self._dry_run = dry_run
        self._published: frozenset[str] | None = None
        self._pause = Pause()

    def published(self) -> frozenset[str]:
        """Return the addresses of the projects that have commits.

        Raises:
            GitError: GitLab refuses, or cannot be reached.
        """
        if self._published is None:
            self._run(dry_run=True)
        return self._published or frozenset()

    def ensure(self) -> ProjectChanges:
        """Create or update group, projects and members according to the settings.

        Raises:
            GitError: GitLab refuses, or cannot be reached.
        """
        result = self._run(dry_run=self._dry_run)
        return ProjectChanges(
            result["diff"]["before"], result["diff"]["after"], result["missing_staff"]
        )

    def _run(self, *, dry_run: bool) -> dict[str, Any]:
        gitlab, slug = self._settings.gitlab, self._settings.slug
        projects = [gitlab.template_project]
        private = [gitlab.expected_project] if self._settings.expected is not None else []
        wanted = {
            "group": slug,
            "project": gitlab.template_project,
            "private_projects": private,
            "description": gitlab.description,
            "visibility": gitlab.visibility,
            "group_visibility": None,
            "staff": [one.model_dump() for one in gitlab.staff or ()],
        }
        if self._dry_run and not gitlab.token_file.exists():
            self._published = frozenset()
            made = {f"projects of {slug}": [*projects, *private]}
            return {"diff": {"before": {}, "after": made}, "missing_staff": []}
        doing = f"keeping the projects of {slug}"
        try:
            with named_errors(doing):
                result = CourseProjects(self._calls(), wanted, dry_run).run()
        except TemplateError as error:
            raise GitError(str(error)) from error
        except (SpaceError, GitLabUnavailableError) as error:
            raise GitError(f"{gitlab.api_url}: {error}") from error
        full = [name for name in projects + private if name not in result["empty_projects"]]
        self._published = frozenset(gitlab.address(slug, name) for name in full)
        return result

    def _calls(self) -> Calls:
        gitlab = self._settings.gitlab
        try:
            token = gitlab.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise GitError(
                f"The file with GitLab's token, {gitlab.token_file}, cannot be read: "
                f"{error.strerror}. Role gitlab makes it."
            ) from error
        ca_file = str(CA_FILE) if CA_FILE.exists() else None
        return Calls(
            lambda: connect(gitlab.api_url, token, ca_file=ca_file, timeout=REQUEST_SECONDS),
            longest_hold=LONGEST_PAUSE_SECONDS,
            pause=self._pause,
            seconds=RUN_SECONDS,
            request_seconds=REQUEST_SECONDS,
        )
