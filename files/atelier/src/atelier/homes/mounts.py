"""What is mounted where, as the kernel says it: a command's return code is no proof."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from atelier.homes import HomeError

MOUNTS = Path("/proc/self/mountinfo")
COMMAND_SECONDS = 600
"""A command that takes longer than that is given up."""


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo (proc_pid_mountinfo(5))."""

    place: str
    kind: str
    source: str
    shared: bool


def mounts(text: str) -> list[Mount]:
    """Read mountinfo; later lines lie over earlier ones of the same place."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, what = before.split(" "), after.split(" ")
        place = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
        shared = any(field.startswith("shared:") for field in fields[6:])
        found.append(Mount(place, what[0], what[1], shared))
    return found


def mounted(place: Path) -> bool:
    """Whether something is mounted at a place."""
    return any(one.place == str(place) for one in mounts(MOUNTS.read_text()))


def mounted_below(folder: Path) -> list[Path]:
    """Where something is mounted in a folder."""
    found = {Path(one.place) for one in mounts(MOUNTS.read_text())}
    return [place for place in found if place.parent == folder]


def is_shared(place: Path) -> bool:
    """Whether what is mounted below a place appears in the name spaces made from this one."""
    over = [one for one in mounts(MOUNTS.read_text()) if place.is_relative_to(one.place)]
    return max(over, key=lambda one: len(one.place)).shared


def run(*command: str | Path, ok: tuple[int, ...] = (0,)) -> str:
    """Run a program and return what it said.

    Raises:
        HomeError: ``failed``, with its own words.
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
    """Have what is mounted below a folder, and what is unmounted, seen by the engine and units.

    Where the folder lies on a mount that is private, as in a container that is a server, a unit
    that starts would keep a home mounted for as long as it runs.
    """
    if is_shared(folder):
        return
    run("mount", "--bind", folder, folder)
    run("mount", "--make-shared", folder)


def mount_image(image: Path, place: Path) -> None:
    """Mount an image; the loop device is freed by the kernel when nothing uses it any more.

    Raises:
        HomeError: ``failed``: it cannot be, or the kernel does not show it.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    run("mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime,discard", image, place)
    if not mounted(place):
        raise HomeError("failed", f"{image}: not mounted, whatever mount says")


def unmount(place: Path) -> None:
    """Unmount what is at a place, all of it; nothing is an answer too.

    Raises:
        HomeError: ``failed``: it is in use.
    """
    while mounted(place):
        run("umount", place)


def detach(place: Path) -> None:
    """Unmount what is at a place even where something still uses it, such as a program just killed.

    It is gone from the place at once, and from the kernel with its last user (umount2(2),
    ``MNT_DETACH``): only for what nobody needs any more.

    Raises:
        HomeError: ``failed``.
    """
    while mounted(place):
        run("umount", "--lazy", place)


def attached(image: Path) -> bool:
    """Whether a loop device still has the image, such as for a container that has not ended."""
    return bool(run("losetup", "--noheadings", "--output", "NAME", "--associated", image).strip())
