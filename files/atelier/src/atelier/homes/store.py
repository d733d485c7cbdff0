"""Homes as ext4 images: one sparse file each, mounted while the learner's server runs.

The file system is the limit: nothing that its owner does in it reaches another home. A project
quota would not be one for learners' containers: outside user name spaces, Linux lets a file's owner
take it out of its project (ioctl ``FS_IOC_FSSETXATTR``; ``fileattr_set_prepare`` in the kernel).
"""

from __future__ import annotations

import logging
import os
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

from atelier.homes import Home, HomeError, Limits, owners
from atelier.homes.copying import copy, needed
from atelier.homes.mounts import (
    attached,
    detach,
    mount_image,
    mounted,
    mounted_below,
    run,
    share,
    unmount,
)
from atelier.homes.usage import Usage, usage

log = logging.getLogger(__name__)

Mode = Literal["auto", "image", "none"]
BLOCK = 4096
INODE = 256
JOURNAL_MIB = 8
KEPT_FREE = 1024**3
"""No home is made on a disk that would have less left: those that are there come first."""
HOME = "home"
"""The learner's folder in the image. Its absence tells the engine that nothing is mounted."""


class Store:
    """The homes below one folder.

    Args:
        root: the folder; only root sees into it.
        volumes: where the engine keeps its volumes, in which homes were before.
        mode: ``none`` leaves homes that are in volumes there, without a limit.
    """

    def __init__(self, root: Path, volumes: Path, mode: Mode = "auto") -> None:
        self._images, self._mounts, self._making = (
            root.resolve() / name for name in ("images", "mounts", "making")
        )
        self._volumes = volumes
        self._mode = mode
        self._choosing = threading.Lock()
        self._chosen: set[int] = set()
        """Numbers of servers whose homes are being mounted."""

    def prepare(self) -> None:
        """Make the folders; once, at the start of the service.

        Raises:
            HomeError: ``failed``.
        """
        for folder in (self._images.parent, self._images, self._mounts, self._making):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        share(self._mounts)

    def image(self, home: Home) -> Path:
        """The file that is the home."""
        return self._images / f"{home}.img"

    def place(self, home: Home) -> Path:
        """Where it is mounted."""
        return self._mounts / str(home)

    def volume(self, home: Home) -> Path:
        """Where the home was, or what a new one begins with."""
        return self._volumes / home.volume / "_data"

    def open(self, home: Home, limits: Limits) -> Path | None:
        """Have a home ready for a container that is about to be made.

        Returns the folder to mount in it; None: the home is the engine's volume.

        Raises:
            HomeError: ``missing``: there is no home yet, and no volume to make it from. ``failed``.
        """
        image, place = self.image(home), self.place(home)
        if not image.exists():
            if self._mode == "none":
                return None
            if not self.volume(home).is_dir():
                raise HomeError("missing", f"{home}: no volume {home.volume}")
            self._make(home, limits)
        if mounted(place):  # the hub was away when the server stopped
            try:
                unmount(place)
            except HomeError as error:
                log.warning("%s: stays as it is mounted: %s", home, error)
                return place / HOME
        if not attached(image):
            self._grow(home, limits)
        mount_image(image, place)
        self._give(home)
        return place / HOME

    def owner(self, home: Home) -> int | None:
        """The user that a home is mounted for; None: the one on the disk, as images have it.

        Raises:
            HomeError: ``failed``.
        """
        try:
            return owners.owner(self.place(home) / HOME)
        except OSError as error:
            raise HomeError("failed", f"{home}: {error}") from error

    def left(self, home: Home) -> bool:
        """Whether the volume that a home was in is still there, and no longer needed."""
        return self.image(home).exists() and self._volumes.joinpath(home.volume).exists()

    def close(self, home: Home) -> None:
        """Unmount a home that no container is made with any more.

        Raises:
            HomeError: ``failed``.
        """
        unmount(self.place(home))

    def report(self, home: Home) -> Usage | None:
        """How full a home is; None for one that has no limit.

        Raises:
            HomeError: ``failed``.
        """
        image, place = self.image(home), self.place(home)
        if not image.exists():
            return None
        closed = not mounted(place)
        if closed:
            mount_image(image, place)
        try:
            return usage(place / HOME)
        except OSError as error:
            raise HomeError("failed", f"{home}: {error}") from error
        finally:
            if closed:
                unmount(place)

    def _give(self, home: Home) -> None:
        """Have a home belong to a user number that no other server has.

        Where the kernel cannot, the server shares number 1000 with others of the kind: it runs.
        """
        place, number = self.place(home), None
        try:
            number = self._choose()
            owners.give(place, number)
        except HomeError as error:
            log.warning("%s: its server has no user number of its own: %s", home, error)
            if not mounted(place):
                mount_image(self.image(home), place)
        finally:
            self._chosen.discard(number or 0)

    def _choose(self) -> int:
        """Take a number that no home which is mounted has.

        Raises:
            HomeError: ``failed``: there is none.
        """
        with self._choosing:
            taken = set(self._chosen)
            for place in mounted_below(self._mounts):
                with suppress(OSError):  # a home that is being unmounted
                    taken.add(owners.owner(place / HOME) or 0)
            number = next((one for one in owners.NUMBERS if one not in taken), None)
            if number is None:
                raise HomeError("failed", f"all {len(owners.NUMBERS)} are taken")
            self._chosen.add(number)
            return number

    def _make(self, home: Home, limits: Limits) -> None:
        """Make a home's image from its volume: under another name until it is whole."""
        partial = self._partial(home)
        place, source = self._making / str(home), self.volume(home)
        detach(place)  # a move that was killed may not have ended yet
        partial.unlink(missing_ok=True)
        taken, limits = needed(source, limits)
        self._require_room(taken)
        make_image(partial, limits)
        mount_image(partial, place)
        try:
            (place / "lost+found").rmdir()
            copy(source, place / HOME)
        except BaseException:
            detach(place)
            partial.unlink(missing_ok=True)
            raise
        unmount(place)
        self._put_in_place(home)
        place.rmdir()
        log.info("%s: moved from the volume %s", home, home.volume)

    def _require_room(self, taken: int) -> None:
        seen = os.statvfs(self._images)
        free = seen.f_bavail * seen.f_frsize
        if free - taken < KEPT_FREE:
            told = f"{free // 1024**2} MiB are free in {self._images}: make room or add a disk"
            raise HomeError("failed", f"no room: only {told}")

    def _grow(self, home: Home, limits: Limits) -> None:
        """Make an image as large as its course now says; it is never made smaller.

        A copy of it is, which takes its place when it is whole: resize2fs(8) that is killed leaves
        an image that nothing mounts. What goes wrong costs the space, not the start.
        """
        image, wanted, partial = self.image(home), image_bytes(limits), self._partial(home)
        partial.unlink(missing_ok=True)  # of a service that was killed
        if file_system_bytes(image) >= wanted:
            return
        try:
            self._require_room(image.stat().st_blocks * 512)
            run("cp", "--archive", "--sparse=always", image, partial)
            run("e2fsck", "-f", "-p", partial, ok=(0, 1))
            os.truncate(partial, wanted)
            run("resize2fs", partial)
        except HomeError as error:
            partial.unlink(missing_ok=True)
            log.warning("%s: keeps the size it has: %s", home, error)
            return
        self._put_in_place(home)
        log.info("%s: now of %d bytes", image.name, wanted)

    def _partial(self, home: Home) -> Path:
        """What is to become an image."""
        return self._images / f"{home}.partial"

    def _put_in_place(self, home: Home) -> None:
        """Have what is whole be the home, whatever happens to the machine."""
        _to_disk(self._partial(home))
        self._partial(home).rename(self.image(home))
        _to_disk(self._images)


def image_bytes(limits: Limits) -> int:
    """Size of an image in which a learner has at least the space they may use."""
    own = limits.inodes * INODE + JOURNAL_MIB * 1024**2 + 8 * 1024**2 + limits.space // 64
    return -(-(limits.space + own) // BLOCK) * BLOCK


def make_image(path: Path, limits: Limits) -> None:
    """Make an empty file system in a sparse file; nothing of it is root's.

    Raises:
        HomeError: ``failed``.
    """
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.truncate(image_bytes(limits))
    run(
        "mkfs.ext4", "-q", "-F", "-b", str(BLOCK), "-m", "0", "-I", str(INODE),
        "-N", str(limits.inodes), "-J", f"size={JOURNAL_MIB}",
        "-E", "lazy_itable_init=1,nodiscard", path,
    )  # fmt: skip


def file_system_bytes(image: Path) -> int:
    """Size of the ext4 in an image, from its superblock (Documentation/filesystems/ext4/super)."""
    with image.open("rb") as file:
        file.seek(1024)
        block = file.read(1024)
    low, log_size, high = (struct.unpack_from("<I", block, at)[0] for at in (0x4, 0x18, 0x150))
    return int((high << 32) + low) * int(1024 << log_size)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
