"""Learners' homes: a file system of limited size for each, so that a full one affects no other.

A small service that runs as root (:mod:`atelier.homes.service`) creates, mounts and measures them.
The hub sends it requests over a Unix socket (:mod:`atelier.homes.client`) and needs no root rights.
Each connection carries one request and one answer, each a line of JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from atelier.config.schema.launcher import COURSE_SLUG
from atelier.config.schema.sizes import LEAST_INODES, LEAST_SPACE, MOST_INODES, MOST_SPACE
from atelier.identity import is_username

LONGEST_LINE = 64 * 1024
"""Most bytes of a request or an answer."""


class HomeError(Exception):
    """A home is unavailable; ``code`` is for the hub, the text for the log."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True)
class Home:
    """A learner's files for one course."""

    learner: str
    course: str

    def __post_init__(self) -> None:
        """Validate the names, as the service uses them in paths as root.

        Raises:
            HomeError: ``refused``.
        """
        known = isinstance(self.learner, str) and isinstance(self.course, str)
        slug = known and len(self.course) <= 40 and re.fullmatch(COURSE_SLUG, self.course)
        if not slug or "\n" in self.course or not is_username(self.learner):
            raise HomeError("refused", f"no home of {self.learner!r:.80} for {self.course!r:.80}")

    def __str__(self) -> str:
        """The home's file name."""
        return f"{self.learner}.{self.course}"

    @property
    def volume(self) -> str:
        """Name of the Docker volume in which earlier versions stored the home."""
        return f"atelier-{self.learner}-{self.course}"


@dataclass(frozen=True)
class Limits:
    """Limits of a home: bytes, and number of files and folders."""

    space: int
    inodes: int

    @classmethod
    def of(cls, space: Any, inodes: Any) -> Limits:
        """Read limits from a request.

        Raises:
            HomeError: ``refused``: they are not integers, or out of range.
        """
        for value, least, most in (
            (space, LEAST_SPACE, MOST_SPACE),
            (inodes, LEAST_INODES, MOST_INODES),
        ):
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise HomeError("refused", f"no limit of a home: {value!r:.80}")
        return cls(space, inodes)
