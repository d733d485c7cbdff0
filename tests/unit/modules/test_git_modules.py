"""A course's source on its way to GitLab: forward only, nothing lost, dry runs dry."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.modules import run, tree

PERSON = {
    f"GIT_{role}_{what}": "t@example.org"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=cwd, env={**os.environ, **PERSON}, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def commit(repository: Path, name: str, text: str) -> str:
    (repository / name).write_text(text)
    git("add", "--all", cwd=repository)
    git("commit", "--quiet", "-m", f"Write {name}", cwd=repository)
    return git("rev-parse", "HEAD", cwd=repository)


def content(repository: Path, scratch: Path) -> dict[str, str]:
    git("clone", "--quiet", str(repository), str(scratch), cwd=repository)
    return tree(scratch)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror.git"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.mkdir()
    git("init", "--quiet", cwd=path)
    commit(path, "journal.md", "# Journal\n")
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "directory"
    (path / "notebooks").mkdir(parents=True)
    (path / "journal.md").write_text("# Journal\n")
    (path / "notebooks/pi.ipynb").write_text("{}\n")
    return path


@pytest.fixture
def forge(tmp_path: Path) -> Path:
    """What stands for the template's repository in GitLab."""
    path = tmp_path / "forge.git"
    path.mkdir()
    git("init", "--quiet", "--bare", cwd=path)
    return path


@pytest.fixture
def edit_forge(tmp_path: Path, forge: Path) -> Callable[[str, str], str]:
    """Somebody edits a file of the template in GitLab's own pages."""

    def edit(name: str, text: str) -> str:
        work = tmp_path / f"edit-{name}"
        git("clone", "--quiet", str(forge), str(work), cwd=tmp_path)
        made = commit(work, name, text)
        git("push", "--quiet", "origin", "main", cwd=work)
        return made

    return edit


def test_a_repository_is_mirrored_once_and_again_when_it_moves_on(
    mirror: Path, source: Path
) -> None:
    wanted = {"path": str(mirror), "repository": str(source)}
    assert run("git_mirror", **wanted).changed
    assert not run("git_mirror", **wanted).changed
    made = commit(source, "notes.org", "* Notes\n")
    ran = run("git_mirror", **wanted)
    assert ran.changed
    assert ran.result["commit"] == made == git("rev-parse", "main", cwd=mirror)


def test_another_branch_of_the_source_becomes_the_mirrors_main(mirror: Path, source: Path) -> None:
    git("checkout", "--quiet", "-b", "session-2", cwd=source)
    made = commit(source, "session.md", "2\n")
    run("git_mirror", path=str(mirror), repository=str(source), repository_branch="session-2")
    assert git("rev-parse", "main", cwd=mirror) == made
    assert git("symbolic-ref", "HEAD", cwd=mirror) == "refs/heads/main"


def test_a_branch_that_does_not_exist_is_named(mirror: Path, source: Path) -> None:
    ran = run("git_mirror", path=str(mirror), repository=str(source), repository_branch="nope")
    assert f"The repository {source} has no branch nope" in ran.failure


def test_a_rewritten_history_is_refused_and_the_mirror_stays(mirror: Path, source: Path) -> None:
    commit(source, "notes.org", "* Notes\n")
    wanted = {"path": str(mirror), "repository": str(source)}
    before = run("git_mirror", **wanted).result["commit"]
    git("commit", "--quiet", "--amend", "-m", "Rewritten", cwd=source)
    assert "its history was rewritten" in run("git_mirror", **wanted).failure
    assert git("rev-parse", "main", cwd=mirror) == before


def test_an_address_with_a_password_is_refused_without_repeating_it(mirror: Path) -> None:
    ran = run("git_mirror", path=str(mirror), repository="https://me:hunter2@git.example.org/x.git")
    assert "leave it out" in ran.failure
    assert "hunter2" not in ran.failure


def test_everybody_may_read_the_mirror(mirror: Path, source: Path) -> None:
    mask = os.umask(0o077)
    try:
        run("git_mirror", path=str(mirror), repository=str(source))
    finally:
        os.umask(mask)
    for path in (mirror, *mirror.rglob("*")):
        wanted = 0o005 if path.is_dir() else 0o004
        assert path.stat().st_mode & wanted == wanted, path


def test_a_directory_is_committed_when_its_files_change_and_only_then(
    mirror: Path, directory: Path, tmp_path: Path
) -> None:
    wanted = {"path": str(mirror), "directory": str(directory)}
    assert run("git_mirror", **wanted).changed
    os.utime(directory / "journal.md")
    assert not run("git_mirror", **wanted).changed
    (directory / "journal.md").unlink()
    (directory / "new.md").write_text("new\n")
    assert run("git_mirror", **wanted).changed
    assert content(mirror, tmp_path / "out") == {"new.md": "new\n", "notebooks/pi.ipynb": "{}\n"}
    assert git("rev-list", "--count", "main", cwd=mirror) == "2"


def test_what_the_directory_ignores_stays_out(
    mirror: Path, directory: Path, tmp_path: Path
) -> None:
    (directory / ".gitignore").write_text("*.log\n")
    (directory / "run.log").write_text("x\n")
    run("git_mirror", path=str(mirror), directory=str(directory))
    assert "run.log" not in content(mirror, tmp_path / "out")


def test_an_empty_directory_is_refused(mirror: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("git_mirror", path=str(mirror), directory=str(tmp_path / "empty"))
    assert "holds no file" in ran.failure


@pytest.mark.parametrize("kind", ["directory", "repository"])
def test_a_dry_run_tells_and_writes_nothing(
    kind: str, mirror: Path, source: Path, directory: Path
) -> None:
    wanted = {"path": str(mirror), kind: str(source if kind == "repository" else directory)}
    assert run("git_mirror", check=True, **wanted).changed
    assert not mirror.exists()
    before = run("git_mirror", **wanted).result["commit"]
    objects = sorted(mirror.rglob("*"))
    assert not run("git_mirror", check=True, **wanted).changed
    (directory / "more.md").write_text("more\n")
    commit(source, "more.md", "more\n")
    assert run("git_mirror", check=True, **wanted).changed
    assert git("rev-parse", "main", cwd=mirror) == before
    assert sorted(mirror.rglob("*")) == objects


def publish(mirror: Path, forge: Path, *, check: bool = False):  # type: ignore[no-untyped-def]
    return run("git_publish", check=check, path=str(mirror), url=str(forge))


def test_the_template_is_pushed_once(mirror: Path, source: Path, forge: Path) -> None:
    made = run("git_mirror", path=str(mirror), repository=str(source)).result["commit"]
    assert publish(mirror, forge, check=True).changed
    assert publish(mirror, forge).result["state"] == "pushed"
    assert git("rev-parse", "main", cwd=forge) == made
    assert not publish(mirror, forge).changed


def test_newer_commits_in_gitlab_are_left_alone(
    mirror: Path, source: Path, forge: Path, edit_forge: Callable[[str, str], str]
) -> None:
    run("git_mirror", path=str(mirror), repository=str(source))
    publish(mirror, forge)
    made = edit_forge("hint.md", "by the teacher\n")
    ran = publish(mirror, forge)
    assert (ran.changed, ran.result["state"], ran.result["commit"]) == (False, "ahead", made)


def test_diverged_histories_are_refused_with_a_way_out(
    mirror: Path, source: Path, forge: Path, edit_forge: Callable[[str, str], str]
) -> None:
    wanted = {"path": str(mirror), "repository": str(source)}
    run("git_mirror", **wanted)
    publish(mirror, forge)
    theirs = edit_forge("hint.md", "by the teacher\n")
    commit(source, "notes.org", "* Notes\n")
    run("git_mirror", **wanted)
    for check in (True, False):
        failure = publish(mirror, forge, check=check).failure
        assert "1 commit(s) that the course's source has not" in failure
        assert f"git pull --no-rebase {forge} main" in failure
    assert git("rev-parse", "main", cwd=forge) == theirs
    # The way out that the message names:
    git("pull", "--quiet", "--no-rebase", "--no-edit", str(forge), "main", cwd=source)
    run("git_mirror", **wanted)
    assert publish(mirror, forge).changed


def test_a_directory_does_not_run_over_edits_made_in_gitlab(
    mirror: Path, directory: Path, forge: Path, edit_forge: Callable[[str, str], str]
) -> None:
    wanted = {"path": str(mirror), "directory": str(directory), "base": str(forge)}
    before = run("git_mirror", **wanted).result["commit"]
    publish(mirror, forge)
    theirs = edit_forge("hint.md", "by the teacher\n")
    assert not run("git_mirror", **wanted).changed
    (directory / "new.md").write_text("new\n")
    assert "Copy the template's files into the directory" in run("git_mirror", **wanted).failure
    assert git("rev-parse", "main", cwd=mirror) == before
    # The way out that the message names:
    (directory / "new.md").unlink()
    (directory / "hint.md").write_text("by the teacher\n")
    assert run("git_mirror", **wanted).result["commit"] == theirs
    (directory / "new.md").write_text("new\n")
    run("git_mirror", **wanted)
    assert publish(mirror, forge).result["commits"] == 1


def test_a_new_server_goes_on_from_what_is_published(
    mirror: Path, directory: Path, forge: Path, tmp_path: Path
) -> None:
    run("git_mirror", path=str(mirror), directory=str(directory))
    publish(mirror, forge)
    (directory / "new.md").write_text("new\n")
    rebuilt = tmp_path / "rebuilt.git"
    run("git_mirror", path=str(rebuilt), directory=str(directory), base=str(forge))
    assert publish(rebuilt, forge).result["commits"] == 1


def test_a_clone_of_the_mirror_brings_nothing_but_the_course(
    mirror: Path, source: Path, tmp_path: Path
) -> None:
    wanted = {"path": str(mirror), "repository": str(source)}
    run("git_mirror", **wanted)
    commit(source, "more.md", "more\n")
    run("git_mirror", **wanted)
    refs = git("ls-remote", str(mirror), cwd=tmp_path).split()[1::2]
    assert sorted(refs) == ["HEAD", "refs/heads/main"]


@pytest.fixture
def validate(tmp_path: Path) -> dict[str, Any]:
    """A check that counts its runs and refuses what its rules, a file, say."""
    rules = tmp_path / "rules"
    rules.write_text("true")
    script = f"echo run >> {tmp_path}/runs; echo the reason >&2; sh {rules}"
    return {
        "command": ["sh", "-c", script],
        "inputs": [str(rules), str(tmp_path / "missing")],
        "refused": "Not right.",
    }


def runs(tmp_path: Path) -> int:
    """How often the check was asked since the last time."""
    path = tmp_path / "runs"
    count = len(path.read_text().splitlines()) if path.exists() else 0
    path.unlink(missing_ok=True)
    return count


def test_a_commit_is_checked_once_before_it_is_pushed(
    mirror: Path, source: Path, forge: Path, validate: dict[str, Any], tmp_path: Path
) -> None:
    wanted = {"path": str(mirror), "url": str(forge), "validate": validate}
    run("git_mirror", path=str(mirror), repository=str(source))
    assert run("git_publish", **wanted).changed
    assert not run("git_publish", **wanted).changed
    assert not run("git_publish", check=True, **wanted).changed
    assert runs(tmp_path) == 1
    made = commit(source, "more.md", "more\n")
    run("git_mirror", path=str(mirror), repository=str(source))
    assert run("git_publish", **wanted).changed
    assert runs(tmp_path) == 1
    assert git("rev-parse", "main", cwd=forge) == made


def test_a_refused_commit_is_not_pushed_by_any_later_run(
    mirror: Path, source: Path, forge: Path, validate: dict[str, Any], tmp_path: Path
) -> None:
    wanted = {"path": str(mirror), "url": str(forge), "validate": validate}
    run("git_mirror", path=str(mirror), repository=str(source))
    (tmp_path / "rules").write_text("exit 1")
    for _ in range(2):
        assert run("git_publish", **wanted).failure == "Not right.\nthe reason"
    assert runs(tmp_path) == 2
    (tmp_path / "rules").write_text("exit 2")
    assert "fails with code 2: the reason" in run("git_publish", **wanted).failure
    assert git("ls-remote", str(forge), cwd=tmp_path) == ""


def test_what_was_published_is_checked_again_by_other_rules(
    mirror: Path, source: Path, forge: Path, validate: dict[str, Any], tmp_path: Path
) -> None:
    wanted = {"path": str(mirror), "url": str(forge), "validate": validate}
    run("git_mirror", path=str(mirror), repository=str(source))
    run("git_publish", **wanted)
    (tmp_path / "rules").write_text("true # stricter")
    assert not run("git_publish", **wanted).changed
    assert runs(tmp_path) == 2
    (tmp_path / "rules").write_text("exit 1")
    assert "the reason" in run("git_publish", **wanted).failure


def test_a_dry_run_asks_the_check_and_notes_nothing(
    mirror: Path, source: Path, forge: Path, validate: dict[str, Any], tmp_path: Path
) -> None:
    wanted = {"path": str(mirror), "url": str(forge), "validate": validate}
    run("git_mirror", path=str(mirror), repository=str(source))
    before = sorted(mirror.rglob("*"))
    assert run("git_publish", check=True, **wanted).changed
    assert sorted(mirror.rglob("*")) == before
    (tmp_path / "rules").write_text("exit 1")
    assert "the reason" in run("git_publish", check=True, **wanted).failure
    assert runs(tmp_path) == 2


def test_the_token_answers_git_from_its_file_and_is_no_argument(tmp_path: Path) -> None:
    from ansible_collections.mooc.atelier.plugins.module_utils._git import git as _git

    token_file = tmp_path / "it's a token"
    token_file.write_text("glpat-0123456789\n")
    options = _git.credential_options(str(token_file))
    assert not any("glpat" in option for option in options)
    answer = subprocess.run(
        ["git", *options, "credential", "fill"],
        input="protocol=https\nhost=gitlab.example.org\n\n",
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "password=glpat-0123456789\n" in answer
