"""The server's mirrors of the courses' templates: which files and exercises a course has."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

log = logging.getLogger(__name__)

MOST_FILES = 1000
MOST_BYTES = 4 * 1024 * 1024
TIMEOUT_SECONDS = 5.0
EXERCISES_FILE = "atelier.yml"
_IDENTIFIER = re.compile(r"[a-z0-9-]{1,63}")


@dataclass(frozen=True)
class NamedExercise:
    """An exercise as a list shows it; what it is in full, the desk knows."""

    id: str
    title: dict[str, str]
    """By language, where the course gives one."""


async def _git(templates: Path, slug: str, *arguments: str) -> bytes | None:
    """What git says of a course's mirror; None when there is none, or it cannot say."""
    mirror = templates / f"{slug}.git"
    if not mirror.is_dir():
        return None
    process = await asyncio.create_subprocess_exec(
        # The mirror is root's, who alone writes it: git is told that this is as it should be.
        "git", "-c", "safe.directory=*", "--git-dir", str(mirror), *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "GIT_CONFIG_NOSYSTEM": "1"},
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        log.warning("%s: git %s took too long", mirror, arguments[0])
        return None
    if process.returncode != 0:
        log.info("%s: git %s ends with code %s", mirror, arguments[0], process.returncode)
        return None
    return said if len(said) <= MOST_BYTES else None


async def course_files(templates: Path, slug: str) -> list[str]:
    """Paths of the files in a course's template, in alphabetical order.

    Files and folders whose name begins with a dot are left out, and so is what is beyond
    :data:`MOST_FILES`. A course without a mirror has none.

    Args:
        templates: where the mirrors are.
        slug: the course's.
    """
    listed = await _git(templates, slug, "ls-tree", "-r", "-z", "--name-only", "HEAD")
    paths = [one.decode("utf-8", "replace") for one in (listed or b"").split(b"\0") if one]
    shown = [path for path in paths if not any(part.startswith(".") for part in path.split("/"))]
    return sorted(shown)[:MOST_FILES]


async def course_exercises(templates: Path, slug: str) -> list[NamedExercise]:
    """The exercises a course declares, in its order; none when its declaration is not one.

    Args:
        templates: where the mirrors are.
        slug: the course's.
    """
    text = await _git(templates, slug, "show", f"HEAD:{EXERCISES_FILE}")
    try:
        declared: Any = yaml.safe_load(text or b"")
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return []
    listed = declared.get("exercises") if isinstance(declared, dict) else None
    return [found for one in listed if (found := _named(one))] if isinstance(listed, list) else []


def _named(declared: Any) -> NamedExercise | None:
    if not isinstance(declared, dict):
        return None
    name, title = declared.get("id"), declared.get("title")
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        return None
    titles = title if isinstance(title, dict) else {}
    kept = {lang: one for lang in ("fr", "en") if isinstance(one := titles.get(lang), str)}
    return NamedExercise(name, kept)
