"""The toolbar's TypeScript and the packages it is checked with, in a folder of the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

from world import npm, paths
from world.images import CACHES, lock

SOURCES = paths.ROOT / "files/toolbar"
FOLDER = paths.CACHE / "toolbar"
BUILT = ("lib", "labextension", npm.PACKAGES, *CACHES)


def packages() -> Path:
    """Install the packages unless they are there; return their folder."""
    with lock("toolbar"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, FOLDER / name)
        npm.ensure(FOLDER, "the toolbar")
    return FOLDER / npm.PACKAGES


def ensure() -> Path:
    """Copy the sources beside their packages, installed anew when their lock file changes.

    Returns the folder. `files/toolbar` itself stays as a checkout leaves it.
    """
    with lock("toolbar"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        for entry in FOLDER.iterdir():
            if entry.name != npm.PACKAGES:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        ignored = shutil.ignore_patterns(*BUILT)
        shutil.copytree(SOURCES, FOLDER, ignore=ignored, dirs_exist_ok=True)
        npm.ensure(FOLDER, "the toolbar")
    return FOLDER
