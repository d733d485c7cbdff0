"""Which files the course has exercises for, and where the desk checks a learner's answer.

The hub starts a learner's server with the course's name, the learner's project, the desk's
address and a mirror of the template, whose ``atelier.yml`` declares the exercises. Elsewhere there
is no desk, and nothing to check.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from atelier_toolbar import git
from atelier_toolbar.repository import Repository, web_address

EXERCISES_FILE = "atelier.yml"
MAX_BYTES = 512 * 1024
REMEMBERED_SECONDS = 60
"""The mirror is looked at again after that: a status asks often."""


@dataclass(frozen=True)
class Course:
    """The course of this server.

    Attributes:
        slug: its name in addresses.
        project: page of the learner's project.
        desk: address of the desk's pages, or their path where hub and notebooks share a host.
        mirror: the template's; None when there is none.
    """

    slug: str
    project: str
    desk: str
    mirror: Path | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Course | None:
        """What the hub told the server; None outside of a course."""
        slug = environment.get("ATELIER_COURSE", "")
        project = web_address(environment.get("ATELIER_PROJECT_URL", ""))
        # The desk's own address is for servers; browsers find it on the hub's host, same path.
        pages = web_address(environment.get("ATELIER_DESK_PAGES", ""))
        desk = pages or urlsplit(environment.get("ATELIER_DESK_URL", "")).path
        if not slug or project is None or not desk:
            return None
        mirror = environment.get("ATELIER_TEMPLATE", "")
        return cls(slug, project, desk.rstrip("/"), Path(mirror) if mirror else None)


def check_address(
    repository: Repository, path: str, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Where the answer in a file is checked: an address on the hub's host.

    Args:
        repository: the clone.
        path: git's name of the file.
        environment: the server's.

    Returns:
        None when the course has no exercise for it.
    """
    course = Course.of(environment)
    if course is None or not path or repository.web_url != course.project:
        return None
    if path not in _declared(course, repository):
        return None
    return f"{course.desk}/courses/{course.slug}/check?{urlencode({'path': path})}"


def _declared(course: Course, repository: Repository) -> frozenset[str]:
    """Files of the exercises: as the template has them, else as the clone does."""
    if course.mirror is not None and course.mirror.is_dir():
        return _in_mirror(course.mirror, int(time.monotonic() // REMEMBERED_SECONDS))
    try:
        with (repository.top / EXERCISES_FILE).open("rb") as file:
            return files_of(file.read(MAX_BYTES + 1))
    except OSError:
        return frozenset()


@functools.lru_cache(maxsize=4)
def _in_mirror(mirror: Path, minute: int) -> frozenset[str]:
    del minute  # of the cache's key
    return files_of(git.run(mirror, "show", f"HEAD:{EXERCISES_FILE}").raw)


def files_of(declaration: bytes) -> frozenset[str]:
    """Paths of the files of the exercises that a course declares; none when it is no declaration.

    The desk checks the whole of it and says what is wrong; here it is only looked through.
    """
    if len(declaration) > MAX_BYTES:
        return frozenset()
    try:
        declared: Any = yaml.safe_load(declaration)
    except (yaml.YAMLError, ValueError, RecursionError):
        return frozenset()
    listed = declared.get("exercises") if isinstance(declared, dict) else None
    found = [one.get("file") for one in _list(listed) if isinstance(one, dict)]
    return frozenset(file for file in found if isinstance(file, str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
