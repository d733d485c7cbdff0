"""A course's commits on their way to learners: fetched, checked, and only then published."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from atelier.courses import declaration
from atelier.courses.git import GitError
from atelier.courses.publish import _explained
from atelier.i18n.translate import say
from unit.atelier.pipeline_site import DECLARED, Course, Projects, git, write_source
from unit.modules.gitlab_double import serve

WRONG = DECLARED.replace("id: report", "id: Report")


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    gitlab = Projects(tmp_path / "gitlab")
    server = serve(gitlab)
    made = Course(tmp_path, gitlab)
    write_source(tmp_path)
    made.write_settings()
    yield made
    server.shutdown()
    server.server_close()


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


def test_each_step_does_its_part_alone(course: Course) -> None:
    course.run()
    before = course.live()
    made = course.commit("more.md", "more\n")
    assert course.run("pull") == 0
    assert course.run("check") == 0
    assert course.live() == before
    assert course.status()["checked"]["commit"] == made
    assert course.run("publish") == 0
    assert course.live()[0] == made


def test_nothing_is_published_before_something_was_fetched(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert course.run("publish") == 1
    assert "run `atelier-course pull rr1` first" in capsys.readouterr().err
    assert not course.mirror.exists()


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


def test_a_password_in_an_address_is_refused_without_repeating_it(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "https://me:hunter2@git.example.org/x.git"
    course.write_settings(template={"repository": address})
    assert course.run() == 1
    assert "leave it out" in capsys.readouterr().err
    assert "hunter2" not in (course.state / "pipeline/rr1.json").read_text()


def test_two_runs_at_once_wait_for_each_other(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.run()
    with (course.state / "pipeline/rr1.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert course.run("update", "--wait", "0") == 1
        assert "is still at work" in capsys.readouterr().err
        made = course.commit("more.md", "more\n")
        done: list[int] = []
        both = [threading.Thread(target=lambda: done.append(course.run())) for _ in range(2)]
        for one in both:
            one.start()
        assert done == []
    for one in both:
        one.join()
    assert done == [0, 0]
    assert course.live()[:3] == (made, made, made)


def test_the_lock_lasts_until_git_has_ended(course: Course, tmp_path: Path) -> None:
    """A run that was killed may leave git at work."""
    course.run()
    started, go = tmp_path / "started", tmp_path / "go"
    os.mkfifo(started)
    os.mkfifo(go)
    helper = tmp_path / "bin/git-remote-slow"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\necho > {started}\nread line < {go}\n")
    helper.chmod(0o755)
    course.write_settings(template={"repository": "slow::x"})

    def slow() -> None:
        os.environ["PATH"] = f"{helper.parent}:{os.environ['PATH']}"
        course.run()

    pid = forked(slow)
    started.read_text()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    course.write_settings()
    assert course.run("update", "--wait", "0") == 1
    go.write_text("\n")
    assert course.run("update", "--wait", "60") == 0


def forked(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def killed_at(course: Course, moment: int) -> bool:
    """Run in a process that is killed before its n-th git or change of a file's name."""

    def work() -> None:
        left = moment

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*given, **named)

            return call

        subprocess.run = counted(subprocess.run)
        for name in ("rename", "replace", "chmod"):
            setattr(Path, name, counted(getattr(Path, name)))
        os.fsync = counted(os.fsync)
        os._exit(course.run())

    pid = forked(work)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


@pytest.mark.long
@pytest.mark.parametrize("first", [True, False], ids=["first run", "later run"])
def test_a_run_killed_anywhere_leaves_old_or_new(course: Course, first: bool) -> None:
    moment = 0
    if not first:
        course.run()
    while True:
        old = None if first else course.head(course.mirror)
        new = course.commit("more.md", f"{moment}\n")
        killed = killed_at(course, moment)
        if course.mirror.exists():
            assert course.head(course.mirror) in (old, new)
            git("fsck", "--strict", cwd=course.mirror)
        else:
            assert first
        if course.declaration.exists():
            written = json.loads(course.declaration.read_text())
            assert written["commit"] in (old, new)
        if not killed:
            break
        assert course.run() == 0
        assert course.live()[:3] == (new, new, new)
        left = [path.name for path in course.declaration.parent.iterdir()]
        assert sorted(left) == ["rr1.git", "rr1.json"]
        if first:
            for path in (course.state, course.gitlab.folder):
                subprocess.run(["rm", "-rf", str(path)], check=True)
            course.gitlab.objects = {"groups": {}, "projects": {}}
        moment += 1
    assert moment > 20


def test_a_lock_that_a_killed_git_left_is_no_obstacle(course: Course) -> None:
    course.run()
    made = course.commit("more.md", "more\n")
    for repository in (course.mirror, course.state / "pipeline/rr1.git"):
        (repository / "refs/heads/main.lock").touch()
        (repository / "packed-refs.lock").touch()
    assert course.run() == 0
    assert course.head(course.mirror) == made


def test_the_status_is_told_in_words_and_as_json(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say("publish_live_none", "fr") == "Rien n’est encore publié."
    course.run()
    live = course.head(course.mirror)
    refused = course.commit("atelier.yml", WRONG)
    course.run()
    capsys.readouterr()
    for lang, words in (("fr", "minuscules"), ("en", "lower-case")):
        where = ["--state", str(course.state), "--lang", lang]
        assert run_status(where) == 0
        said = capsys.readouterr().out
        assert live[:12] in said
        assert refused[:12] in said
        assert "atelier.yml:3: exercises[1].id" in said
        assert words in said
    assert run_status(["--state", str(course.state), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"]["commit"] == refused


def run_status(more: list[str]) -> int:
    from atelier.cli.course import main

    return main(["status", "rr1", *more])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "role course writes it"),
        ("slug: [", "rr1.yml"),
        ("slug: rr1\n", "template"),
        ("slug: rr1\ntemplate: {}\ngitlab: {}\n", "needs one of repository and directory"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    course: Course, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    if content is None:
        course.settings.unlink()
    else:
        course.settings.write_text(content)
    assert course.run() == 1
    assert words in capsys.readouterr().err
    assert not course.mirror.exists()


def test_another_courses_settings_are_refused(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.write_settings(slug="rr2")
    assert course.run() == 1
    assert "is the file of the course rr2, not of rr1" in capsys.readouterr().err


def test_what_git_says_is_the_same_in_both_places(course: Course) -> None:
    from atelier.courses import source
    from atelier.courses.git import Repository, check_address

    with pytest.raises(GitError) as raised:
        check_address("https://me:x@git.example.org/x")
    said = _explained(raised.value)
    assert say(said["key"], "en", **said["fields"]) == str(raised.value)
    with pytest.raises(GitError) as raised:
        source.branch_tip(Repository(course.source / ".git"), str(course.source), "nope")
    said = _explained(raised.value)
    assert say(said["key"], "en", **said["fields"]) == str(raised.value)


def test_the_proxies_are_for_the_source_alone(
    course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    helper = tmp_path / "bin/git-remote-elsewhere"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\necho proxy=$https_proxy > {seen}\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    course.write_settings(template={"repository": "elsewhere::x"})
    assert course.run() == 1
    assert seen.read_text() == "proxy=http://proxy.example:3128\n"
    assert "https_proxy" not in os.environ


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
