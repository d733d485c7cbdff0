"""Learners' homes: each a file system of its own size, so that a full one is nobody else's.

A small service of root's (:mod:`atelier.homes.service`) makes, mounts and measures them; the hub
asks it over a Unix socket (:mod:`atelier.homes.client`) and never becomes root. One request a
connection, one line of JSON each way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from atelier.config.schema.launcher import COURSE_SLUG
from atelier.config.schema.sizes import LEAST_INODES, LEAST_SPACE, MOST_INODES, MOST_SPACE
from atelier.identity import is_username

LONGEST_LINE = 64 * 1024
"""Bytes of a request or an answer, at most."""


class HomeError(Exception):
    """A home that cannot be had; ``code`` is for the hub, the text for the log."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True)
class Home:
    """One learner's files of one course."""

    learner: str
    course: str

    def __post_init__(self) -> None:
        """Refuse what is not a learner and a course: the names become paths of root's.

        Raises:
            HomeError: ``refused``.
        """
        known = isinstance(self.learner, str) and isinstance(self.course, str)
        slug = known and len(self.course) <= 40 and re.fullmatch(COURSE_SLUG, self.course)
        if not slug or "\n" in self.course or not is_username(self.learner):
            raise HomeError("refused", f"no home of {self.learner!r:.80} for {self.course!r:.80}")

    def __str__(self) -> str:
        """The home's name among files."""
        return f"{self.learner}.{self.course}"

    @property
    def volume(self) -> str:
        """The Docker volume that earlier versions kept the home in."""
        return f"atelier-{self.learner}-{self.course}"


@dataclass(frozen=True)
class Limits:
    """What a home may hold: bytes, and files and folders."""

    space: int
    inodes: int

    @classmethod
    def of(cls, space: Any, inodes: Any) -> Limits:
        """Take limits from a request.

        Raises:
            HomeError: ``refused``: not numbers, or out of bounds.
        """
        for value, least, most in (
            (space, LEAST_SPACE, MOST_SPACE),
            (inodes, LEAST_INODES, MOST_INODES),
        ):
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise HomeError("refused", f"no limit of a home: {value!r:.80}")
        return cls(space, inodes)
