"""The toolbar's TypeScript and the packages it is checked with, in a folder of the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from world import paths
from world.images import CACHES, digest, lock
from world.run import say, stream

SOURCES = paths.ROOT / "files/toolbar"
FOLDER = paths.CACHE / "toolbar"
PACKAGES = "node_modules"
BUILT = ("lib", "labextension", PACKAGES, *CACHES)


def ensure() -> Path:
    """Copy the sources beside their packages, installed anew when their lock file changes.

    Returns the folder. `files/toolbar` itself stays as a checkout leaves it.
    """
    wanted = digest(SOURCES / "package-lock.json")
    stamp = FOLDER / PACKAGES / ".lock"
    with lock("toolbar"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        for entry in FOLDER.iterdir():
            if entry.name != PACKAGES:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        ignored = shutil.ignore_patterns(*BUILT)
        shutil.copytree(SOURCES, FOLDER, ignore=ignored, dirs_exist_ok=True)
        if not (stamp.exists() and stamp.read_text() == wanted):
            say("==> JavaScript packages of the toolbar: npm ci (about a minute)")
            command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
            stream("npm ci", command, cwd=FOLDER, env=_trust())
            stamp.write_text(wanted)
    return FOLDER


def _trust() -> dict[str, str]:
    """Let npm trust what the machine trusts: behind an inspecting proxy its list is not enough."""
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    if os.environ.get("NODE_EXTRA_CA_CERTS") or not system.exists():
        return {}
    return {"NODE_EXTRA_CA_CERTS": str(system)}
