"""A course's commits on their way to learners: fetched, checked, and only then published."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from atelier.courses import declaration
from kit.course_source import DECLARED, Course, course_site, git

WRONG = DECLARED.replace("id: report", "id: Report")


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    with course_site(tmp_path) as made:
        yield made


def answer(course: Course, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert course.run("update", "--json", *more) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_course_is_published_once_and_again_when_it_moves_on(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.gitlab.users = {}
    found = answer(course, capsys)
    assert (found["changed"], found["missing_staff"]) == (True, ["alice"])
    first = course.head(course.source)
    assert course.live() == (first, first, first, ["atelier.yml", "report.md"])
    assert not answer(course, capsys)["changed"]
    second = course.commit("more.md", "more\n")
    found = answer(course, capsys)
    assert [one["what"] for one in found["changes"]] == [
        "template in GitLab",
        "template on the server",
        "list of files and exercises",
    ]
    assert course.live()[:3] == (second, second, second)
    assert course.status()["live"]["commit"] == second
    assert course.status()["error"] is None


def test_a_refused_declaration_leaves_everything_as_it_was(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.run()
    before = course.live()
    refused = course.commit("atelier.yml", WRONG)
    for _ in range(2):
        capsys.readouterr()
        assert course.run() == 1
        said = capsys.readouterr().err
        assert "atelier.yml:3: exercises[1].id: `Report`: use 1 to 63 lower-case letters" in said
        assert "learners keep what they have" in said
        assert course.live() == before
    (finding,) = course.status()["refused"]["findings"]
    assert (finding["file"], finding["line"]) == ("atelier.yml", 3)
    assert "minuscules" in finding["fr"]
    assert "lower-case" in finding["en"]
    assert course.status()["fetched"]["commit"] == refused
    assert course.status()["live"]["commit"] == before[0]
    mended = course.commit("atelier.yml", DECLARED + "    n: 1\n".replace("n: 1", "weight: 2"))
    assert course.run() == 0
    assert course.live()[:3] == (mended, mended, mended)
    assert course.status()["refused"] is None


def test_the_line_of_a_missing_file_is_told(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.commit("atelier.yml", DECLARED.replace("report.md", "nothing.md"))
    assert course.run() == 1
    assert "atelier.yml:5: exercises[1] (report).file: there is no" in capsys.readouterr().err


def test_a_start_file_that_is_not_there_is_told(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.write_settings(start_file="notebooks/pi.ipynb")
    assert course.run() == 1
    assert "notebooks/pi.ipynb: start_file: this file is missing" in capsys.readouterr().err
    for there in ("report.md", "notebooks"):
        (course.source / "notebooks").mkdir(exist_ok=True)
        course.commit("notebooks/e.ipynb", f"{there}\n")
        course.write_settings(start_file=there)
        assert course.run() == 0


def test_a_large_declaration_is_refused_before_it_is_parsed(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(*_: object, **__: object) -> None:
        raise AssertionError("a large file was parsed")

    monkeypatch.setattr("yaml.compose", parse)
    course.commit("atelier.yml", DECLARED + "# long\n" * (4 * 1024 * 1024 // 7))
    assert course.run() == 1
    assert "atelier.yml: the file is over 512 KiB" in capsys.readouterr().err


def test_much_made_of_little_by_aliases_is_refused(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    exercises = "".join(
        f"  - {{id: e{number}, title: {{fr: *long, en: *long}}, file: report.md}}\n"
        for number in range(2, 300)
    )
    first = DECLARED.replace("fr: Rapport", f"fr: &long {'x' * 50_000}")
    course.commit("atelier.yml", first + exercises)
    assert course.run() == 1
    assert "the declared exercises are over 2048 KiB" in capsys.readouterr().err
    assert not course.declaration.exists()


def test_a_source_that_cannot_be_reached_changes_nothing(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.run()
    before = course.live()
    course.write_settings(template={"repository": f"{course.root}/elsewhere"})
    assert course.run() == 1
    assert f"{course.root}/elsewhere" in capsys.readouterr().err
    assert course.live() == before
    error = course.status()["error"]
    assert error["step"] == "pull"
    assert "gardent ce qu’ils ont" in error["fr"]


def test_a_rewritten_history_changes_nothing(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.commit("more.md", "more\n")
    course.run()
    before = course.live()
    git("commit", "--quiet", "--amend", "-m", "Rewritten", cwd=course.source)
    for _ in range(2):
        assert course.run() == 1
        said = capsys.readouterr().err
        assert "its history was rewritten" in said
        assert str(course.mirror) in said
        assert course.live() == before
    assert course.status()["error"]["code"] == "publish_rewritten"


def edit_in_gitlab(course: Course, name: str) -> str:
    work = course.root / f"edit-{name}"
    git("clone", "--quiet", str(course.template), str(work), cwd=course.root)
    made = course.commit(name, "by the teacher\n", work)
    git("push", "--quiet", "origin", "main", cwd=work)
    return made


def test_diverged_histories_change_nothing_and_the_way_out_works(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.run()
    edit_in_gitlab(course, "hint.md")
    before = course.live()
    course.commit("more.md", "more\n")
    for more in ((), ("--dry-run",)):
        assert course.run("update", *more) == 1
        said = capsys.readouterr().err
        assert "has 1 commit(s) that the course's source has not" in said
        assert f"git pull --no-rebase {course.template} main" in said
        assert course.live() == before
    git("pull", "--quiet", "--no-rebase", "--no-edit", str(course.template), "main",
        cwd=course.source)  # fmt: skip
    assert course.run() == 0
    assert len(set(course.live()[:3])) == 1


def test_newer_commits_in_gitlab_are_left_alone(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.run()
    theirs = edit_in_gitlab(course, "hint.md")
    assert not answer(course, capsys)["changed"]
    assert course.head(course.template) == theirs
    assert course.status()["gitlab"]["state"] == "ahead"


def test_a_directory_is_a_source(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    folder = course.root / "folder"
    folder.mkdir()
    (folder / "a.md").write_text("a\n")
    course.write_settings(template={"directory": str(folder)})
    assert course.run() == 0
    first = course.live()
    assert not answer(course, capsys)["changed"]
    (folder / "b.md").write_text("b\n")
    for _ in range(2):  # the same commit, however often it is pulled
        assert course.run("pull") == 0
    staged = course.status()["fetched"]["commit"]
    assert course.run() == 0
    assert course.live() == (staged, staged, staged, ["a.md", "b.md"])
    assert git("rev-parse", "main^", cwd=course.mirror) == first[0]
    theirs = edit_in_gitlab(course, "hint.md")
    (folder / "c.md").write_text("c\n")
    assert course.run() == 1
    assert "Copy the template's files into the directory" in capsys.readouterr().err
    (folder / "c.md").unlink()
    (folder / "hint.md").write_text("by the teacher\n")
    assert course.run() == 0
    assert course.live()[:2] == (theirs, theirs)


def test_expected_answers_are_published_where_only_staff_see_them(course: Course) -> None:
    expected = course.root / "expected"
    expected.mkdir()
    git("init", "--quiet", cwd=expected)
    made = course.commit("report.md", "# Report\n\nIt is 3.\n", expected)
    course.write_settings(expected={"repository": str(expected)})
    assert course.run() == 0
    assert course.head(course.gitlab.folder / "rr1/expected.git") == made
    assert course.head(course.state / "expected/rr1.git") == made
    assert course.gitlab.objects["projects"]["rr1/expected"]["visibility"] == "private"
    # What cannot be fetched of them keeps the template back, too.
    before = course.live()
    course.commit("more.md", "more\n")
    course.write_settings(expected={"repository": f"{course.root}/elsewhere"})
    assert course.run() == 1
    assert course.live() == before


def test_a_dry_run_tells_and_leaves_nothing(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(course, capsys, "--dry-run")
    assert [one["after"] for one in found["changes"]][-3:] == [course.head(course.source)] * 3
    assert not course.state.exists()
    assert not course.gitlab.writes
    course.run()
    before, writes = tree(course.state), list(course.gitlab.writes)
    assert not answer(course, capsys, "--dry-run")["changed"]
    course.commit("more.md", "more\n")
    assert answer(course, capsys, "--dry-run")["changed"]
    course.commit("atelier.yml", WRONG)
    assert course.run("update", "--dry-run") == 1
    assert "atelier.yml:3" in capsys.readouterr().err
    assert tree(course.state) == before
    assert course.gitlab.writes == writes


def test_a_dry_run_needs_no_token_on_a_new_server(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    (course.root / "token").unlink()
    assert answer(course, capsys, "--dry-run")["changed"]
    assert course.run() == 1
    assert "The file with GitLab's token" in capsys.readouterr().err
    assert not course.mirror.exists()


def test_everybody_may_read_the_mirror_and_nobody_the_staging(course: Course) -> None:
    mask = os.umask(0o077)
    try:
        course.run()
    finally:
        os.umask(mask)
    for path in (course.mirror, *course.mirror.rglob("*"), course.declaration):
        wanted = 0o005 if path.is_dir() else 0o004
        assert path.stat().st_mode & wanted == wanted, path
    assert (course.state / "pipeline/rr1.git").stat().st_mode & 0o077 == 0


def test_a_clone_of_the_mirror_brings_nothing_but_the_course(course: Course) -> None:
    course.run()
    course.commit("more.md", "more\n")
    course.run()
    refs = git("ls-remote", str(course.mirror), cwd=course.root).split()[1::2]
    assert sorted(refs) == ["HEAD", "refs/heads/main"]
    git("fsck", "--strict", cwd=course.mirror)
    assert not (course.mirror / "objects/info/alternates").exists()


def test_a_mirror_that_is_gone_is_made_again(course: Course) -> None:
    course.run()
    made = course.commit("more.md", "more\n")
    course.run()
    subprocess.run(["rm", "-rf", str(course.mirror)], check=True)
    assert course.run() == 0
    assert course.head(course.mirror) == made
    git("fsck", cwd=course.mirror)


def test_a_site_of_the_version_before_gets_its_list(course: Course) -> None:
    course.run()
    before = course.live()
    for path in (course.declaration, course.state / "pipeline"):
        subprocess.run(["rm", "-rf", str(path)], check=True)
    assert course.run() == 0
    assert course.live() == before


def test_the_declaration_is_read_as_it_was_written(course: Course) -> None:
    declared = (
        DECLARED.replace("version: 1\n", "version: 1\ntimezone: Europe/Paris\n")
        + "    closes: 2026-12-31\n    compare: {tolerance: {absolute: 0.5}}\n"
    )
    course.commit("atelier.yml", declared)
    assert course.run() == 0
    from atelier.exercises.declared import read_exercises

    written = declaration.read_json(course.declaration)
    assert written is not None
    assert declaration.declared_exercises(written) == read_exercises(declared)


def test_a_check_is_made_once_for_a_commit(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    course.run()
    monkeypatch.setattr("atelier.courses.rules.check_commit", None)
    began = time.monotonic()
    assert course.run() == 0
    assert time.monotonic() - began < 60
