"""The module `files` where something is there already: folders, links, what is to go or to stay."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from unit.modules.test_files import Entry, changed, keep, mode


def test_absent_removes_files_folders_and_links_but_not_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "folder/sub").mkdir(parents=True)
    (tmp_path / "folder/sub/a").write_text("text")
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to("kept")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    names = ("folder", "link", "dangling", "loop", "nothing")
    entries = [{"dest": tmp_path / name, "state": "absent"} for name in names]
    assert changed(keep(*entries)) == ["folder", "link", "dangling", "loop"]
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert changed(keep(*entries)) == []


def test_absent_keeps_what_a_link_leads_to(tmp_path: Path) -> None:
    for name in ("v1", "v2", "v3", ".hidden"):
        (tmp_path / "versions" / name).mkdir(parents=True)
    (tmp_path / "current").symlink_to("versions/v2")
    entry = {
        "dest": tmp_path / "versions/*",
        "state": "absent",
        "keep": [str(tmp_path / "current")],
    }
    assert changed(keep(entry, check=True)) == changed(keep(entry)) == ["v1", "v3"]
    assert {path.name for path in (tmp_path / "versions").iterdir()} == {"v2", ".hidden"}
    (tmp_path / "current").unlink()
    assert "which says what to keep, is missing" in keep(entry).failure
    assert (tmp_path / "versions/v2").is_dir()


def test_absent_leaves_the_folder_that_something_kept_is_in(tmp_path: Path) -> None:
    (tmp_path / "folder/data").mkdir(parents=True)
    entry = {"dest": tmp_path / "folder", "state": "absent", "keep": [f"{tmp_path}/folder/data"]}
    assert changed(keep(entry)) == []
    assert (tmp_path / "folder/data").is_dir()


def test_existing_mends_the_files_that_a_pattern_finds(tmp_path: Path) -> None:
    for name in ("a.key", "b.key", "c.pem"):
        (tmp_path / name).write_text("text")
        (tmp_path / name).chmod(0o644)
    (tmp_path / "folder.key").mkdir(mode=0o700)
    (tmp_path / "link.key").symlink_to("c.pem")
    entries: list[Entry] = [
        {"dest": tmp_path / "*.key", "state": "existing", "mode": "0600"},
        {"dest": tmp_path / "nothing", "state": "existing"},
    ]
    assert changed(keep(*entries, check=True)) == ["a.key", "b.key"]
    assert changed(keep(*entries)) == ["a.key", "b.key"]
    assert [mode(tmp_path / name) for name in ("a.key", "c.pem")] == ["0600", "0644"]
    assert mode(tmp_path / "folder.key") == "0700"
    assert changed(keep(*entries, check=True)) == []


@pytest.mark.parametrize("check", [True, False])
def test_a_folder_is_no_file_and_a_file_is_no_folder(tmp_path: Path, check: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("text")
    ran = keep({"dest": tmp_path / "folder", "content": "text"}, check=check)
    assert ran.failure == f"{tmp_path}/folder is a directory: move it away."
    ran = keep({"dest": tmp_path / "file", "state": "directory"}, check=check)
    assert ran.failure == f"{tmp_path}/file is not a directory: move it away."
    assert (tmp_path / "file").read_text() == "text"


def test_a_socket_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name in ("pipe", "socket"):
            ran = keep({"dest": tmp_path / name, "content": "text"})
            assert "is a device, a socket or a pipe" in ran.failure


def test_a_link_is_replaced_by_a_file_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("text")
    (tmp_path / "target").chmod(0o600)
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("nowhere")
    entries = [{"dest": tmp_path / name, "content": "text"} for name in ("link", "dangling")]
    assert changed(keep(*entries, check=True)) == changed(keep(*entries)) == ["link", "dangling"]
    assert not (tmp_path / "link").is_symlink()
    assert (mode(tmp_path / "link"), mode(tmp_path / "target")) == ("0644", "0600")
    assert not (tmp_path / "nowhere").exists()
    assert changed(keep(*entries)) == []


def test_a_directory_may_be_a_link_to_one(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("disk")
    entry = {"dest": tmp_path / "link", "state": "directory"}
    assert changed(keep(entry, check=True)) == changed(keep(entry)) == ["link"]
    assert ((tmp_path / "link").is_symlink(), mode(tmp_path / "disk")) == (True, "0755")
    assert changed(keep(entry, check=True)) == []
    (tmp_path / "dangling").symlink_to("nowhere")
    failed = keep({"dest": tmp_path / "dangling", "state": "directory"})
    assert "is not a directory" in failed.failure
