"""What "save to GitLab" commits and sends, and when it refuses."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from atelier_toolbar.save import PUSHES
from atelier_toolbar.settings import Toolbar

from .conftest import Desk, git, notebook, problem_of, sources

NAMES = [
    "a space.md",
    "l'été \"d'ici\".md",
    "-n.md",
    "--force",
    "two\nlines.md",
    "tab\there.md",
    "*.md",
    ":(glob)x.md",
    unicodedata.normalize("NFC", "é.md"),
    unicodedata.normalize("NFD", "é.md"),
    "💾.ipynb",
    "back\\slash.R",
    os.fsdecode(b"latin-\xe9.txt"),
    "dossier à moi/-x/ fin .org",
    "$(touch hacked);`touch hacked`.md",
]


def gitlab_has(gitlab: Path, name: str) -> str:
    return git(gitlab, "show", f"main:{name}")


def test_a_save_sends_what_changed_and_says_where_it_is(desk: Desk, gitlab: Path) -> None:
    desk.write("notes.md", "mine\n")
    desk.write("new.R", "x <- 1\n")
    result = desk.save(message="Mon travail\n d'aujourd'hui\0")
    assert gitlab_has(gitlab, "notes.md") == "mine"
    assert gitlab_has(gitlab, "new.R") == "x <- 1"
    assert git(gitlab, "log", "-1", "--format=%H %an <%ae> %B", "main").split(" ", 1) == [
        result["commit"],
        "Ada L <ada@example.org> Mon travail d'aujourd'hui",
    ]
    assert (result["files"], result["merged"], result["pushed"]) == (2, False, True)
    assert desk.steps == ["commit", "push"]
    assert desk.changes() == {}
    assert git(desk.top, "status", "-sb").splitlines() == ["## main...origin/main"]


def test_only_the_files_asked_for_are_saved(desk: Desk, gitlab: Path) -> None:
    desk.write("notes.md", "mine\n")
    desk.write("other.md", "not yet\n")
    git(desk.top, "add", "other.md")  # staged in a terminal: still not asked for
    assert desk.save("notes.md")["files"] == 1
    assert "other.md" not in git(gitlab, "ls-tree", "--name-only", "main")
    assert desk.changes() == {"other.md": "new"}


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_is_saved_and_pulled(
    desk: Desk, other: Desk, gitlab: Path, name: str
) -> None:
    desk.write(name, "content\n")
    assert desk.changes() == {name: "new"}
    assert desk.state(name) == "new"
    desk.save(name)
    assert gitlab_has(gitlab, name) == "content"
    assert desk.state(name) == "saved"
    other.pull()
    assert other.read(name) == "content\n"
    (other.top / name).unlink()
    other.save(name)
    desk.pull()
    assert not (desk.top / name).exists()
    assert "hacked" not in {path.name for path in desk.root.rglob("*")}


def test_a_link_is_saved_as_a_link_whatever_it_leads_to(desk: Desk, gitlab: Path) -> None:
    desk.write("data2025/a.csv", "1\n")
    desk.write("data2026/a.csv", "2\n")
    links = {"data": "data2025", "file": "notes.md", "lost": "nowhere"}
    for name, target in links.items():
        (desk.top / name).symlink_to(target)
    assert desk.save()["files"] == 5
    assert {name: gitlab_has(gitlab, name) for name in links} == links
    modes = git(gitlab, "ls-tree", "--format=%(objectmode)", "main", *links)
    assert modes.split() == ["120000"] * 3

    (desk.top / "data").unlink()
    (desk.top / "data").symlink_to("data2026")
    assert desk.changes() == {"data": "modified"}
    (desk.top / "notes.md").rename(desk.top / "renamed.md")
    assert desk.save("data", "renamed.md")["files"] == 2  # what was committed, a new name once
    assert gitlab_has(gitlab, "data") == "data2026"
    assert desk.changes() == {}


def test_a_large_file_is_refused_by_name_before_anything_is_committed(
    desk: Desk, gitlab: Path
) -> None:
    desk.toolbar = Toolbar(max_file_mb=1)
    before = git(gitlab, "rev-parse", "main")
    desk.write("notes.md", "mine\n")
    desk.write("big data.csv", b"x" * (10**6 + 1))
    problem = problem_of(desk.save)
    assert problem["code"] == "too_large"
    assert problem["files"] == [{"path": "demo/big data.csv", "size": 10**6 + 1, "limit": 10**6}]
    assert git(desk.top, "rev-parse", "HEAD") == before
    desk.save("notes.md")
    assert gitlab_has(gitlab, "notes.md") == "mine"


def test_deleted_and_renamed_files_are_so_in_gitlab(desk: Desk, gitlab: Path) -> None:
    (desk.top / "notes.md").rename(desk.top / "journal.md")
    (desk.top / ".gitignore").unlink()
    assert desk.changes() == {"journal.md": "renamed", ".gitignore": "deleted"}
    desk.save("journal.md")
    assert git(gitlab, "ls-tree", "--name-only", "main").split() == [
        ".gitignore",
        "exo.ipynb",
        "journal.md",
    ]


def test_a_file_becomes_a_folder_and_back(desk: Desk, other: Desk) -> None:
    (desk.top / "notes.md").unlink()
    desk.write("notes.md/inside.md", "x\n")
    desk.save()
    other.pull()
    assert other.read("notes.md/inside.md") == "x\n"
    (other.top / "notes.md/inside.md").unlink()
    (other.top / "notes.md").rmdir()
    other.write("notes.md", "a file again\n")
    other.save()
    desk.pull()
    assert desk.read("notes.md") == "a file again\n"


def test_a_link_is_saved_as_a_link(desk: Desk, other: Desk) -> None:
    (desk.top / "link").symlink_to("/etc/hostname")
    desk.save()
    other.pull()
    assert (other.top / "link").readlink() == Path("/etc/hostname")


@pytest.mark.parametrize("name", ["../outside.md", ".git/config", "a/../../x", ".GIT/x"])
def test_a_file_that_is_not_the_clones_is_refused(desk: Desk, name: str) -> None:
    (desk.root / "outside.md").write_text("x\n")
    assert problem_of(desk.save, name)["code"] == "bad_name"


def test_a_save_without_a_message_says_what_it_saves(desk: Desk, gitlab: Path) -> None:
    desk.write("notes.md", "mine\n")
    desk.write("another.md", "mine too\n")
    desk.save("notes.md", message="", open_file="notes.md")
    assert git(gitlab, "log", "-1", "--format=%s", "main") == "Update notes.md"
    desk.write("notes.md", "mine again\n")
    desk.save(message="", open_file="notes.md")
    assert git(gitlab, "log", "-1", "--format=%s", "main") == "Update notes.md and one more file"


def test_nothing_to_save_is_said(desk: Desk) -> None:
    assert problem_of(desk.save)["code"] == "nothing"


def test_outputs_are_left_out_where_the_course_says_so(desk: Desk, gitlab: Path) -> None:
    desk.toolbar = Toolbar(outputs="strip")
    whole = notebook("a = 1", "b = 3", outputs="big figure")
    desk.write("exo.ipynb", whole)
    desk.save()
    assert gitlab_has(gitlab, "exo.ipynb") + "\n" == notebook("a = 1", "b = 3")
    assert desk.read("exo.ipynb") == whole
    assert desk.changes() == {}
    assert desk.state("exo.ipynb") == "saved"
    desk.write("exo.ipynb", notebook("a = 1", "b = 3", outputs="another run"))
    assert problem_of(desk.save)["code"] == "nothing"


def test_outputs_are_kept_otherwise(desk: Desk, gitlab: Path) -> None:
    desk.write("exo.ipynb", notebook("a = 1", outputs="figure"))
    desk.save()
    assert "figure" in gitlab_has(gitlab, "exo.ipynb")


def test_a_push_refused_because_gitlab_moved_on_is_merged_and_sent(
    desk: Desk, other: Desk, gitlab: Path
) -> None:
    other.write("exo.ipynb", notebook("a = 1", "b = 2", "c = 30"))
    other.save()
    desk.write("exo.ipynb", notebook("a = 10", "b = 2", "c = 3"))
    result = desk.save()
    assert desk.steps == ["commit", "push", "fetch", "merge", "push"]
    assert result["merged"]
    assert result["reload"] == ["demo/exo.ipynb"]
    assert sources(gitlab_has(gitlab, "exo.ipynb")) == ["a = 10", "b = 2", "c = 30"]
    assert desk.read("exo.ipynb").strip() == gitlab_has(gitlab, "exo.ipynb")
    assert desk.state("exo.ipynb") == "saved"


def test_who_has_no_name_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "gitconfig").write_text("")
    desk.write("notes.md", "mine\n")
    assert problem_of(desk.save)["code"] == "no_identity"
    assert git(desk.top, "status", "--porcelain").strip() == "M notes.md"


def test_a_detached_head_is_told(desk: Desk) -> None:
    git(desk.top, "checkout", "-q", "--detach")
    desk.write("notes.md", "mine\n")
    assert problem_of(desk.save)["code"] == "no_branch"
    assert desk.status()["repository"]["branch"] is None


def test_the_first_save_of_all_makes_the_branch(tmp_path: Path) -> None:
    empty = tmp_path / "empty.git"
    git(tmp_path, "init", "-q", "--bare", str(empty))
    git(tmp_path, "clone", "-q", str(empty), "demo")
    desk = Desk(tmp_path, "demo")
    desk.write("a.md", "x\n")
    assert desk.state("a.md") == "new"
    desk.save()
    assert gitlab_has(empty, "a.md") == "x"
    assert desk.state("a.md") == "saved"


def test_hooks_and_commands_of_the_clones_settings_are_not_run(
    desk: Desk, other: Desk, tmp_path: Path
) -> None:
    trace = tmp_path / "ran"
    for hook in ("pre-commit", "pre-push", "post-merge", "reference-transaction", "commit-msg"):
        file = desk.top / ".git" / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\ntouch {trace}\nexit 1\n")
        file.chmod(0o755)
    git(desk.top, "config", "core.fsmonitor", f"touch {trace}")
    git(desk.top, "config", "commit.gpgsign", "true")
    other.write("other.md", "x\n")
    other.save()
    desk.write("notes.md", "mine\n")
    desk.save()
    assert not trace.exists()


def refuse_pushes(gitlab: Path, words: str) -> None:
    """GitLab's checks run in this hook."""
    hook = gitlab / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho 'GitLab: {words}' >&2\nexit 1\n")
    hook.chmod(0o755)


@pytest.mark.parametrize(
    "words",
    [
        "You are not allowed to push code to protected branches on this project.",
        "Your push has been rejected, because this project has exceeded its size limit.",
        "The disk of the server is full: No space left on device",
    ],
)
def test_a_push_that_gitlab_refuses_is_told_in_gitlabs_words(
    desk: Desk, gitlab: Path, words: str
) -> None:
    refuse_pushes(gitlab, words)
    desk.write("notes.md", "mine\n")
    problem = problem_of(desk.save)
    assert (problem["code"], problem["committed"]) == ("refused", True)
    assert words in problem["detail"]
    (gitlab / "hooks/pre-receive").unlink()
    desk.save()
    assert gitlab_has(gitlab, "notes.md") == "mine"


def test_a_gitlab_that_moves_on_at_every_try_is_told(desk: Desk, gitlab: Path) -> None:
    hook = gitlab / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\n"
        "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        "new=$(git commit-tree -p main -m moved 'main^{tree}')\n"
        'git update-ref refs/heads/main "$new"\n'
    )
    hook.chmod(0o755)
    desk.write("notes.md", "mine\n")
    problem = problem_of(desk.save)
    assert (problem["code"], problem["committed"]) == ("moving", True)
    assert desk.steps.count("push") == PUSHES
    hook.unlink()
    desk.save()
    assert gitlab_has(gitlab, "notes.md") == "mine"


def test_a_push_that_is_too_large_for_gitlab_is_told(desk: Desk, gitlab: Path) -> None:
    git(gitlab, "config", "receive.maxInputSize", "100k")
    (desk.top / "noise").write_bytes(os.urandom(200_000))
    problem = problem_of(desk.save)
    assert problem["code"] == "too_much"
    assert problem["committed"] is True
    git(gitlab, "config", "receive.maxInputSize", "1m")
    desk.write("more.md", "more\n")
    desk.save()
    assert git(gitlab, "show", "main:more.md") == "more"
