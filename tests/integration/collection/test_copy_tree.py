"""The module `copy_tree`: a directory arrives whole, once, and stays what it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.modules.copy_tree import Tree
from integration.collection.conftest import ansible
from world import paths


@pytest.fixture
def source(tmp_path: Path) -> Path:
    tree = tmp_path / "source"
    (tree / "sub/__pycache__").mkdir(parents=True)
    (tree / "text").write_text("text\n")
    (tree / "sub/tool").write_text("#!/bin/sh\n")
    (tree / "sub/tool").chmod(0o755)
    (tree / "sub/__pycache__/x.pyc").write_text("junk")
    (tmp_path / "elsewhere").write_text("shared\n")
    (tree / "linked").symlink_to("../elsewhere")
    return tree


def copy(source: Path, dest: Path, *options: str) -> dict[str, Any]:
    """Copy one directory on this machine and return what the module says."""
    return run(source.parent, {"src": str(source), "dest": str(dest)}, *options)


def copy_all(home: Path, *pairs: tuple[Path, Path], **arguments: Any) -> dict[str, Any]:
    """Copy several directories with one task."""
    trees = [{"src": str(source), "dest": str(dest)} for source, dest in pairs]
    return run(home, {"trees": trees, **arguments})


def run(home: Path, arguments: dict[str, Any], *options: str) -> dict[str, Any]:
    """Run the module on this machine and return what it says."""
    done = ansible(
        home,
        paths.link_collection(),
        "ansible",
        *(
            "localhost",
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
        ),
        *("-m", "mooc.atelier.copy_tree", "-a", json.dumps(arguments), *options),
        check=False,
    )
    _, _, answer = done.stdout.rpartition("=> ")
    said: dict[str, Any] = json.loads(answer)
    return said


def test_it_copies_once_then_finds_nothing_to_do(source: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    assert copy(source, dest)["changed"]
    assert not copy(source, dest)["changed"]
    assert (dest / "linked").read_text() == "shared\n"
    assert not (dest / "linked").is_symlink()
    assert (dest / "sub/tool").stat().st_mode & 0o777 == 0o755
    assert (dest / "text").stat().st_mode & 0o777 == 0o644
    assert not (dest / "sub/__pycache__").exists()


def test_what_changed_on_the_target_is_put_right(source: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    copy(source, dest)
    (dest / "text").write_text("other\n")
    (dest / "stray").write_text("stray\n")
    (dest / "sub/tool").chmod(0o644)
    (dest / "linked").unlink()
    (dest / "linked").symlink_to("text")
    said = copy(source, dest)
    assert said["different"] == ["linked", "stray", "sub/tool", "text"]
    assert not copy(source, dest)["changed"]
    assert not (dest / "stray").exists()


def test_check_mode_says_what_it_would_do_and_does_nothing(source: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    said = copy(source, dest, "--check", "--diff")
    assert said["changed"]
    assert said["different"] == ["linked", "sub/tool", "text"]
    assert not dest.exists()


def test_the_difference_shows_a_file_of_which_only_the_content_differs(tmp_path: Path) -> None:
    manifest, present = ({"text": {"mode": "0644", "sha256": digit * 64}} for digit in "ab")
    diff = Tree("source", tmp_path, "0", manifest, present).diff
    assert (diff["before"], diff["after"]) == (
        "text 0644 bbbbbbbbbbbb\n",
        "text 0644 aaaaaaaaaaaa\n",
    )


def test_it_clears_what_an_interrupted_run_left(source: Path, tmp_path: Path) -> None:
    (tmp_path / ".dest.leftover").mkdir()
    copy(source, tmp_path / "dest")
    left = [path for path in tmp_path.iterdir() if path.name.startswith(".dest")]
    assert left == []


def test_the_digest_is_the_contents_own(source: Path, tmp_path: Path) -> None:
    first = copy(source, tmp_path / "one")["digest"]
    assert copy(source, tmp_path / "two")["digest"] == first
    (source / "text").write_text("changed\n")
    assert copy(source, tmp_path / "two")["digest"] != first


@pytest.mark.parametrize("target", ["nowhere", "."])
def test_a_link_that_leads_nowhere_or_in_circles_is_named(
    source: Path, tmp_path: Path, target: str
) -> None:
    (source / "bad").symlink_to(target)
    said = copy(source, tmp_path / "dest")
    assert str(source / "bad") in said["msg"]
    assert not (tmp_path / "dest").exists()


def test_it_refuses_to_replace_what_is_no_directory(source: Path, tmp_path: Path) -> None:
    (tmp_path / "dest").write_text("precious\n")
    assert "is not a directory" in copy(source, tmp_path / "dest")["msg"]
    assert (tmp_path / "dest").read_text() == "precious\n"


@pytest.fixture
def second(tmp_path: Path) -> Path:
    tree = tmp_path / "second"
    tree.mkdir()
    (tree / "more").write_text("more\n")
    (tree / "notes.txt").write_text("notes\n")
    return tree


def test_several_arrive_in_one_task_and_only_what_differs_is_replaced(
    source: Path, second: Path, tmp_path: Path
) -> None:
    # What is made beside `dest.d` has a name that leftovers of `dest` may have.
    one, two = tmp_path / "dest", tmp_path / "dest.d"
    said = copy_all(tmp_path, (second, two), (source, one))
    assert said["changed_paths"] == [str(two), str(one)]
    assert said["different"] == [
        *(str(two / name) for name in ("more", "notes.txt")),
        *(str(one / name) for name in ("linked", "sub/tool", "text")),
    ]
    assert (two / "more").read_text() == "more\n"
    assert (one / "linked").read_text() == "shared\n"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".dest")]

    unchanged = copy_all(tmp_path, (second, two), (source, one))
    assert (unchanged["changed"], unchanged["different"]) == (False, [])
    assert unchanged["digest"] == said["digest"]

    (one / "text").write_text("other\n")
    kept = two.stat().st_ino
    assert copy_all(tmp_path, (second, two), (source, one))["changed_paths"] == [str(one)]
    assert (one / "text").read_text() == "text\n"
    assert two.stat().st_ino == kept


def test_a_tree_named_as_anothers_leftovers_stays(
    source: Path, second: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "dest", tmp_path / ".dest.d"
    copy(second, two)
    assert copy_all(tmp_path, (source, one), (second, two))["changed_paths"] == [str(one)]
    assert (two / "more").exists()


def test_each_tree_leaves_out_its_own(source: Path, second: Path, tmp_path: Path) -> None:
    trees = [
        {"src": str(source), "dest": str(tmp_path / "one"), "exclude": ["sub"]},
        {"src": str(second), "dest": str(tmp_path / "two")},
    ]
    run(tmp_path, {"trees": trees, "exclude": ["*.txt"]})
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["linked", "text"]
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["more"]


def test_none_is_replaced_when_one_cannot_arrive(
    source: Path, second: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "dest", tmp_path / "missing/dest"
    copy(source, one)
    (one / "text").write_text("old\n")
    said = copy_all(tmp_path, (source, one), (second, two))
    assert said["msg"].startswith(f"{two}: ")
    assert said["changed_paths"] == []
    assert (one / "text").read_text() == "old\n"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".dest")]


def test_a_source_that_is_not_there_is_named_with_its_tree(source: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    said = copy_all(tmp_path, (source, one), (tmp_path / "nowhere", two))
    assert str(two) in said["msg"]
    assert not one.exists()


@pytest.mark.parametrize("inner", [".", "sub", "../dest"])
def test_a_tree_in_another_is_refused(
    source: Path, second: Path, tmp_path: Path, inner: str
) -> None:
    dest = tmp_path / "dest"
    said = copy_all(tmp_path, (source, dest), (second, dest / inner))
    assert "another tree of the list" in said["msg"]
    assert not dest.exists()


def test_an_empty_list_is_nothing_to_do(tmp_path: Path) -> None:
    said = copy_all(tmp_path)
    assert (said["changed"], said["different"]) == (False, [])


def test_one_or_several_not_both(source: Path, second: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    said = copy_all(tmp_path, (second, dest), src=str(source), dest=str(dest))
    assert "mutually exclusive" in said["msg"]
    assert "src" in run(tmp_path, {"dest": str(dest)})["msg"]
    assert not dest.exists()
