"""Where a course's commits come from and go to: ``/etc/atelier/sources.d/<slug>.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from atelier.config.fields import RepositoryPath, Strict, Url
from atelier.config.schema.launcher import COURSE_SLUG

Visibility = Literal["private", "internal", "public"]
Name = Annotated[str, Field(min_length=1)]


class SourceError(Exception):
    """The file cannot be used; the text says what to mend."""


class Source(Strict):
    """A branch of a git repository, or a directory on this server."""

    repository: Name | None = None
    branch: Name = "main"
    directory: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> Source:
        if (self.repository is None) == (self.directory is None):
            raise ValueError("needs one of repository and directory")
        return self


class Member(Strict):
    """Somebody of the course's group in GitLab."""

    username: Name
    access: Literal["reporter", "developer", "maintainer", "owner"] = "maintainer"


class GitLab(Strict):
    """The course's group in GitLab and what is in it."""

    api_url: Url
    git_url: Name | None = None
    """What the projects' paths are appended to for git; by default ``api_url``."""
    token_file: Path
    description: str = ""
    visibility: Visibility = "internal"
    staff: tuple[Member, ...] = ()
    template_project: Name = "template"
    expected_project: Name = "expected"

    def address(self, group: str, project: str) -> str:
        """Where git finds a project."""
        return f"{self.git_url or self.api_url}/{group}/{project}.git"


class CourseSource(Strict):
    """All of one course's file."""

    slug: Annotated[str, Field(pattern=f"^{COURSE_SLUG}$")]
    template: Source
    expected: Source | None = None
    start_file: RepositoryPath | None = None
    gitlab: GitLab


def read_source(text: str, origin: str) -> CourseSource:
    """Read a course's file.

    Raises:
        SourceError: it is not YAML, or a value is wrong.
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
