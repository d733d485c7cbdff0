"""The hash of a large file: computed once, and again whenever the file may have changed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.mooc.atelier.plugins.lookup import file_digest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"

    def value(_name: str) -> str:
        return str(path)

    monkeypatch.setattr(file_digest.constants.config, "get_config_value", value)
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever a file is really hashed."""
    done: list[int] = []
    compute = hashlib.file_digest

    def counted(*arguments: Any) -> Any:
        done.append(1)
        return compute(*arguments)

    monkeypatch.setattr(file_digest.hashlib, "file_digest", counted)
    return done


def look(path: Path) -> str:
    lookup = file_digest.LookupModule(loader=DataLoader())
    (digest,) = lookup.run([str(path)])
    return digest


def written(path: Path, text: str, seconds: int) -> str:
    """Write a file as of a while ago; its hash. Its inode's own time is always that of now."""
    path.write_text(text)
    os.utime(path, (seconds, seconds))
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_digest, "SETTLED_SECONDS", -3600.0)


@pytest.mark.usefixtures("home", "settled")
def test_a_hash_is_computed_once(tmp_path: Path, hashed: list[int]) -> None:
    path = tmp_path / "base.tar"
    wanted = written(path, "one", 1000)
    assert [look(path), look(path)] == [wanted, wanted]
    assert len(hashed) == 1


@pytest.mark.usefixtures("home", "settled")
def test_another_content_of_the_same_size_and_date_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "base.tar"
    written(path, "one", 1000)
    look(path)
    assert look(path) != written(path, "two", 1000)
    assert look(path) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.usefixtures("home")
def test_what_was_just_written_is_not_remembered(tmp_path: Path, hashed: list[int]) -> None:
    path = tmp_path / "base.tar"
    written(path, "one", 1000)
    look(path)
    look(path)
    assert len(hashed) == 2


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}'])
def test_a_memory_that_cannot_be_read_is_made_again(
    tmp_path: Path, home: Path, content: str
) -> None:
    memory = home / "mooc.atelier/digests.json"
    memory.parent.mkdir(parents=True)
    memory.write_text(content)
    path = tmp_path / "base.tar"
    wanted = written(path, "one", 1000)
    assert look(path) == wanted
    assert json.loads(memory.read_text())[str(path)]["sha256"] == wanted


@pytest.mark.usefixtures("settled")
def test_files_that_are_gone_are_forgotten(tmp_path: Path, home: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, name, 1000)
    look(tmp_path / "one")
    (tmp_path / "one").unlink()
    look(tmp_path / "two")
    memory = json.loads((home / "mooc.atelier/digests.json").read_text())
    assert list(memory) == [str(tmp_path / "two")]


@pytest.mark.usefixtures("settled")
def test_without_a_home_it_is_computed_each_time(
    tmp_path: Path, home: Path, hashed: list[int]
) -> None:
    home.write_text("a file where the folder should be")
    path = tmp_path / "base.tar"
    wanted = written(path, "one", 1000)
    assert [look(path), look(path)] == [wanted, wanted]
    assert len(hashed) == 2


@pytest.mark.usefixtures("home")
def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnsibleLookupError, match=r"base\.tar cannot be read"):
        look(tmp_path / "base.tar")
