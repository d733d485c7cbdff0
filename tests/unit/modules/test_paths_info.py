"""The module `paths_info`: every question has an answer, what is missing too."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from kit.modules import run


def ask(**questions: Any) -> dict[str, Any]:
    ran = run("paths_info", **questions)
    assert not ran.changed
    return ran.result


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_no_question_has_empty_answers() -> None:
    said = ask()
    assert {key: said[key] for key in ("exists", "matched", "sha256", "text", "newer")} == {
        "exists": {}, "matched": {}, "sha256": {}, "text": {}, "newer": [],
    }  # fmt: skip


def test_files_folders_links_and_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text\r\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    names = ("file", "folder", "link", "dangling", "loop", "pipe", "nothing", "file/below")
    paths = {name: f"{tmp_path}/{name}" for name in names}
    said = ask(paths=list(paths.values()), read=list(paths.values()))
    there = {"file", "folder", "link", "pipe"}
    assert said["exists"] == {path: name in there for name, path in paths.items()}
    assert said["directory"] == {path: name == "folder" for name, path in paths.items()}
    assert said["sha256"] == {paths[name]: digest(b"text\r\n") for name in ("file", "link")}
    texts = {"file": "text\r\n", "link": "text\r\n"}
    assert said["text"] == {path: texts.get(name) for name, path in paths.items()}


def test_an_answer_is_found_by_the_path_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("text")
    folder, file = f"{tmp_path}/folder/", f"{tmp_path}//file"
    said = ask(paths=[folder, file], read=[file])
    assert said["exists"] == said["directory"] | {file: True} == {folder: True, file: True}
    assert said["text"] == {file: "text"}
    assert list(said["sha256"]) == [file]


def test_a_pattern_finds_what_a_shell_would(tmp_path: Path) -> None:
    for name in ("b.crt", "a.crt", ".hidden.crt", "c.pem"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.crt").mkdir()
    pattern, nothing = f"{tmp_path}/*.crt", f"{tmp_path}/*.key"
    said = ask(paths=[pattern, nothing])
    found = [f"{tmp_path}/{name}" for name in ("a.crt", "b.crt", "d.crt")]
    assert said["matched"] == {pattern: found, nothing: []}
    assert said["sha256"] == {path: digest(Path(path).name.encode()) for path in found[:2]}
    assert said["exists"] == {}


def test_files_that_were_written_after_the_stamp_are_newer(tmp_path: Path) -> None:
    for name, written in (("old", 100), ("stamp", 200), ("same", 200), ("new", 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (written, written))
    os.utime(tmp_path, (100, 100))
    stamp, missing = str(tmp_path / "stamp"), str(tmp_path / "missing")
    files = [f"{tmp_path}/*", str(tmp_path), str(tmp_path / "nothing")]
    said = ask(newer=[{"stamp": stamp, "files": files}, {"stamp": missing, "files": files}])
    names = ("new", "old", "same", "stamp")
    everything = [str(tmp_path), *(f"{tmp_path}/{name}" for name in names)]
    assert said["newer"] == [[f"{tmp_path}/new"], everything]
    assert said["exists"] == {stamp: True, missing: False}


def test_a_text_is_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes("\ufeffété\n".encode())
    assert ask(read=[str(tmp_path / "text")])["text"] == {f"{tmp_path}/text": "\ufeffété\n"}


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("text")
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    said = run("paths_info", read=[str(tmp_path / "good"), str(tmp_path / "bad")])
    assert f"{tmp_path}/bad is no UTF-8 text" in said.failure


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, but for what a file system refuses."""

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (tmp_path / "file").touch()
    assert f"'{tmp_path}/file'" in run("paths_info", read=[str(tmp_path / "file")]).failure
