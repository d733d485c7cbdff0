"""What is given away is the same to the last bit, whoever builds it, wherever and whenever."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from integration.collection.conftest import Installed, tracked
from world import archive, paths, soak

TIME = 1_700_000_000
UMASKS = (0o022, 0o077)


@contextmanager
def umask(value: int) -> Iterator[None]:
    """Make files as somebody with that umask does."""
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def checkout(folder: Path, value: int) -> Path:
    """Write the files as somebody's git would; the order of writing is that of some listings."""
    with umask(value):
        for name in sorted(tracked(), reverse=value == UMASKS[1]):
            source, place = paths.ROOT / name, folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                place.symlink_to(source.readlink())
            else:
                place.write_bytes(source.read_bytes())
                place.chmod((0o777 if source.stat().st_mode & 0o100 else 0o666) & ~value)
    return folder


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same commit in two folders, by people with different umasks."""
    return [
        checkout(tmp_path_factory.mktemp("checkout") / name / "atelier", value)
        for name, value in zip(("a", "somewhere-else"), UMASKS, strict=True)
    ]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_collection_is_the_same_wherever_it_is_built(
    checkouts: list[Path], installed: Installed, tmp_path: Path
) -> None:
    made = []
    for number, (folder, value) in enumerate(zip(checkouts, UMASKS, strict=True)):
        with umask(value):
            made.append(archive.collection(folder, tmp_path / str(number), TIME))
    assert digest(made[0]) == digest(made[1])
    with tarfile.open(made[0]) as tar, tarfile.open(installed.tarball) as plain:
        members = {member.name: member for member in tar}
        assert members.keys() == {member.name for member in plain}, "as ansible-galaxy builds it"
        assert {member.mtime for member in members.values()} == {TIME}
        listed = tar.extractfile("FILES.json")
        manifest = tar.extractfile("MANIFEST.json")
        assert listed is not None
        assert manifest is not None
        content = listed.read()
        told = json.loads(manifest.read())["file_manifest_file"]["chksum_sha256"]
        assert told == hashlib.sha256(content).hexdigest()
        for entry in json.loads(content)["files"]:
            if entry["ftype"] == "file" and members[entry["name"]].isreg():
                file = tar.extractfile(entry["name"])
                assert file is not None
                assert hashlib.sha256(file.read()).hexdigest() == entry["chksum_sha256"]


def test_hub_and_desk_are_the_same_wherever_they_are_built(
    checkouts: list[Path], tmp_path: Path
) -> None:
    """With the environment's own setuptools, which is the one that the server's lock names."""
    made = []
    for number, (folder, value) in enumerate(zip(checkouts, UMASKS, strict=True)):
        with umask(value):
            source = folder / "files/atelier"
            made.append(archive.wheel(source, tmp_path / str(number), TIME, sys.executable))
    assert digest(made[0]) == digest(made[1])


@pytest.mark.skipif(not soak.wanted(), reason="two builds of JupyterLab's extension: for make soak")
def test_the_toolbar_is_the_same_wherever_it_is_built(
    checkouts: list[Path], tmp_path: Path
) -> None:
    python = archive.builder("files/toolbar", tmp_path / "builder")
    made = []
    for number, (folder, value) in enumerate(zip(checkouts, UMASKS, strict=True)):
        with umask(value):
            source = folder / "files/toolbar"
            made.append(archive.wheel(source, tmp_path / str(number), TIME, python))
    assert digest(made[0]) == digest(made[1])
    shutil.rmtree(tmp_path / "builder")
