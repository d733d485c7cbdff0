"""The server's mirrors of the courses' templates: which files a course has."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

MOST_FILES = 1000
TIMEOUT_SECONDS = 5.0


async def course_files(templates: Path, slug: str) -> list[str]:
    """Paths of the files in a course's template, in alphabetical order.

    Files and folders whose name begins with a dot are left out, and so is what is beyond
    :data:`MOST_FILES`. A course without a mirror has none.

    Args:
        templates: where the mirrors are.
        slug: the course's.
    """
    mirror = templates / f"{slug}.git"
    if not mirror.is_dir():
        return []
    # The mirror is root's, who alone writes it: git is told that this is as it should be.
    command = ["git", "-c", "safe.directory=*", "--git-dir", str(mirror)]
    process = await asyncio.create_subprocess_exec(
        *command, "ls-tree", "-r", "-z", "--name-only", "HEAD",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "GIT_CONFIG_NOSYSTEM": "1"},
    )  # fmt: skip
    try:
        listed, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        log.warning("%s: git took too long to list its files", mirror)
        return []
    if process.returncode != 0:
        log.warning("%s: git cannot list its files (code %s)", mirror, process.returncode)
        return []
    paths = [one.decode("utf-8", "replace") for one in listed.split(b"\0") if one]
    shown = [path for path in paths if not any(part.startswith(".") for part in path.split("/"))]
    return sorted(shown)[:MOST_FILES]
