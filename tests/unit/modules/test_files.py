"""The module `files` on the target: what is there becomes what was described, or is left alone."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from kit.modules import Ran, run

Entry = dict[str, Any]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def keep(*entries: Entry, check: bool = False) -> Ran:
    """Run the module with what its controller's half would send; owners are left alone."""
    contents, sent = {}, []
    for given in entries:
        entry = {"owner": "", "group": "", **given, "dest": str(given["dest"])}
        if (content := entry.pop("content", None)) is not None:
            contents[entry["dest"]] = base64.b64encode(content.encode()).decode()
        sent.append(entry)
    return run("files", check=check, files=sent, contents=json.dumps(contents))


def changed(ran: Ran) -> list[str]:
    """The names of the paths that were changed."""
    assert ran.changed is bool(ran.result["changed_paths"])
    return [Path(path).name for path in ran.result["changed_paths"]]


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.lstat().st_mode):04o}"


def test_a_file_is_made_once_with_its_mode(tmp_path: Path) -> None:
    entry = {"dest": tmp_path / "a", "content": "text\n", "mode": "0640"}
    assert changed(keep(entry)) == ["a"]
    assert ((tmp_path / "a").read_text(), mode(tmp_path / "a")) == ("text\n", "0640")
    assert changed(keep(entry)) == []


def test_the_default_modes_do_not_depend_on_the_logins_own_mask(tmp_path: Path) -> None:
    keep({"dest": tmp_path / "a/b", "state": "directory"}, {"dest": tmp_path / "a/b/c"})
    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/b/c")] == ["0755", "0755", "0644"]


def test_content_that_differs_is_replaced_and_the_mode_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("other")
    (tmp_path / "a").chmod(0o600)
    ran = keep({"dest": tmp_path / "a", "content": "text", "mode": "0600"})
    assert changed(ran) == ["a"]
    assert ran.result["diff"] == [
        {
            "before": "other",
            "after": "text",
            "before_header": str(tmp_path / "a"),
            "after_header": str(tmp_path / "a"),
        }
    ]
    assert mode(tmp_path / "a") == "0600"


def test_a_mode_that_differs_is_mended(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    (tmp_path / "a").chmod(0o666)
    entry = {"dest": tmp_path / "a", "content": "text", "mode": "0600"}
    ran = keep(entry)
    assert (changed(ran), mode(tmp_path / "a")) == (["a"], "0600")
    assert ran.result["diff"][0]["before"] == "mode: 0666\n"
    assert not keep(entry).changed


@as_root
def test_an_owner_that_differs_is_mended(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    os.chown(tmp_path / "a", 65534, 65534)
    entry = {"dest": tmp_path / "a", "content": "text", "owner": "root", "group": "0"}
    assert keep(entry, check=True).changed
    assert (tmp_path / "a").stat().st_uid == 65534
    assert changed(keep(entry)) == ["a"]
    assert ((tmp_path / "a").stat().st_uid, (tmp_path / "a").stat().st_gid) == (0, 0)
    assert not keep(entry).changed


def test_an_unknown_owner_fails_before_anything_is_written(tmp_path: Path) -> None:
    ran = keep(
        {"dest": tmp_path / "a", "content": "text"},
        {"dest": tmp_path / "b", "content": "text", "group": "nobody-such"},
    )
    assert f"{tmp_path}/b shall have the group 'nobody-such'" in ran.failure
    assert list(tmp_path.iterdir()) == []


def test_in_check_mode_an_owner_may_be_still_to_be_made(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    entry = {"dest": tmp_path / "a", "content": "text", "owner": "nobody-such", "group": "no-such"}
    assert changed(keep(entry, check=True)) == []
    assert changed(keep(entry | {"dest": tmp_path / "b"}, check=True)) == ["b"]


def test_a_difference_that_is_secret_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old-secret")
    ran = keep({"dest": tmp_path / "a", "content": "new-secret", "diff": False, "mode": "0600"})
    assert (tmp_path / "a").read_text() == "new-secret"
    assert "secret" not in ran.written
    assert base64.b64encode(b"new-secret").decode() not in ran.written
    assert "not shown" in ran.result["diff"][-1]["after"]


def test_a_binary_difference_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0old")
    ran = keep({"dest": tmp_path / "a", "content": "new"})
    assert ran.result["diff"][0]["before"] == "(binary)\n"


def test_nobody_reads_a_new_secret_before_it_has_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mode is looked at right after the file is put in place, and before it is set."""
    seen = {}
    move = AnsibleModule.atomic_move

    def look(self: AnsibleModule, source: str, dest: str, **options: Any) -> None:
        move(self, source, dest, **options)
        seen[Path(dest).name] = mode(Path(dest))

    monkeypatch.setattr(AnsibleModule, "atomic_move", look)
    (tmp_path / "open").write_text("old")
    (tmp_path / "open").chmod(0o666)
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    names = ("new", "open", "link")
    keep(*({"dest": tmp_path / name, "content": "secret", "mode": "0600"} for name in names))
    assert seen == dict.fromkeys(names, "0600")


def test_check_mode_leaves_nothing_and_tells_true(tmp_path: Path) -> None:
    (tmp_path / "gone").write_text("text")
    (tmp_path / "same").write_text("text")
    entries: list[Entry] = [
        {"dest": tmp_path / "folder", "state": "directory"},
        {"dest": tmp_path / "folder/a", "content": "text"},
        {"dest": tmp_path / "copy", "remote_src": str(tmp_path / "folder/a")},
        {"dest": tmp_path / "gone", "state": "absent"},
        {"dest": tmp_path / "same", "content": "text"},
    ]
    told = changed(keep(*entries, check=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gone", "same"]
    assert told == changed(keep(*entries)) == ["folder", "a", "copy", "gone"]
    assert changed(keep(*entries)) == []


def test_check_mode_knows_that_a_source_will_change_first(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("old")
    entries: list[Entry] = [
        {"dest": tmp_path / "a", "content": "new"},
        {"dest": tmp_path / "b", "remote_src": str(tmp_path / "a")},
    ]
    assert changed(keep(*entries, check=True)) == changed(keep(*entries)) == ["a", "b"]
    (tmp_path / "a").write_text("old")
    assert changed(keep(*entries, check=True)) == changed(keep(*entries)) == ["a"]


def test_a_copy_of_a_file_that_is_not_there_names_both(tmp_path: Path) -> None:
    entry = {"dest": tmp_path / "a", "remote_src": str(tmp_path / "nothing")}
    assert changed(keep(entry, check=True)) == ["a"]
    failure = keep(entry).failure
    assert failure == f"{tmp_path}/a shall be a copy of {tmp_path}/nothing, which is no file."


@pytest.mark.parametrize("source", [{"content": "new"}, {"remote_src": "/nowhere"}, {}])
@pytest.mark.parametrize("check", [True, False])
def test_a_file_that_only_has_to_be_there_keeps_its_content(
    tmp_path: Path, source: Entry, check: bool
) -> None:
    (tmp_path / "a").write_text("own")
    (tmp_path / "a").chmod(0o600)
    (tmp_path / "link").symlink_to("a")
    entries = [
        {"dest": tmp_path / name, "force": False, "mode": "0600", **source}
        for name in ("a", "link")
    ]
    assert changed(keep(*entries, check=check)) == []
    assert ((tmp_path / "a").read_text(), (tmp_path / "link").is_symlink()) == ("own", True)


def test_a_file_without_content_is_made_empty(tmp_path: Path) -> None:
    assert changed(keep({"dest": tmp_path / "a", "mode": "0640"})) == ["a"]
    assert ((tmp_path / "a").read_bytes(), mode(tmp_path / "a")) == (b"", "0640")


def test_an_empty_content_is_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("other")
    assert changed(keep({"dest": tmp_path / "a", "content": ""})) == ["a"]
    assert (tmp_path / "a").read_bytes() == b""


def test_a_backup_keeps_the_old_content_and_only_of_what_is_replaced(tmp_path: Path) -> None:
    entry = {"dest": tmp_path / "a", "content": "one", "backup": True}
    keep(entry)
    keep(entry)
    assert len(list(tmp_path.iterdir())) == 1
    keep(entry | {"content": "two"})
    (kept,) = set(tmp_path.iterdir()) - {tmp_path / "a"}
    assert (kept.read_text(), (tmp_path / "a").read_text()) == ("one", "two")


def test_a_new_file_that_is_refused_leaves_the_old_one_and_names_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("echo old\n")
    (tmp_path / "a").chmod(0o600)
    entry = {"dest": tmp_path / "a", "content": "if\n", "validate": "sh -n %s", "backup": True}
    refused = keep(entry).failure
    assert refused.startswith(f"{tmp_path}/a was left as it is")
    assert "yntax error" in refused
    assert ((tmp_path / "a").read_text(), mode(tmp_path / "a")) == ("echo old\n", "0600")
    assert len(list(tmp_path.iterdir())) == 1
    assert changed(keep(entry | {"content": "echo new\n"}))[0] == "a"


def test_what_refuses_a_secret_may_quote_it_and_is_not_shown(tmp_path: Path) -> None:
    entry = {"dest": tmp_path / "a", "content": "top-secret", "validate": "sh -c 'cat %s; exit 1'"}
    assert "top-secret" in keep(entry).failure
    ran = keep(entry | {"diff": False})
    assert "holds secrets" in ran.failure
    assert "top-secret" not in ran.written
    quiet = {"validate": "sh -c 'echo no such key; exit 1' %s", "validate_shown": True}
    ran = keep(entry | {"diff": False} | quiet)
    assert "no such key" in ran.failure
    assert "top-secret" not in ran.written


def test_a_validation_that_cannot_run_refuses(tmp_path: Path) -> None:
    ran = keep({"dest": tmp_path / "a", "content": "text", "validate": "/no/such/program %s"})
    assert "is refused by '/no/such/program %s': [Errno 2]" in ran.failure
    assert not (tmp_path / "a").exists()


def test_check_mode_does_not_validate(tmp_path: Path) -> None:
    entry = {"dest": tmp_path / "a", "content": "text", "validate": "/no/such/program %s"}
    assert keep(entry, check=True).changed


def test_a_file_that_cannot_be_replaced_is_written_to_when_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a mounted file, which nobody can rename another one over."""
    (tmp_path / "a").write_text("old")
    inode = (tmp_path / "a").stat().st_ino
    rename = os.rename

    def refuse(source: Any, dest: Any, **options: Any) -> None:
        if os.fsdecode(dest) == str(tmp_path / "a"):
            raise OSError(16, "Device or resource busy")
        rename(source, dest, **options)

    monkeypatch.setattr(os, "rename", refuse)
    entry = {"dest": tmp_path / "a", "content": "new"}
    failure = keep(entry).failure
    assert failure.startswith(f"{tmp_path}/a could not be written")
    assert "busy" in failure
    assert ((tmp_path / "a").read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)
    assert changed(keep(entry | {"unsafe_writes": True})) == ["a"]
    assert ((tmp_path / "a").read_text(), (tmp_path / "a").stat().st_ino) == ("new", inode)


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    ran = keep({"dest": tmp_path / "no/a", "content": "text"})
    assert ran.failure == f"{tmp_path}/no/a cannot be written: {tmp_path}/no is missing."


@pytest.mark.parametrize(
    "second",
    [
        {"content": "if\n", "validate": "sh -n %s"},
        {"remote_src": "/nowhere"},
        {"state": "directory"},
    ],
)
def test_a_failure_in_the_middle_says_what_was_done_before(tmp_path: Path, second: Entry) -> None:
    (tmp_path / "b").write_text("text")
    ran = keep(
        {"dest": tmp_path / "a", "content": "text"},
        {"dest": tmp_path / "b", **second},
        {"dest": tmp_path / "c", "content": "text"},
    )
    assert str(tmp_path / "b") in ran.failure
    assert ran.result["changed_paths"] == [str(tmp_path / "a")]
    assert ran.result["changed"] is True
    assert (tmp_path / "a").exists()
    assert not (tmp_path / "c").exists()


def test_what_fails_after_the_content_was_written_counts_as_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> bool:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(AnsibleModule, "set_fs_attributes_if_different", refuse)
    ran = keep({"dest": tmp_path / "a", "content": "text"})
    assert "Operation not permitted" in ran.failure
    assert ran.result["changed_paths"] == [str(tmp_path / "a")]


def test_paths_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "elsewhere")
    entry = {"dest": tmp_path / "$PLACE [x]", "content": "text", "mode": "0600"}
    assert changed(keep(entry)) == ["$PLACE [x]"]
    assert mode(tmp_path / "$PLACE [x]") == "0600"
    assert changed(keep(entry)) == []
