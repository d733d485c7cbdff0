"""Source and GitLab projects of a course's commits: ``/etc/atelier/sources.d/<slug>.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from atelier.config.entries import Entry
from atelier.config.fields import Url
from atelier.config.schema.course import COURSE, MEMBER, SOURCE

Name = Annotated[str, Field(min_length=1)]


class SourceError(Exception):
    """The file is unusable; the text says what to correct."""


class Source(Entry):
    """A branch of a git repository, or a directory on this server."""

    table = SOURCE

    repository: str | None = None
    branch: str = SOURCE.default("branch")
    directory: Path | None = None


class Member(Entry):
    """A member of the course's group in GitLab."""

    table = MEMBER

    username: str
    access: str = MEMBER.default("access")


class GitLab(Entry):
    """The course's group in GitLab, its projects and its members."""

    table = COURSE.only("visibility", "staff")

    api_url: Url
    git_url: Name | None = None
    """Base address of the projects for git; by default ``api_url``."""
    token_file: Path
    description: str = ""
    visibility: str = COURSE.default("visibility")
    staff: tuple[Member, ...] | None = None
    template_project: Name = "template"
    expected_project: Name = "expected"

    def address(self, group: str, project: str) -> str:
        """Return the address of a project for git."""
        return f"{self.git_url or self.api_url}/{group}/{project}.git"


class CourseSource(Entry):
    """The content of a course's file."""

    table = COURSE.only("slug", "start_file")

    slug: str
    template: Source
    expected: Source | None = None
    start_file: str | None = None
    gitlab: GitLab


def read_source(text: str, origin: str) -> CourseSource:
    """Parse a course's file.

    Args:
        text: YAML.
        origin: the file's name, for messages.

    Raises:
        SourceError: the text is not YAML, or a value is invalid.
    """
    try:
        data: Any = yaml.safe_load(text)
        return CourseSource.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SourceError(f"{origin}: {where}: {first['msg']}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SourceError(f"{origin}: {error}") from None
