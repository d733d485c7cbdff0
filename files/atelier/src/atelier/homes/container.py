"""Options of a learner's container: it may write to its home and to a little memory only."""

from __future__ import annotations

from typing import Any

from atelier.config.models import Course, Spawner
from atelier.homes.client import Opened
from atelier.homes.owners import GROUP

HOME = "/home/learner"
VAR_TMP_MB = 32


def host_limits(course: Course, settings: Spawner) -> dict[str, Any]:
    """Return the limits of a learner's container for Docker.

    The root file system is read-only and temporary files count as memory, so that only the home
    uses disk space.
    """
    temporary = "rw,exec,nosuid,nodev,mode=1777,nr_inodes=65536,size={}m"
    return {
        "read_only": True,
        "tmpfs": {
            "/tmp": temporary.format(settings.tmp_mb),  # noqa: S108 (the container's)
            "/var/tmp": temporary.format(VAR_TMP_MB),  # noqa: S108
        },
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": course.pids,
    }


def home_mounts(opened: Opened) -> list[dict[str, Any]]:
    """Return a bind mount of the home. Unlike a volume, it fails if the folder is missing."""
    if opened.path is None:
        return []
    return [{"type": "bind", "source": opened.path, "target": HOME}]


def container_user(opened: Opened) -> dict[str, Any]:
    """Return the user of the container, who is the owner of the home."""
    return {} if opened.user is None else {"user": f"{opened.user}:{GROUP}"}
