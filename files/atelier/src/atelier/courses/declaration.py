"""What a course has published, as ``publish`` writes it beside the mirror and the hub reads it.

``<slug>.json`` in the folder of the mirrors holds the published commit, its files and the exercises
that it declares, all checked. It is replaced in one move.
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
"""Longer paths are no destination of a link."""
MAX_PATHS_BYTES = 1024 * 1024
MAX_EXERCISES_BYTES = 2 * 1024 * 1024
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class NamedExercise:
    """An exercise as a list shows it."""

    id: str
    title: dict[str, str]
    """By language."""


@dataclass(frozen=True)
class Published:
    """What the hub shows of a course."""

    commit: str
    files: tuple[str, ...]
    exercises: tuple[NamedExercise, ...]


def shown_files(paths: Iterable[str]) -> list[str]:
    """The files that a link may be made to, in alphabetical order.

    Files and folders whose name begins with a dot are left out, and what is beyond
    :data:`MAX_FILES` or :data:`MAX_PATHS_BYTES`.
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
    """Whether a declaration is small enough to be published. YAML's aliases make much of little."""
    size = 0
    # Without json mode the texts are shared, not copied; the first too many ends it.
    data = course.model_dump(exclude_defaults=True)
    for piece in json.JSONEncoder(default=_encoded).iterencode(data):
        size += len(piece)
        if size > MAX_EXERCISES_BYTES:
            return False
    return True


def describe(
    slug: str, commit: str, paths: Iterable[str], course: CourseExercises | None
) -> dict[str, Any]:
    """What is written for a published commit."""
    declared = course.model_dump(mode="json", exclude_defaults=True) if course else None
    return {
        "version": VERSION,
        "course": slug,
        "commit": commit,
        "files": shown_files(paths),
        "declared": declared,
    }


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Replace a file in one move, readable for everybody."""
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
    """Remove what a killed :func:`write_json` left."""
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink(missing_ok=True)


def read_json(path: Path, most: int = MAX_BYTES) -> dict[str, Any] | None:
    """Read a file that :func:`write_json` wrote; None when there is none.

    Raises:
        ValueError: it is too large, or no JSON object.
        OSError: it cannot be read.
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
    """The declaration in what :func:`describe` made; None when the course declares nothing.

    Raises:
        ValueError: it is not one.
    """
    declared = data.get("declared")
    return None if declared is None else CourseExercises.model_validate(declared)


class PublishedCourses:
    """Reads what the courses have published, each file once until it is replaced.

    Args:
        templates: the folder of the mirrors.
    """

    def __init__(self, templates: Path) -> None:
        self._templates = templates
        self._known: dict[str, tuple[tuple[int, ...] | None, Published | None]] = {}
        self._lock = threading.Lock()

    def get(self, slug: str) -> Published | None:
        """What a course has published; None when nothing, which the log says. Blocks."""
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
                    NamedExercise(one.id, {"fr": one.title.fr, "en": one.title.en})
                    for one in (course.exercises if course else ())
                ),
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("%s cannot be used: %s", path, str(error)[:300])
            return None
