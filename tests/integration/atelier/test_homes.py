"""Learners' homes as images: real file systems, what ends where, what a killed move leaves.

With the hub and in containers: test_container.py.
"""

from __future__ import annotations

import errno
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from atelier.homes import Home, HomeError, Limits, owners, store
from atelier.homes.mounts import MOUNTS, mounted, mounts, unmount
from kit.container_site import undo_mounts
from kit.site import SOURCE

MIB = 1024**2
SPACE = 64
LIMITS = Limits(SPACE * MIB, 5000)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[store.Store]:
    """Homes in a folder of the test."""
    made = store.Store(tmp_path / "homes", tmp_path / "volumes")
    made.prepare()
    yield made
    undo_mounts(tmp_path / "homes")


def new_home() -> Home:
    """A home that no other test has."""
    return Home("u" + "".join(secrets.choice("abc234") for _ in range(16)), "demo")


@pytest.fixture
def home() -> Home:
    return new_home()


def fill_volume(homes: store.Store, home: Home, *, megabytes: int = 1) -> Path:
    """Make the volume of an earlier version, with all that a home can hold."""
    volume = homes.volume(home)
    (volume / "demo/.git").mkdir(parents=True)
    (volume / "demo/note.md").write_text("mine")
    (volume / "demo/locked").write_text("")
    (volume / "demo/locked").chmod(0o400)
    (volume / "demo/group").mkdir(mode=0o775)
    (volume / "demo/group").chmod(0o2775)
    (volume / "link").symlink_to("demo/note.md")
    os.link(volume / "demo/note.md", volume / "hard")
    os.mkfifo(volume / "pipe")
    with (volume / "sparse").open("wb") as file:
        file.truncate(30 * MIB)
    (volume / "big").write_bytes(os.urandom(megabytes * MIB))
    os.setxattr(volume / "big", "user.note", b"kept")
    for path in (volume, *volume.rglob("*")):
        os.chown(path, 1000, 1000, follow_symlinks=False)
    (volume / "demo/group").chmod(0o2775)
    return volume


def test_a_home_moves_out_of_its_volume_as_it_is(homes: store.Store, home: Home) -> None:
    fill_volume(homes, home)
    path = homes.open(home, LIMITS)
    assert path is not None
    assert sorted(entry.name for entry in path.iterdir()) == [
        "big", "demo", "hard", "link", "pipe", "sparse",
    ]  # fmt: skip
    assert (path / "demo/note.md").read_text() == "mine"
    assert (path / "hard").samefile(path / "demo/note.md")
    assert (path / "demo/group").stat().st_mode & 0o7777 == 0o2775
    assert (path / "demo/locked").stat().st_mode & 0o7777 == 0o400
    assert os.getxattr(path / "big", "user.note") == b"kept"
    assert (path / "sparse").stat().st_blocks == 0
    assert {one.lstat().st_uid for one in (path, *path.rglob("*"))} == {homes.owner(home)}
    assert {one.lstat().st_gid for one in (path, *path.rglob("*"))} == {1000}
    assert homes.has_former_volume(home), "the volume is kept for the hub to remove"


def test_a_home_larger_than_its_limit_moves_and_opens(homes: store.Store, home: Home) -> None:
    volume = fill_volume(homes, home, megabytes=SPACE + 40)
    path = homes.open(home, LIMITS)
    assert path is not None
    assert (path / "big").read_bytes() == (volume / "big").read_bytes()
    homes.close(home)
    assert homes.open(home, LIMITS) == path


def fill(path: Path) -> int:
    """Write a file until there is no room; return its bytes."""
    written = 0
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                written += file.write(b"x" * MIB)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    return written


def fill_with_files(folder: Path) -> int:
    """Make files until there is no room; return their number."""
    made = 0
    try:
        while True:
            (folder / f"f{made}").touch()
            made += 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    return made


def test_bytes_and_files_end_where_the_course_says(homes: store.Store, home: Home) -> None:
    homes.volume(home).mkdir(parents=True)
    path = homes.open(home, LIMITS)
    assert path is not None
    written = fill(path / "data")
    assert SPACE <= written // MIB <= SPACE + 20
    report = homes.report(home)
    assert report is not None
    assert report.full
    assert report.largest[0][0] == "data"
    (path / "data").unlink()
    made = fill_with_files(path)
    assert 4900 <= made <= 5100
    report = homes.report(home)
    assert report is not None
    assert report.full_of_files
    homes.close(home)
    assert homes.report(home) == report, "a closed home is measured too"
    assert not mounted(homes.place(home))


def test_a_larger_space_comes_with_the_next_start(homes: store.Store, home: Home) -> None:
    homes.volume(home).mkdir(parents=True)
    path = homes.open(home, LIMITS)
    assert path is not None
    (path / "kept").write_text("kept")
    more = Limits(4 * LIMITS.space, 5000)
    assert homes.open(home, more) == path, "though nobody has closed it"
    seen = os.statvfs(path)
    assert seen.f_blocks * seen.f_frsize >= more.space
    assert (path / "kept").read_text() == "kept"
    homes.open(home, LIMITS)
    assert os.statvfs(path).f_blocks == seen.f_blocks, "never smaller"


@pytest.mark.parametrize("program", ["cp", "e2fsck", "resize2fs"])
def test_a_growth_that_is_killed_leaves_the_home_as_it_was(
    homes: store.Store, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    path = open_new(homes, home)
    (path / "kept").write_text("kept")
    homes.close(home)
    stub = tmp_path / "bin" / program
    stub.parent.mkdir()
    spoil = 'for last; do :; done; head -c 1M /dev/zero | dd of="$last" conv=notrunc status=none'
    stub.write_text(f"#!/bin/sh\n{spoil}\nkill -9 $$\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stub.parent}:{os.environ['PATH']}")
    more = Limits(4 * LIMITS.space, 5000)
    assert homes.open(home, more) == path
    assert (path / "kept").read_text() == "kept"
    homes.close(home)
    monkeypatch.undo()
    homes.open(home, more)
    assert (path / "kept").read_text() == "kept"
    seen = os.statvfs(path)
    assert seen.f_blocks * seen.f_frsize >= more.space, "the next start makes it larger"
    assert [one.name for one in homes.image(home).parent.iterdir()] == [f"{home}.img"]


def test_a_home_that_somebody_looks_into_opens(homes: store.Store, home: Home) -> None:
    homes.volume(home).mkdir(parents=True)
    path = homes.open(home, LIMITS)
    assert path is not None
    with (path / "held").open("w"):
        assert homes.open(home, Limits(2 * LIMITS.space, 5000)) == path
    assert mounted(homes.place(home))


def open_new(homes: store.Store, home: Home) -> Path:
    """Open a home that begins empty."""
    homes.volume(home).mkdir(parents=True)
    os.chown(homes.volume(home), 1000, 1000)
    path = homes.open(home, LIMITS)
    assert path is not None
    return path


def test_no_two_open_homes_have_one_user(homes: store.Store, tmp_path: Path) -> None:
    three = [new_home() for _ in range(3)]
    for one in three[:2]:
        open_new(homes, one)
    again = store.Store(tmp_path / "homes", tmp_path / "volumes")  # the service was restarted
    open_new(again, three[2])
    numbers = [again.owner(one) for one in three]
    assert numbers == [owners.FIRST, owners.FIRST + 1, owners.FIRST + 2]
    again.close(three[0])
    assert again.open(three[0], LIMITS)
    assert again.owner(three[0]) == owners.FIRST, "a number that is free again is taken again"


def test_homes_that_open_at_once_have_each_a_user(homes: store.Store) -> None:
    many = [new_home() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: open_new(homes, one), many))
    assert len({homes.owner(one) for one in many}) == 8


def test_on_the_disk_a_home_belongs_to_the_image_s_user(
    homes: store.Store, home: Home, tmp_path: Path
) -> None:
    path = open_new(homes, home)
    number = homes.owner(home)
    write = "echo mine > note && mkdir -m 700 own && stat -c %u note"
    done = subprocess.run(
        ["setpriv", "--reuid", str(number), "--regid=1000", "--clear-groups", "sh", "-c", write],
        capture_output=True, text=True, check=False, cwd=path,
    )  # fmt: skip
    assert done.stdout == f"{number}\n", done.stderr
    kinds = [one.kind for one in mounts(MOUNTS.read_text()) if one.place == str(path.parent)]
    assert kinds == ["ext4"], "one mount lies there, and none below it"
    homes.close(home)
    assert not mounted(homes.place(home))
    plain = tmp_path / "plain"
    store.mount_image(homes.image(home), plain)
    try:
        assert {one.stat().st_uid for one in (plain / "home").rglob("*")} == {1000}
        assert (plain / "home/note").read_text() == "mine\n"
    finally:
        unmount(plain)


def test_a_home_that_a_server_of_the_version_before_uses_stays_as_it_is(
    homes: store.Store, home: Home
) -> None:
    path = open_new(homes, home)
    homes.close(home)
    store.mount_image(homes.image(home), homes.place(home))
    with (path / "held").open("w"):
        assert homes.open(home, LIMITS) == path
        assert homes.owner(home) is None
    homes.open(home, LIMITS)
    assert homes.owner(home) == owners.FIRST, "the next start brings the number"


@pytest.mark.parametrize("step", ["_namespace", "_call", "run", "second"])
def test_a_kernel_that_gives_no_user_of_its_own_starts_servers_all_the_same(
    homes: store.Store, home: Home, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    calls = owners._call

    def refuse(*arguments: object) -> int:
        if step == "second" and arguments[0] != owners._MOVE_MOUNT:
            return calls(*arguments)  # type: ignore[arg-type]
        raise HomeError("failed", "not permitted")

    monkeypatch.setattr(owners, "_call" if step == "second" else step, refuse)
    path = open_new(homes, home)
    assert homes.owner(home) is None
    assert path.stat().st_uid == 1000
    homes.close(home)
    assert not mounted(homes.place(home))
    monkeypatch.undo()
    homes.open(home, LIMITS)
    assert homes.owner(home) == owners.FIRST


def test_when_all_users_are_taken_servers_start_all_the_same(
    homes: store.Store, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "NUMBERS", owners.NUMBERS[:1])
    open_new(homes, home)
    other = new_home()
    open_new(homes, other)
    assert (homes.owner(home), homes.owner(other)) == (owners.FIRST, None)


def test_space_that_is_freed_goes_back_to_the_disk(homes: store.Store, home: Home) -> None:
    homes.volume(home).mkdir(parents=True)
    path = homes.open(home, LIMITS)
    assert path is not None
    (path / "data").write_bytes(os.urandom(30 * MIB))
    os.sync()
    taken = homes.image(home).stat().st_blocks * 512
    (path / "data").unlink()
    homes.close(home)
    assert homes.image(home).stat().st_blocks * 512 < taken - 20 * MIB


def test_a_disk_that_is_nearly_full_gets_no_new_home(
    homes: store.Store, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_volume(homes, home)
    monkeypatch.setattr(store, "KEPT_FREE", 2**60)
    with pytest.raises(HomeError, match="MiB are free in"):
        homes.open(home, LIMITS)
    assert not list(homes.image(home).parent.iterdir())
    monkeypatch.undo()
    assert homes.open(home, LIMITS) is not None
    monkeypatch.setattr(store, "KEPT_FREE", 2**60)
    assert homes.open(home, LIMITS) is not None, "one that is there opens all the same"


def test_nothing_to_begin_with_is_missing_and_none_stays_a_volume(
    homes: store.Store, home: Home, tmp_path: Path
) -> None:
    with pytest.raises(HomeError) as missing:
        homes.open(home, LIMITS)
    assert missing.value.code == "missing"
    unlimited = store.Store(tmp_path / "homes", tmp_path / "volumes", "none")
    assert unlimited.open(home, LIMITS) is None
    homes.volume(home).mkdir(parents=True)
    assert unlimited.open(home, LIMITS) is None
    assert unlimited.report(home) is None
    path = homes.open(home, LIMITS)
    assert unlimited.open(home, LIMITS) == path, "what is an image stays one"


MOVE = """
import os, signal, subprocess, sys
from pathlib import Path
from atelier.homes import Home, Limits, copying, mounts, store

folder, learner, moment, left = *sys.argv[1:4], int(sys.argv[4])
really_run = mounts.run

def run(*command, **options):
    global left
    if left == 0:
        if moment == "during":
            subprocess.Popen([str(word) for word in command])
        os.killpg(0, signal.SIGKILL)
    left -= 1
    return really_run(*command, **options)

for module in (copying, mounts, store):
    module.run = run
homes = store.Store(Path(folder) / "homes", Path(folder) / "volumes")
homes.open(Home(learner, "demo"), Limits(64 * 1024**2, 5000))
"""
COMMANDS = 5
"""That a move needs at least: make, mount, copy, write out, unmount."""


@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_move_that_is_killed_loses_nothing(
    homes: store.Store, home: Home, tmp_path: Path, moment: str
) -> None:
    """Killed at each of its commands, one after the other; each time the volume is whole."""
    volume = fill_volume(homes, home, megabytes=10)
    before = {str(one.relative_to(volume)) for one in volume.rglob("*")}
    for kills in range(20):
        mover = subprocess.run(
            [sys.executable, "-c", MOVE, str(tmp_path), home.learner, moment, str(kills)],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            start_new_session=True,
            check=False,
        )
        if mover.returncode == 0:
            break
        assert mover.returncode == -signal.SIGKILL
        assert {str(one.relative_to(volume)) for one in volume.rglob("*")} == before
    assert kills >= COMMANDS
    path = homes.open(home, LIMITS)
    assert path is not None
    assert {str(one.relative_to(path)) for one in path.rglob("*")} == before
    assert (path / "big").read_bytes() == (volume / "big").read_bytes()
    assert not list((tmp_path / "homes/images").glob("*.partial"))


def test_a_killed_copy_that_has_not_ended_yet_does_not_stop_the_next_move(
    homes: store.Store, home: Home, tmp_path: Path
) -> None:
    volume = fill_volume(homes, home)
    left = tmp_path / "homes/making" / str(home)
    left.mkdir(parents=True)
    store.make_image(tmp_path / "left.img", LIMITS)
    store.mount_image(tmp_path / "left.img", left)
    with (left / "half").open("w"):
        path = homes.open(home, LIMITS)
    assert path is not None
    assert (path / "demo/note.md").read_text() == (volume / "demo/note.md").read_text()
