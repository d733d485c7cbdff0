"""What a learner's container may write to: its home, and a little memory."""

from __future__ import annotations

from typing import Any

from atelier.config.models import Course, Spawner
from atelier.homes.client import Opened
from atelier.homes.owners import GROUP

HOME = "/home/learner"
VAR_TMP_MB = 32


def host_limits(course: Course, settings: Spawner) -> dict[str, Any]:
    """What Docker holds a learner's container to.

    Nothing of its root can be written, and what is temporary counts as its memory: the disk is
    reached through the home alone.
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
    """A bind of the engine's: unlike a volume's, it refuses a folder that is not there."""
    if opened.path is None:
        return []
    return [{"type": "bind", "source": opened.path, "target": HOME}]


def container_user(opened: Opened) -> dict[str, Any]:
    """Whom the engine starts the server as: the user that the home belongs to."""
    return {} if opened.user is None else {"user": f"{opened.user}:{GROUP}"}
