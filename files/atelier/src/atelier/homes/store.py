"""Homes as ext4 images: one sparse file each, mounted while the learner's server runs.

The size of the file system is the limit: its owner cannot affect another home. Project quotas would
not limit learners' containers: outside user namespaces, Linux lets a file's owner remove the file
from its project (ioctl ``FS_IOC_FSSETXATTR``; ``fileattr_set_prepare`` in the kernel).
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
"""No home is created if less free disk would remain, which existing homes need to grow."""
HOME = "home"
"""The learner's folder in the image. It is missing, so the engine refuses it, if nothing is
mounted."""


class Store:
    """The homes below one folder.

    Args:
        root: the folder, accessible to root only.
        volumes: the container engine's volumes, where earlier versions stored homes.
        mode: ``none`` leaves homes in their volumes, without a limit.
    """

    def __init__(self, root: Path, volumes: Path, mode: Mode = "auto") -> None:
        self._images, self._mounts, self._making = (
            root.resolve() / name for name in ("images", "mounts", "making")
        )
        self._volumes = volumes
        self._mode = mode
        self._choosing = threading.Lock()
        self._chosen: set[int] = set()
        """User ids of servers whose homes are being mounted."""

    def prepare(self) -> None:
        """Create the folders; called once, at the start of the service.

        Raises:
            HomeError: ``failed``.
        """
        for folder in (self._images.parent, self._images, self._mounts, self._making):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        share(self._mounts)

    def image(self, home: Home) -> Path:
        """Return the path of a home's image file."""
        return self._images / f"{home}.img"

    def place(self, home: Home) -> Path:
        """Return the mount point of a home."""
        return self._mounts / str(home)

    def volume(self, home: Home) -> Path:
        """Return the folder of the volume: an older home, or the initial files of a new one."""
        return self._volumes / home.volume / "_data"

    def open(self, home: Home, limits: Limits) -> Path | None:
        """Create and mount a home for a container that is about to be created.

        Returns the folder to mount in the container; None: the home is the engine's volume.

        Raises:
            HomeError: ``missing``: neither the home nor a volume to create it from exists.
                ``failed``.
        """
        image, place = self.image(home), self.place(home)
        if not image.exists():
            if self._mode == "none":
                return None
            if not self.volume(home).is_dir():
                raise HomeError("missing", f"{home}: no volume {home.volume}")
            self._make(home, limits)
        if mounted(place):  # the hub was down when the server stopped
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
        """Return the user id to which a home is mapped; None: the owner on disk, the image's user.

        Raises:
            HomeError: ``failed``.
        """
        try:
            return owners.owner(self.place(home) / HOME)
        except OSError as error:
            raise HomeError("failed", f"{home}: {error}") from error

    def has_former_volume(self, home: Home) -> bool:
        """Return whether the volume of a home that was moved to an image still exists."""
        return self.image(home).exists() and self._volumes.joinpath(home.volume).exists()

    def close(self, home: Home) -> None:
        """Unmount a home that no container uses any more.

        Raises:
            HomeError: ``failed``.
        """
        unmount(self.place(home))

    def report(self, home: Home) -> Usage | None:
        """Return the usage of a home; None if it has no limit.

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
        """Map a home to a user id that no other server has.

        If the kernel cannot do this, the server still runs, with user id 1000 like other such ones.
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
        """Reserve a user id that no mounted home has.

        Raises:
            HomeError: ``failed``: none is free.
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
        """Create a home's image from its volume, under a temporary name until it is complete."""
        partial = self._partial(home)
        place, source = self._making / str(home), self.volume(home)
        detach(place)  # processes of an interrupted move may still run
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
            text = f"{free // 1024**2} MiB are free in {self._images}: make room or add a disk"
            raise HomeError("failed", f"no room: only {text}")

    def _grow(self, home: Home, limits: Limits) -> None:
        """Enlarge an image to its course's present limits; it is never made smaller.

        A copy is enlarged and replaces the image when it is complete, as resize2fs(8) leaves a
        broken image when it is killed. On errors the home keeps its size, and the server starts.
        """
        image, wanted, partial = self.image(home), image_bytes(limits), self._partial(home)
        partial.unlink(missing_ok=True)  # left by a service that was killed
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
        """Return the temporary path of an image that is not complete yet."""
        return self._images / f"{home}.partial"

    def _put_in_place(self, home: Home) -> None:
        """Replace the image by the complete one (atomic rename, synced to disk)."""
        _to_disk(self._partial(home))
        self._partial(home).rename(self.image(home))
        _to_disk(self._images)


def image_bytes(limits: Limits) -> int:
    """Return the size of an image that gives a learner at least the space of the limits."""
    own = limits.inodes * INODE + JOURNAL_MIB * 1024**2 + 8 * 1024**2 + limits.space // 64
    return -(-(limits.space + own) // BLOCK) * BLOCK


def make_image(path: Path, limits: Limits) -> None:
    """Create an empty file system in a sparse file, without blocks reserved for root.

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
    """Return the size of an image's ext4 file system, as its superblock says.

    Source: Documentation/filesystems/ext4/super in the kernel.
    """
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
