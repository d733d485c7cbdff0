"""JavaScript packages that a lock file pins, in a folder of the cache."""

from __future__ import annotations

import os
from pathlib import Path

from world.images import digest
from world.run import say, stream

PACKAGES = "node_modules"


def ensure(folder: Path, what: str, *options: str) -> None:
    """Install what the folder's lock file pins, unless it is there. Callers hold a lock.

    Args:
        folder: has package.json and package-lock.json.
        what: whose packages they are, for people.
        options: more for `npm ci`.
    """
    wanted = digest(folder / "package-lock.json")
    stamp = folder / PACKAGES / ".lock"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"==> JavaScript packages of {what}: npm ci (at most about a minute)")
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", *options]
    stream("npm ci", command, cwd=folder, env=trust())
    stamp.write_text(wanted)


def trust() -> dict[str, str]:
    """Let npm trust what the machine trusts: behind an inspecting proxy its list is not enough."""
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    if os.environ.get("NODE_EXTRA_CA_CERTS") or not system.exists():
        return {}
    return {"NODE_EXTRA_CA_CERTS": str(system)}
