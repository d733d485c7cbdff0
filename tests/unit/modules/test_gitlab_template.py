"""A course's group and template project: made once, corrected, nothing removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.gitlab_double import TOKEN, Groups, serve
from kit.modules import Ran, run


@pytest.fixture
def forge() -> Iterator[Groups]:
    known = Groups()
    server = serve(known)
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return path


def keep(forge: Groups, token_file: Path, *, check: bool = False, **options: Any) -> Ran:
    where = {"api_url": forge.url, "token_file": str(token_file), "group": "rr1"}
    return run("gitlab_template", check=check, **where, **options)


def test_group_and_project_are_made_once(forge: Groups, token_file: Path) -> None:
    ran = keep(forge, token_file, description="Cours / Course")
    assert ran.changed
    assert (ran.result["path"], ran.result["empty"]) == ("rr1/template", True)
    assert ran.result["web_url"] == f"{forge.url}/rr1/template"
    for kind, path in (("groups", "rr1"), ("projects", "rr1/template")):
        assert forge.objects[kind][path]["visibility"] == "internal"
        assert forge.objects[kind][path]["description"] == "Cours / Course"
    writes = len(forge.writes)
    assert not keep(forge, token_file, description="Cours / Course").changed
    assert len(forge.writes) == writes


def test_a_dry_run_writes_nothing(forge: Groups, token_file: Path) -> None:
    ran = keep(forge, token_file, check=True, staff=[{"username": "alice"}])
    assert ran.changed
    assert ran.result["diff"]["after"]["member alice"] == 40
    assert forge.writes == []


def test_only_what_differs_is_written(forge: Groups, token_file: Path) -> None:
    keep(forge, token_file, description="Old")
    forge.writes.clear()
    ran = keep(forge, token_file, description="New")
    assert ran.result["diff"]["before"]["project"] == {"description": "Old"}
    assert {body["description"] for _, _, body in forge.writes} == {"New"}
    assert all(set(body) == {"description"} for _, _, body in forge.writes)


@pytest.mark.parametrize(("before", "after"), [("internal", "private"), ("private", "public")])
def test_visibility_changes_in_the_order_that_gitlab_allows(
    forge: Groups, token_file: Path, before: str, after: str
) -> None:
    keep(forge, token_file, visibility=before)
    assert keep(forge, token_file, visibility=after).changed
    assert forge.objects["groups"]["rr1"]["visibility"] == after
    assert forge.objects["projects"]["rr1/template"]["visibility"] == after
    assert not keep(forge, token_file, visibility=after).changed


def test_a_private_project_leaves_its_group_as_visible_as_it_was(
    forge: Groups, token_file: Path
) -> None:
    keep(forge, token_file)
    hidden = {"project": "expected", "visibility": "private", "group_visibility": "internal"}
    assert keep(forge, token_file, **hidden).changed
    assert forge.objects["projects"]["rr1/expected"]["visibility"] == "private"
    assert forge.objects["groups"]["rr1"]["visibility"] == "internal"
    assert not keep(forge, token_file, **hidden).changed
    assert not keep(forge, token_file).changed


def test_private_projects_come_with_the_template_and_are_never_more_visible(
    forge: Groups, token_file: Path
) -> None:
    both = {"private_projects": ["expected"], "visibility": "public"}
    assert keep(forge, token_file, check=True, **both).result["diff"]["after"]["project expected"]
    ran = keep(forge, token_file, **both)
    assert ran.result["empty_projects"] == ["template", "expected"]
    made = forge.objects["projects"]
    seen = {path: known["visibility"] for path, known in made.items()}
    assert seen == {"rr1/template": "public", "rr1/expected": "private"}
    assert made["rr1/template"]["namespace_id"] == made["rr1/expected"]["namespace_id"] == 1
    made["rr1/expected"]["visibility"] = "internal"
    made["rr1/template"]["empty_repo"] = False
    ran = keep(forge, token_file, **both)
    assert ran.result["diff"]["before"] == {"project expected": {"visibility": "internal"}}
    assert made["rr1/expected"]["visibility"] == "private"
    assert ran.result["empty_projects"] == ["expected"]
    assert not keep(forge, token_file, **both).changed


def test_the_template_is_not_a_private_project_too(forge: Groups, token_file: Path) -> None:
    assert "both" in keep(forge, token_file, private_projects=["template"]).failure
    assert forge.writes == []


def test_staff_become_members_and_change_their_access(forge: Groups, token_file: Path) -> None:
    assert keep(forge, token_file, staff=[{"username": "Alice"}]).changed
    assert forge.members[7]["access_level"] == 40
    assert not keep(forge, token_file, staff=[{"username": "alice"}]).changed
    assert keep(forge, token_file, staff=[{"username": "alice", "access": "owner"}]).changed
    assert forge.members[7]["access_level"] == 50
    assert not keep(forge, token_file, staff=[]).changed
    assert 7 in forge.members


def test_staff_that_is_not_there_yet_is_named_and_no_error(forge: Groups, token_file: Path) -> None:
    keep(forge, token_file)
    forge.users = {}
    ran = keep(forge, token_file, staff=[{"username": "bob"}])
    assert not ran.changed
    assert ran.result["missing_staff"] == ["bob"]


def test_a_project_that_is_to_be_deleted_is_an_error(forge: Groups, token_file: Path) -> None:
    keep(forge, token_file)
    forge.objects["projects"]["rr1/template"]["marked_for_deletion_on"] = "2026-12-01"
    assert "is to be deleted on 2026-12-01" in keep(forge, token_file).failure
