"""Files that are reloaded while the site runs: courses, consumers and registrations.

To add a course or change a consumer's secret, write a file; no process needs a restart. If a file
becomes invalid, its last valid content stays in use, and the error is logged once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from atelier.config.invitations import merged
from atelier.config.models import Consumers, Course, SettingsError, load
from atelier.config.registrations import Registrations
from atelier.config.schema.kinds import Reading
from atelier.config.schema.problems import sentence

log = logging.getLogger(__name__)

Model = TypeVar("Model", bound=BaseModel)
Stamp = tuple[int, int, int] | None
"""(modification time in ns, inode, size in bytes) of a file; None: it cannot be read."""


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


class LiveFile(Generic[Model]):
    """One settings file, read again when it has changed. Thread-safe."""

    def __init__(self, model: type[Model], path: Path) -> None:
        self.path = path
        self._model = model
        self._lock = threading.Lock()
        self._seen: Stamp = (-1, -1, -1)
        self._value: Model | None = None

    def get(self) -> Model | None:
        """Return the file's last valid content; None if there was none or the file is gone."""
        with self._lock:
            stamp = _stamp(self.path)
            if stamp == self._seen:
                return self._value
            self._seen = stamp
            if stamp is None:
                self._value = None
                log.warning("%s: no such file, or not readable by this process", self.path)
                return None
            reading = Reading(kept=True)
            try:
                self._value = load(self._model, self.path, reading)
            except SettingsError as error:
                kept = "the former content stays in use" if self._value else "it is left out"
                log.error("%s. %s", error, kept)
                return self._value
            for problem in reading.remarks:
                log.warning("%s: %s It is read as before.", self.path, sentence(problem))
            return self._value


class Courses:
    """The current courses of ``courses.d``; changed files are read again at each call."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, LiveFile[Course]] = {}
        self._misnamed: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def all(self) -> Mapping[str, Course]:
        """Return all courses by slug. A file whose name differs from its slug is left out."""
        courses: dict[str, Course] = {}
        with self._lock:
            try:
                present = {path.stem for path in self._directory.glob("*.yml")}
            except OSError:
                present = set()
            for gone in self._files.keys() - present:
                del self._files[gone]
            for slug in sorted(present):
                file = self._files.setdefault(
                    slug, LiveFile(Course, self._directory / f"{slug}.yml")
                )
                course = file.get()
                if course is None:
                    continue
                if course.slug == slug:
                    courses[slug] = course
                elif (slug, course.slug) not in self._misnamed:
                    self._misnamed.add((slug, course.slug))
                    log.error("%s: slug = %r: must be the file's name", file.path, course.slug)
        return courses

    def get(self, slug: str) -> Course | None:
        """Return the course with that slug, or None."""
        return self.all().get(slug)

    def exists(self, slug: str) -> bool:
        """Return whether a course's file exists; True if the directory cannot be read."""
        try:
            return f"{slug}.yml" in {path.name for path in self._directory.iterdir()}
        except OSError:
            return True


class LiveConsumers:
    """The current consumers of ``consumers.yml``."""

    def __init__(self, path: Path) -> None:
        self._file = LiveFile(Consumers, path)

    def get(self) -> Consumers:
        """Return all consumers; none if no valid file was read."""
        return self._file.get() or Consumers()

    def readable(self) -> bool:
        """Return whether the file exists and was valid at least once."""
        return self._file.get() is not None


class LiveRegistrations:
    """The current LTI 1.3 registrations.

    Args:
        path: ``registrations.yml``.
        joined: the file of platforms that registered themselves; ``path`` has precedence.
    """

    def __init__(self, path: Path, joined: Path) -> None:
        self._file = LiveFile(Registrations, path)
        self._joined = LiveFile(Registrations, joined)

    def get(self) -> Registrations:
        """Return all registrations; none if no valid file was read."""
        listed = self._file.get() or Registrations()
        joined = self._joined.get() if self._joined.path.exists() else None
        return listed if joined is None else merged(listed, joined)

    def readable(self) -> bool:
        """Return whether both files were valid at least once; only ``joined`` may be absent."""
        joined = not self._joined.path.exists() or self._joined.get() is not None
        return joined and self._file.get() is not None
