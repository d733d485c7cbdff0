"""Reads files of GitLab projects for the desk: declarations, answers and expected answers."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gitlab import exceptions as gle

from atelier.config.models import Course
from atelier.exercises.declared import MAX_FILE_BYTES, read_exercises
from atelier.exercises.exercises import EXERCISES_FILE, CourseExercises
from atelier.gitlab.calls import path_of
from atelier.gitlab.client import PAGE, GitLabClient
from atelier.gitlab.errors import SpaceError

T = TypeVar("T")

REMEMBERED_SECONDS = 15
"""Time for which a course's declaration is cached: the longest delay until a push is visible."""
KEPT_BYTES = 64 * 1024**2
KEPT_ENTRIES = 2000
MOST_PAGES = 30
"""Most pages of one hundred entries that are read of a project's list of files."""


@dataclass(frozen=True)
class SavedVersion:
    """A commit: its hash, and its date as GitLab returns it (ISO 8601)."""

    commit: str
    at: str


@dataclass(frozen=True)
class Declared:
    """A course's exercises (None: it declares none) and the commit that they were read from."""

    exercises: CourseExercises | None
    version: SavedVersion


class Cache:
    """An LRU cache of immutable values.

    If several threads ask for the same missing key, one reads the value and the others wait.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES, most_entries: int = KEPT_ENTRIES) -> None:
        self._most = (most_bytes, most_entries)
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[Any]] = OrderedDict()
        self._reading: dict[Hashable, threading.Lock] = {}
        self._bytes = 0

    def get(self, key: Hashable, read: Callable[[], Any]) -> Any:
        """Return a key's value; call ``read`` if it is not cached. Errors are not cached."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key][0]
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:
            with self._lock:
                if key in self._entries:
                    return self._entries[key][0]
            try:
                value = read()
                self._store(key, value)
                return value
            finally:
                with self._lock:
                    self._reading.pop(key, None)

    def _store(self, key: Hashable, value: Any) -> None:
        with self._lock:
            self._entries[key] = (value,)
            self._bytes += _size(value)
            while self._bytes > self._most[0] or len(self._entries) > self._most[1]:
                _, (old,) = self._entries.popitem(last=False)
                self._bytes -= _size(old)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, bytes) else 0


class RepositoryFiles:
    """Reads projects with the administrator's rights. Methods block: call them in threads.

    Args:
        gitlab_client: client of GitLab.
    """

    def __init__(self, gitlab_client: GitLabClient) -> None:
        self._gitlab_client = gitlab_client
        self._known: dict[str, tuple[float, Declared]] = {}
        self._lock = threading.Lock()
        self._cache = Cache()
        self._age = 0

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run and retry an attempt for a page that a learner waits for.

        See :meth:`GitLabClient.patiently`.
        """
        return await self._gitlab_client.patiently(attempt, PAGE)

    def may_be_read(self) -> bool:
        """Return whether background jobs may read files now."""
        return self._gitlab_client.may_be_asked()

    def declared(self, course: Course) -> Declared:
        """Return the exercises that the default branch of a course's template declares.

        Raises:
            ExercisesError: the declaration is invalid.
            SpaceError: GitLab refuses, or there is no template.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        with self._lock:
            known = self._known.get(course.slug)
        if known is not None and time.monotonic() - known[0] < REMEMBERED_SECONDS:
            return known[1]
        version = self.head_lately(course.template)
        if version is None:
            raise SpaceError(f"the template {course.template} is empty or not there")
        if known is not None and known[1].version == version:
            declared = known[1]
        else:
            text = self.file(course.template, EXERCISES_FILE, version.commit, MAX_FILE_BYTES)
            declared = Declared(read_exercises(text) if text is not None else None, version)
        with self._lock:
            self._known[course.slug] = (time.monotonic(), declared)
        return declared

    def head(self, project: str, branch: str | None = None) -> SavedVersion | None:
        """Return the latest commit of a branch; without a name, of the default branch.

        Returns:
            None if there is no such project, or it has no commits.
        """
        path = path_of("projects", project, "repository", "commits")
        with self._gitlab_client.calling(f"reading {project}") as calls:
            found = calls.find(path, per_page=1, ref_name=branch or None)
        if not found:
            return None
        return SavedVersion(str(found[0]["id"]), str(found[0]["committed_date"]))

    def head_lately(self, project: str, branch: str | None = None) -> SavedVersion | None:
        """Return :meth:`head`, cached for up to a second, for commits that many requests need."""
        moment = (self._age, int(time.monotonic()))
        found: SavedVersion | None = self._cache.get(
            (project, branch, moment), lambda: self.head(project, branch)
        )
        return found

    def invalidate_cache(self) -> None:
        """Drop cached heads and declarations."""
        with self._lock:
            self._age += 1
            self._known.clear()

    def of_course(self, project: str, path: str, commit: str, most: int) -> bytes | None:
        """Return a file of a course's project at a commit, cached; see :meth:`file`."""
        found: bytes | None = self._cache.get(
            (project, path, commit, most), lambda: self.file(project, path, commit, most)
        )
        return found

    def paths(self, project: str, commit: str) -> tuple[str, ...]:
        """Return the paths of a project's files at a commit, cached.

        Of a project with thousands of files, the first ones.
        """
        found: tuple[str, ...] = self._cache.get(
            ("paths", project, commit), lambda: self._paths(project, commit)
        )
        return found

    def _paths(self, project: str, commit: str) -> tuple[str, ...]:
        where = path_of("projects", project, "repository", "tree")
        found: list[str] = []
        with self._gitlab_client.calling(f"listing {project}") as calls:
            listing = calls.pages(where, keyset=True, recursive="true", ref=commit)
            for number, page in enumerate(listing, 1):
                found += [str(one["path"]) for one in page if one["type"] == "blob"]
                if number == MOST_PAGES:
                    break
        return tuple(found)

    def create(
        self,
        project: str,
        branch: str,
        path: str,
        content: bytes,
        *,
        text: str,
        author: Mapping[str, str],
    ) -> None:
        """Commit a new file to a project; leave one that is there as it is.

        Args:
            project: path of the project.
            branch: the branch.
            path: path of the file.
            content: its content.
            text: the commit's message.
            author: ``author_name`` and ``author_email`` of the commit.
        """
        where = path_of("projects", project, "repository", "files", path)
        with self._gitlab_client.calling(f"making {path} in {project}") as calls:
            calls.make(
                where,
                {
                    "branch": branch,
                    "content": base64.b64encode(content).decode(),
                    "encoding": "base64",
                    "commit_message": text,
                    **author,
                },
                lambda: calls.find(where, ref=branch),
            )

    def file(self, project: str, path: str, ref: str, most: int) -> bytes | None:
        """Return the first ``most + 1`` bytes of a file.

        Returns:
            None if there is no such file.
        """
        where = path_of("projects", project, "repository", "files", path, "raw")
        with self._gitlab_client.calling(f"reading {path} of {project}") as calls:
            try:
                answer = calls.send("get", where, {"ref": ref}, streamed=True)
            except gle.GitlabHttpError as error:
                if error.response_code == 404:
                    return None
                raise
            with contextlib.closing(answer):
                content = bytearray()
                for chunk in answer.iter_content(64 * 1024):
                    calls.time_left()
                    content += chunk
                    if len(content) > most:
                        return bytes(content[: most + 1])
        return bytes(content)
