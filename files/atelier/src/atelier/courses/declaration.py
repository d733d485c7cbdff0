"""The file ``<slug>.json`` that ``publish`` writes beside the mirror and the hub reads.

It contains the published commit, its files and its declared exercises, all checked. It is replaced
by an atomic rename.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from atelier.exercises.exercises import CourseExercises

log = logging.getLogger(__name__)

VERSION = 1
MAX_FILES = 1000
MAX_PATH_LENGTH = 1024
"""Maximum length of a path that a link may point to."""
MAX_PATHS_BYTES = 1024 * 1024
MAX_EXERCISES_BYTES = 2 * 1024 * 1024
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class NamedExercise:
    """An exercise with the fields that a list shows."""

    id: str
    title: dict[str, str]
    """By language."""


@dataclass(frozen=True)
class Published:
    """The files and exercises of a published commit, for the hub."""

    commit: str
    files: tuple[str, ...]
    exercises: tuple[NamedExercise, ...]


def shown_files(paths: Iterable[str]) -> list[str]:
    """Return the files that links may point to, in alphabetical order.

    Files below a name that begins with a dot, files with long paths, and files beyond
    :data:`MAX_FILES` or :data:`MAX_PATHS_BYTES` are left out.
    """
    shown: list[str] = []
    size = 0
    for path in sorted(paths):
        if len(path) > MAX_PATH_LENGTH or any(part.startswith(".") for part in path.split("/")):
            continue
        size += len(path.encode("utf-8", "replace"))
        if len(shown) == MAX_FILES or size > MAX_PATHS_BYTES:
            break
        shown.append(path)
    return shown


def _encoded(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def fits(course: CourseExercises) -> bool:
    """Return whether a declaration is small enough to be published.

    Because of YAML aliases, a small file can expand to a very large declaration.
    """
    size = 0
    # Mode "json" would copy texts that aliases share. The loop ends as soon as it is too large.
    data = course.model_dump(exclude_defaults=True)
    for piece in json.JSONEncoder(default=_encoded).iterencode(data):
        size += len(piece)
        if size > MAX_EXERCISES_BYTES:
            return False
    return True


def describe(
    slug: str, commit: str, paths: Iterable[str], course: CourseExercises | None
) -> dict[str, Any]:
    """Return the content of the file for a published commit."""
    declared = course.model_dump(mode="json", exclude_defaults=True) if course else None
    return {
        "version": VERSION,
        "course": slug,
        "commit": commit,
        "files": shown_files(paths),
        "declared": declared,
    }


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Replace a file by an atomic rename; all users may read it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            json.dump(data, file, ensure_ascii=False, separators=(",", ":"))
            file.write("\n")
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def tidy(path: Path) -> None:
    """Remove the temporary files of a killed :func:`write_json`."""
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink(missing_ok=True)


def read_json(path: Path, most: int = MAX_BYTES) -> dict[str, Any] | None:
    """Read a file that :func:`write_json` wrote; return None if it does not exist.

    Raises:
        ValueError: the file is larger than ``most`` bytes, or not a JSON object.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        return None
    if len(content) > most:
        raise ValueError(f"{path} is larger than {most} bytes")
    data = json.loads(content)
    if not isinstance(data, dict):
        raise ValueError(f"{path} holds no JSON object")
    return data


def declared_exercises(data: dict[str, Any]) -> CourseExercises | None:
    """Return the declaration in the result of :func:`describe`; None if there is none.

    Raises:
        ValueError: the declaration is invalid.
    """
    declared = data.get("declared")
    return None if declared is None else CourseExercises.model_validate(declared)


class PublishedCourses:
    """Reads the courses' published files and exercises; caches each file until it is replaced.

    Args:
        templates: the folder of the mirrors.
    """

    def __init__(self, templates: Path) -> None:
        self._templates = templates
        self._known: dict[str, tuple[tuple[int, ...] | None, Published | None]] = {}
        self._lock = threading.Lock()

    def get(self, slug: str) -> Published | None:
        """Return a course's published files and exercises; None, with a log line, on errors.

        Blocks.
        """
        path = self._templates / f"{slug}.json"
        stamp = None
        with suppress(OSError):
            about = path.stat()
            stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
        with self._lock:
            known = self._known.get(slug)
        if known is not None and known[0] == stamp:
            return known[1]
        found = self._read(path)
        with self._lock:
            self._known[slug] = (stamp, found)
        return found

    @staticmethod
    def _read(path: Path) -> Published | None:
        try:
            data = read_json(path)
            if data is None:
                log.warning("%s is not there yet: run the playbook, which publishes courses", path)
                return None
            if data.get("version") != VERSION:
                raise ValueError("it is of another version")
            course = declared_exercises(data)
            return Published(
                commit=str(data["commit"]),
                files=tuple(str(one) for one in data["files"]),
                exercises=tuple(
                    NamedExercise(one.id, one.title.model_dump())
                    for one in (course.exercises if course else ())
                ),
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("%s cannot be used: %s", path, str(error)[:300])
            return None
