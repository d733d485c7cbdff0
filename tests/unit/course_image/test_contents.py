"""Jupyter's save on a space that is full."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from atelier_notebook import texts
from atelier_notebook.contents import Contents
from kit.small_disk import small_disk
from tornado import web

GB = 1024**3


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    with small_disk(tmp_path / "small", "1m") as root:
        yield root


def save(root: Path, text: str) -> dict[str, Any]:
    manager = Contents(root_dir=str(root))
    model = {"type": "file", "format": "text", "content": text}
    return asyncio.run(manager.save(model, "note.md"))


def test_a_full_space_is_told_and_the_former_version_stays(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    save(small, "first")
    with pytest.raises(web.HTTPError) as told:
        save(small, "x" * 2_000_000)
    assert told.value.status_code == 507
    assert "Votre espace disque est plein" in str(told.value.log_message)
    assert "Errno" not in str(told.value.log_message)
    assert (small / "note.md").read_text() == "first"
    save(small, "second")
    assert (small / "note.md").read_text() == "second"


def test_other_errors_are_jupyter_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Contents, "_save_file", fails)
    with pytest.raises(web.HTTPError) as told:
        save(tmp_path, "x")
    assert told.value.status_code == 500


def test_the_sentence_names_amounts_and_files() -> None:
    space = {"used": GB, "size": GB, "largest": [["demo/big.csv", 7], ["b", 1]]}
    assert ": 1.0 of 1.0 GB." in texts.full(space, "en")
    assert texts.full(space, "en").endswith("The largest are demo/big.csv, b.")
    assert " : 1,0 sur 1,0 Go." in texts.full(space, "fr")
    assert "full. This" in texts.full(None, "en")
