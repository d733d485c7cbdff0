"""Learners' homes: names, limits, copies that are compared, words for a full one, the service."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from atelier.config.models import Course, SettingsError, parse
from atelier.homes import Home, HomeError, Limits, owners, service, store
from atelier.homes.client import HomesClient, Opened
from atelier.homes.container import HOME, container_user
from atelier.homes.copying import compare, entries, needed
from atelier.homes.mounts import mounts
from atelier.homes.usage import Usage, largest_files
from atelier.homes.words import full_sentence
from kit.site import SOURCE
from world.paths import ROOT

LEARNER = "u" + "a" * 16
MIB = 1024**2
MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 22 7:3 / /srv/atelier/homes/mounts/a\\040b rw,nosuid shared:9 - ext4 /dev/loop3 rw
32 22 0:5 / /dev rw master:2 - tmpfs tmpfs rw
"""
COMPARE = """
import sys
from pathlib import Path
from atelier.homes.copying import compare
compare(*map(Path, sys.argv[1:]))
"""
COURSE = "slug: demo\ntitle: {fr: a, en: b}\ntemplate: demo/template\nimage: i\n"


@pytest.mark.parametrize(
    ("learner", "course"),
    [
        ("root", "demo"),
        (LEARNER, "../demo"),
        (LEARNER, "demo\n"),
        (LEARNER, "a" * 41),
        (LEARNER, ""),
        (f"{LEARNER}/..", "demo"),
        (LEARNER + "\n", "demo"),
        (7, "demo"),
        (LEARNER, ["demo"]),
    ],
)
def test_what_is_no_learner_and_course_is_refused(learner: Any, course: Any) -> None:
    with pytest.raises(HomeError) as refused:
        Home(learner, course)
    assert refused.value.code == "refused"


@pytest.mark.parametrize("space", [0, -1, True, "1G", None, 1.5e9, 10**30, [1]])
def test_what_is_no_limit_is_refused(space: Any) -> None:
    with pytest.raises(HomeError):
        Limits.of(space, 65536)
    with pytest.raises(HomeError):
        Limits.of(1024**3, space)


def test_a_course_says_its_space() -> None:
    assert parse(Course, COURSE, "x").space_bytes == 1024**3
    assert parse(Course, COURSE + "space: 64M\ninodes: 5000\n", "x").space_bytes == 64 * MIB
    for wrong in ("space: 1GB", "space: 63M", "space: 5T", "inodes: 4999", "inodes: 1K"):
        with pytest.raises(SettingsError, match=wrong.split(":")[0]):
            parse(Course, COURSE + wrong, "x")


def test_the_kernel_says_what_is_mounted() -> None:
    found = {one.place: one for one in mounts(MOUNTINFO)}
    assert found["/srv/atelier/homes/mounts/a b"].source == "/dev/loop3"
    assert found["/"].shared
    assert not found["/dev"].shared


def test_a_map_of_users_swaps_two_and_leaves_the_rest() -> None:
    extents = [tuple(map(int, line.split())) for line in owners.uid_map(2_000_007).splitlines()]
    assert (1000, 2_000_007, 1) in extents
    assert (2_000_007, 1000, 1) in extents
    assert [inside for inside, outside, _ in extents if inside == outside] == [0, 1001, 2_000_008]
    ends = [(inside, inside + count) for inside, _, count in extents]
    assert [0, *(end for _, end in ends)] == [*(begin for begin, _ in ends), 2**32 - 1]


def test_the_course_image_names_each_user_that_a_server_may_have() -> None:
    recipe = (ROOT / "files/course-image/Dockerfile").read_text()
    bounds = f"{owners.NUMBERS[0]} {owners.NUMBERS[-1]} >> /etc/passwd"
    assert f"'learner:x:%.0f:{owners.GROUP}::{HOME}:/bin/bash' {bounds}" in recipe


@pytest.mark.parametrize(("user", "wanted"), [(None, {}), (2_000_001, {"user": "2000001:1000"})])
def test_a_server_is_started_as_the_user_that_its_home_belongs_to(
    user: int | None, wanted: dict[str, str]
) -> None:
    assert container_user(Opened("/home", user=user)) == wanted


def test_an_image_has_room_for_all_that_is_promised() -> None:
    for limits in (Limits(64 * MIB, 5000), Limits(1024**3, 65536), Limits(1024**4, 10**7)):
        assert store.image_bytes(limits) >= limits.space + limits.inodes * 256
        assert store.image_bytes(limits) % 4096 == 0


def home(folder: Path) -> Path:
    """A folder like a learner's."""
    folder.mkdir()
    (folder / "work").mkdir()
    (folder / "work/a b.ipynb").write_text("{}")
    os.link(folder / "work/a b.ipynb", folder / "again")
    (folder / "link").symlink_to("/etc/shadow")
    os.mkfifo(folder / "pipe")
    return folder


def test_a_home_that_is_too_large_gets_what_it_takes(tmp_path: Path) -> None:
    folder = home(tmp_path / "home")
    assert needed(folder, Limits(1024**3, 65536))[1] == Limits(1024**3, 65536)
    (folder / "big").write_bytes(b"x" * 3 * MIB)
    for number in range(20):
        (folder / f"f{number}").touch()
    taken, raised = needed(folder, Limits(MIB, 10))
    assert taken >= 3 * MIB
    assert raised.space > 7 * MIB
    assert raised.inodes > 26


@pytest.mark.parametrize(
    "spoil",
    [
        lambda copy: (copy / "work/a b.ipynb").write_text("[]"),
        lambda copy: (copy / "again").chmod(0o600),
        lambda copy: (copy / "pipe").unlink(),
        lambda copy: (copy / "more").touch(),
        lambda copy: os.utime(copy / "again", (1, 1)),
        lambda copy: ((copy / "link").unlink(), (copy / "link").symlink_to("/etc/passwd")),
        lambda copy: os.link(copy / "again", copy.parent / "third"),
    ],
)
def test_a_copy_that_differs_is_found(tmp_path: Path, spoil: Any) -> None:
    first, copy = home(tmp_path / "first"), tmp_path / "copy"
    os.system(f"cp -a {first} {copy}")  # noqa: S605 (names of the test)
    compare(first, copy)
    assert len(list(entries(first))) == 6
    spoil(copy)
    with pytest.raises(HomeError, match="differs"):
        compare(first, copy)


def test_holes_of_terabytes_are_compared_at_once(tmp_path: Path) -> None:
    first, copy = home(tmp_path / "first"), tmp_path / "copy"
    with (first / "sparse").open("wb") as file:
        file.write(b"begin")
        file.seek(2**41)
        file.write(b"end")
    os.system(f"cp -a --sparse=always {first} {copy}")  # noqa: S605 (names of the test)
    # A whole read would take an hour.
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, str(first), str(copy)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    with (copy / "sparse").open("r+b") as file:
        file.seek(2**40)
        file.write(b"more")
    os.utime(copy / "sparse", ns=(0, (first / "sparse").stat().st_mtime_ns))
    with pytest.raises(HomeError, match="sparse: content"):
        compare(first, copy)


def test_the_largest_files_are_found_and_no_link_is_followed(tmp_path: Path) -> None:
    folder = home(tmp_path / "home")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "huge").write_bytes(b"x" * 4 * MIB)
    (folder / "out").symlink_to(secret)
    for name, size in (("a", 1), ("b", 3), ("c", 2), ("d", 1)):
        (folder / "work" / name).write_bytes(b"x" * size * MIB)
    (folder / "work/notebook").write_bytes(b"x" * 8192)
    assert [path for path, _ in largest_files(folder)][:2] == ["work/b", "work/c"]
    for name in ("a", "b", "c", "d"):
        (folder / "work" / name).unlink()
    assert largest_files(folder) == [], "nobody is told to delete a notebook"


def test_a_full_space_is_told_in_both_languages() -> None:
    full = Usage(1024**3, 1024**3, 10, 65536, [("data/big.csv", 700 * MIB), ("é.bin", 2 * MIB)])
    said = full_sentence(full, "en")
    assert "Your space is full: 1.0\u00a0GB of 1.0\u00a0GB." in said
    assert "are: data/big.csv (700\u00a0MB); é.bin (2.0\u00a0MB)." in said
    assert "plein\u00a0: 1,0\u00a0Go sur 1,0\u00a0Go" in full_sentence(full, "fr")
    many = Usage(5 * MIB, 1024**3, 65530, 65536)
    assert "65536" in full_sentence(many, "fr")
    assert full_sentence(Usage(5 * MIB, 1024**3, 10, 65536), "fr") == ""
    assert full_sentence(Usage(5 * MIB, 1024**3, 0, 0), "fr") == ""
    assert full_sentence(None, "en") == ""


class OneStore:
    """Stands in for the homes; notes what is done at the same time."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.within = 0
        self.most = 0
        self._lock = threading.Lock()

    def open(self, home: Home, limits: Limits) -> Path | None:
        with self._lock:
            self.within += 1
            self.most = max(self.most, self.within)
        threading.Event().wait(0.02)
        with self._lock:
            self.within -= 1
        self.done.append(f"open {home} {limits.space}")
        if home.course == "none":
            return None
        if home.course == "missing":
            raise HomeError("missing", "no volume")
        return Path("/homes") / str(home)

    def owner(self, home: Home) -> int | None:
        return 2_000_000 if home.course == "demo" else None

    def has_former_volume(self, home: Home) -> bool:
        return home.course == "moved"

    def close(self, home: Home) -> None:
        self.done.append(f"close {home}")

    def report(self, home: Home) -> Usage | None:
        self.done.append(f"report {home}")
        return None if home.course == "none" else Usage(1, 2, 3, 4, [("a", 1)])


async def asked(folder: Path, users: set[int], *lines: bytes) -> list[bytes]:
    """What the service answers to raw lines."""
    path = folder / "s"
    path.unlink(missing_ok=True)
    homes: Any = OneStore()
    serving = asyncio.create_task(service.serve(path, service.Service(homes, users), os.getuid()))
    answers = []
    try:
        while not path.exists():
            await asyncio.sleep(0.01)
        assert path.stat().st_mode & 0o777 == 0o600
        for line in lines:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line)
            try:
                answers.append(await reader.read())
            except ConnectionResetError:
                answers.append(b"")
            writer.close()
    finally:
        serving.cancel()
    return answers


def test_only_the_hub_s_user_is_answered(tmp_path: Path) -> None:
    line = json.dumps({"do": "close", "learner": LEARNER, "course": "demo"}).encode() + b"\n"
    assert asyncio.run(asked(tmp_path, {os.getuid() + 1}, line)) == [b'{"problem": "refused"}\n']
    assert asyncio.run(asked(tmp_path, {os.getuid()}, line)) == [b"{}\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b'"open"\n',
        b"[" * 30000 + b"\n",
        b'{"do": "open"}\n',
        json.dumps({"do": "rm", "learner": LEARNER, "course": "demo"}).encode() + b"\n",
        json.dumps({"do": "open", "learner": LEARNER, "course": "demo"}).encode() + b"\n",
        json.dumps({"do": "close", "learner": LEARNER, "course": "/"}).encode() + b"\n",
    ],
)
def test_anything_else_is_refused(tmp_path: Path, line: bytes) -> None:
    assert asyncio.run(asked(tmp_path, {os.getuid()}, line)) == [b'{"problem": "refused"}\n']


def test_a_line_without_end_is_given_up(tmp_path: Path) -> None:
    assert asyncio.run(asked(tmp_path, {os.getuid()}, b"x" * 200_000)) == [b""]


async def conversation(folder: Path) -> tuple[list[Any], Any]:
    path, homes = folder / "s", OneStore()
    given: Any = homes
    serving = asyncio.create_task(
        service.serve(path, service.Service(given, {os.getuid()}), os.getuid())
    )
    client = HomesClient(path)
    course = parse(Course, COURSE, "x")
    try:
        while not path.exists():
            await asyncio.sleep(0.01)
        opened = await asyncio.gather(*(client.open(LEARNER, course) for _ in range(4)))
        with pytest.raises(HomeError) as missing:
            await client.open(LEARNER, course.model_copy(update={"slug": "missing"}))
        told = [
            opened[0],
            missing.value.code,
            await client.open(LEARNER, course.model_copy(update={"slug": "none"})),
            await client.open(LEARNER, course.model_copy(update={"slug": "moved"})),
            await client.usage(LEARNER, "demo"),
            await client.usage(LEARNER, "demo"),
            await client.usage(LEARNER, "none"),
        ]
        await client.close(LEARNER, "demo")
    finally:
        serving.cancel()
    return told, homes


def test_hub_and_service_understand_each_other(tmp_path: Path) -> None:
    told, homes = asyncio.run(conversation(tmp_path))
    name = f"{LEARNER}.demo"
    assert told == [
        Opened(f"/homes/{name}", volume_left=False, user=2_000_000),
        "missing",
        Opened(None, volume_left=False),
        Opened(f"/homes/{LEARNER}.moved", volume_left=True),
        Usage(1, 2, 3, 4, [("a", 1)]),
        Usage(1, 2, 3, 4, [("a", 1)]),
        None,
    ]
    assert homes.most == 1, "one at a time for each home"
    assert homes.done.count(f"report {name}") == 1, "an answer serves for a while"
    assert homes.done[-1] == f"close {name}"


def test_a_service_that_is_away_is_a_failed_home(tmp_path: Path) -> None:
    client = HomesClient(tmp_path / "nothing")
    with pytest.raises(HomeError) as failed:
        asyncio.run(client.open(LEARNER, parse(Course, COURSE, "x")))
    assert failed.value.code == "failed"
    assert asyncio.run(client.usage(LEARNER, "demo")) is None
    asyncio.run(client.close(LEARNER, "demo"))


def test_a_site_without_the_service_keeps_homes_in_volumes() -> None:
    client = HomesClient(None)
    assert asyncio.run(client.open(LEARNER, parse(Course, COURSE, "x"))) == Opened()
    assert asyncio.run(client.usage(LEARNER, "demo")) is None
