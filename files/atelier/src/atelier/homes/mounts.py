"""Mounts and unmounts; the state is read from the kernel, as return codes are not reliable."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from atelier.homes import HomeError

MOUNTS = Path("/proc/self/mountinfo")
COMMAND_SECONDS = 600
"""Timeout of a command."""


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo (proc_pid_mountinfo(5))."""

    place: str
    kind: str
    source: str
    shared: bool


def mounts(text: str) -> list[Mount]:
    """Parse mountinfo; later mounts cover earlier ones at the same place."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, what = before.split(" "), after.split(" ")
        place = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
        shared = any(field.startswith("shared:") for field in fields[6:])
        found.append(Mount(place, what[0], what[1], shared))
    return found


def mounted(place: Path) -> bool:
    """Return whether a file system is mounted at a place."""
    return any(one.place == str(place) for one in mounts(MOUNTS.read_text()))


def mounted_below(folder: Path) -> list[Path]:
    """Return the mount points in a folder."""
    found = {Path(one.place) for one in mounts(MOUNTS.read_text())}
    return [place for place in found if place.parent == folder]


def is_shared(place: Path) -> bool:
    """Return whether mounts below a place propagate to namespaces created from this one."""
    over = [one for one in mounts(MOUNTS.read_text()) if place.is_relative_to(one.place)]
    return max(over, key=lambda one: len(one.place)).shared


def run(*command: str | Path, ok: tuple[int, ...] = (0,)) -> str:
    """Run a program and return its standard output.

    Raises:
        HomeError: ``failed``, with the program's error message.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, checked names, no shell
            words, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HomeError("failed", f"{words[0]}: {error}") from None
    if done.returncode not in ok:
        said = (done.stderr or done.stdout).strip()
        raise HomeError("failed", f"{' '.join(words)}: {done.returncode}: {said[-2000:]}")
    return done.stdout


def share(folder: Path) -> None:
    """Make mounts and unmounts below a folder propagate to the engine and to systemd units.

    If the folder is on a private mount, as on a server that is itself a container, a unit that
    starts would keep a home mounted for as long as the unit runs.
    """
    if is_shared(folder):
        return
    run("mount", "--bind", folder, folder)
    run("mount", "--make-shared", folder)


def mount_image(image: Path, place: Path) -> None:
    """Mount an image; the kernel frees the loop device when nothing uses it any more.

    Raises:
        HomeError: ``failed``: mount failed, or the kernel does not list the mount.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    run("mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime,discard", image, place)
    if not mounted(place):
        raise HomeError("failed", f"{image}: not mounted, whatever mount says")


def unmount(place: Path) -> None:
    """Unmount all file systems at a place, if any.

    Raises:
        HomeError: ``failed``: one is in use.
    """
    while mounted(place):
        run("umount", place)


def detach(place: Path) -> None:
    """Unmount the file systems at a place even if a process, such as one just killed, uses them.

    They disappear from the place at once, and from the kernel with their last user (umount2(2),
    ``MNT_DETACH``): use this only for file systems that are no longer needed.

    Raises:
        HomeError: ``failed``.
    """
    while mounted(place):
        run("umount", "--lazy", place)


def attached(image: Path) -> bool:
    """Return whether a loop device still uses the image, for example of a running container."""
    return bool(run("losetup", "--noheadings", "--output", "NAME", "--associated", image).strip())
