"""What "pull" brings, what it merges, and what it keeps beside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from atelier_toolbar import exchange, objects
from atelier_toolbar.kept import KEPT
from atelier_toolbar.problems import Problem

from .conftest import Desk, git, notebook, problem_of, sources


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_a_pull_brings_what_is_newer(desk: Desk, other: Desk) -> None:
    other.write("notes.md", "theirs\n")
    other.write("new/file.org", "* new\n")
    (other.top / ".gitignore").unlink()
    other.save()
    assert desk.state("notes.md", ask=True) == "newer"
    result = desk.pull()
    assert desk.read("notes.md") == "theirs\n"
    assert desk.files() == {"notes.md", "new/file.org", "exo.ipynb"}
    assert sorted(result["reload"]) == ["demo/.gitignore", "demo/new/file.org", "demo/notes.md"]
    assert (result["kept_beside"], result["up_to_date"]) == ([], False)
    assert git(desk.top, "status", "-sb") == "## main...origin/main"
    assert desk.pull() == {"updated": [], "up_to_date": True, "reload": [], "kept_beside": []}


def test_changes_of_both_sides_are_merged_and_stay_unsaved(desk: Desk, other: Desk) -> None:
    other.write("notes.md", other.read("notes.md").replace("line 9", "line 9, theirs"))
    other.save()
    desk.write("notes.md", desk.read("notes.md").replace("line 1\n", "line 1, mine\n"))
    result = desk.pull()
    text = desk.read("notes.md")
    assert "line 1, mine" in text
    assert "line 9, theirs" in text
    assert result["reload"] == ["demo/notes.md"]
    assert desk.changes() == {"notes.md": "modified"}


def test_notebooks_are_merged_cell_by_cell(desk: Desk, other: Desk) -> None:
    other.write("exo.ipynb", notebook("a = 1", "b = 2", "c = 3\nprint(c)"))
    other.save()
    desk.write("exo.ipynb", notebook("a = 1\nprint(a)", "b = 2", "c = 3", outputs="1"))
    desk.pull()
    assert sources(desk.read("exo.ipynb")) == ["a = 1\nprint(a)", "b = 2", "c = 3\nprint(c)"]


@pytest.mark.apart
def test_notebooks_are_merged_in_a_process_of_their_own(desk: Desk, other: Desk) -> None:
    other.write("exo.ipynb", notebook("a = 1", "b = 2", "c = 'é'"))
    other.save()
    desk.write("exo.ipynb", notebook("a = '💾'", "b = 2", "c = 3"))
    desk.pull()
    assert sources(desk.read("exo.ipynb")) == ["a = '💾'", "b = 2", "c = 'é'"]


@pytest.mark.parametrize(
    ("lang", "kept"), [("en", "exo (yours).ipynb"), ("fr", "exo (à vous).ipynb")]
)
def test_what_contradicts_is_kept_beside(desk: Desk, other: Desk, lang: str, kept: str) -> None:
    desk.lang = lang
    theirs, mine = notebook("a = 'theirs'"), notebook("a = 'mine'")
    other.write("exo.ipynb", theirs)
    other.save()
    desk.write("exo.ipynb", mine)
    result = desk.pull()
    assert result["kept_beside"] == [{"path": "demo/exo.ipynb", "kept": f"demo/{kept}"}]
    assert (desk.read("exo.ipynb"), desk.read(kept)) == (theirs, mine)
    assert desk.state(kept) == "kept_beside"
    assert desk.state("exo.ipynb") == "saved"


def test_saved_versions_that_contradict_are_both_in_gitlab(desk: Desk, other: Desk) -> None:
    other.write("notes.md", "theirs\n")
    other.save()
    desk.write("notes.md", "mine\n")
    result = desk.save()
    assert result["kept_beside"] == [{"path": "demo/notes.md", "kept": "demo/notes (yours).md"}]
    other.pull()
    assert other.read("notes.md") == "theirs\n"
    assert other.read("notes (yours).md") == "mine\n"


def test_kept_names_never_take_anothers_place(desk: Desk, other: Desk) -> None:
    desk.write("notes (yours).md", "a file of that name\n")
    for number in (1, 2):
        other.write("notes.md", f"theirs {number}\n")
        other.save()
        desk.write("notes.md", f"mine {number}\n")
        desk.pull()
    assert desk.read("notes (yours).md") == "a file of that name\n"
    assert desk.read("notes (yours 2).md") == "mine 1\n"
    assert desk.read("notes (yours 3).md") == "mine 2\n"


@pytest.mark.parametrize("name", ["new.md", "data.tmp"], ids=["untracked", "ignored"])
def test_a_file_in_the_way_is_kept_beside(desk: Desk, other: Desk, name: str) -> None:
    other.write(name, "theirs\n")
    other.save(name)
    desk.write(name, "mine\n")
    assert desk.state(name) == ("new" if name == "new.md" else "ignored")
    desk.pull()
    stem, suffix = name.split(".")
    assert desk.read(name) == "theirs\n"
    assert desk.read(f"{stem} (yours).{suffix}") == "mine\n"


def test_a_folder_in_the_way_of_a_file_is_kept_beside(desk: Desk, other: Desk) -> None:
    other.write("results", "a file\n")
    other.save()
    desk.write("results/mine.tmp", "mine\n")
    result = desk.pull()
    assert desk.read("results") == "a file\n"
    assert desk.read("results (yours)/mine.tmp") == "mine\n"
    assert result["kept_beside"] == [{"path": "demo/results", "kept": "demo/results (yours)"}]


def test_a_file_in_the_way_of_a_folder_is_kept_beside(desk: Desk, other: Desk) -> None:
    other.write("results/theirs.md", "theirs\n")
    other.save()
    desk.write("results", "mine\n")
    desk.pull()
    assert desk.read("results/theirs.md") == "theirs\n"
    assert desk.read("results (yours)") == "mine\n"


def test_a_submodule_is_left_alone(desk: Desk, other: Desk) -> None:
    commit = git(other.top, "rev-parse", "HEAD")
    git(other.top, "update-index", "--add", "--cacheinfo", f"160000,{commit},library")
    git(other.top, "commit", "-qm", "a submodule")
    git(other.top, "push", "-q")
    desk.write("library/mine.md", "mine\n")
    assert desk.pull()["kept_beside"] == []
    assert desk.read("library/mine.md") == "mine\n"
    desk.write("notes.md", "mine\n")
    desk.save()
    assert "library" in git(desk.top, "ls-tree", "-r", "--name-only", "origin/main")


def test_a_branch_without_a_commit_takes_what_gitlab_has(desk: Desk) -> None:
    git(desk.top, "checkout", "-q", "--orphan", "fresh")
    git(desk.top, "rm", "-rq", "--cached", ".")
    git(desk.top, "branch", "-qD", "main")
    git(desk.top, "branch", "-qm", "main")
    git(desk.top, "config", "branch.main.remote", "origin")
    git(desk.top, "config", "branch.main.merge", "refs/heads/main")
    desk.write("notes.md", "mine\n")
    desk.pull()
    assert "line 1\n" in desk.read("notes.md")
    assert desk.read("notes (yours).md") == "mine\n"
    assert desk.changes() == {"notes (yours).md": "new"}


def test_a_link_leads_nothing_out_of_the_clone(desk: Desk, other: Desk) -> None:
    outside = desk.root / "outside"
    outside.mkdir()
    (outside / "theirs.md").write_text("mine, outside\n")
    other.write("results/theirs.md", "theirs\n")
    other.save()
    (desk.top / "results").symlink_to(outside)
    desk.pull()
    assert desk.read("results/theirs.md") == "theirs\n"
    assert (outside / "theirs.md").read_text() == "mine, outside\n"
    assert (desk.top / "results (yours)").readlink() == outside


def test_deleted_there_and_changed_here_stays(desk: Desk, other: Desk) -> None:
    (other.top / "notes.md").unlink()
    other.save()
    desk.write("notes.md", "mine\n")
    desk.pull()
    assert desk.read("notes.md") == "mine\n"
    assert desk.state("notes.md") == "new"


def test_deleted_here_and_changed_there_comes_back(desk: Desk, other: Desk) -> None:
    other.write("notes.md", "theirs\n")
    other.save()
    (desk.top / "notes.md").unlink()
    desk.pull()
    assert desk.read("notes.md") == "theirs\n"


def test_files_that_are_not_text_are_kept_both(desk: Desk, other: Desk) -> None:
    desk.write("figure.png", b"\x89PNG\0base")
    desk.save()
    other.pull()
    other.write("figure.png", b"\x89PNG\0theirs")
    other.save()
    desk.write("figure.png", b"\x89PNG\0mine")
    desk.pull()
    assert (desk.top / "figure.png").read_bytes() == b"\x89PNG\0theirs"
    assert (desk.top / "figure (yours).png").read_bytes() == b"\x89PNG\0mine"


def test_a_change_in_the_second_of_the_last_save_is_seen(desk: Desk, other: Desk) -> None:
    """Same size, same time as git noted: only the content tells."""
    place = desk.write("figure.png", b"\x89PNG\0base")
    desk.save()
    other.pull()
    other.write("figure.png", b"\x89PNG\0theirs")
    other.save()
    git(desk.top, "config", "core.trustctime", "false")
    noted = place.stat().st_mtime_ns
    desk.write("figure.png", b"\x89PNG\0mine")
    for path in (place, desk.top / ".git/index"):
        os.utime(path, ns=(noted, noted))
    desk.pull()
    assert (desk.top / "figure (yours).png").read_bytes() == b"\x89PNG\0mine"


def test_what_a_pull_changed_before_it_failed_is_told(
    desk: Desk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.write("notes.md", "theirs\n")
    other.save()
    with monkeypatch.context() as late:
        late.setattr(objects.Objects, "settle", refuse)
        problem = problem_of(desk.pull)
    assert (problem["code"], problem["reload"]) == ("busy", ["demo/notes.md"])
    assert desk.read("notes.md") == "theirs\n"
    assert desk.pull()["kept_beside"] == []
    assert git(desk.top, "status", "-sb") == "## main...origin/main"


def refuse(*_: object) -> None:
    raise Problem("busy")


def test_a_file_of_very_long_name_is_kept_beside_too(desk: Desk, other: Desk) -> None:
    name = "é" * 125 + ".md"
    other.write(name, "theirs\n")
    other.save()
    desk.write(name, "mine\n")
    kept = desk.pull()["kept_beside"][0]["kept"].removeprefix("demo/")
    assert desk.read(kept) == "mine\n"
    assert len(os.fsencode(kept)) <= 255


def test_what_was_here_before_a_merge_stays_reachable(desk: Desk, other: Desk) -> None:
    other.write("notes.md", "theirs\n")
    other.save()
    desk.write("notes.md", "staged\n")
    git(desk.top, "add", "notes.md")
    desk.write("notes.md", "in the file\n")
    desk.pull()
    (kept,) = git(desk.top, "for-each-ref", "--format=%(refname)", KEPT).splitlines()
    assert git(desk.top, "show", f"{kept}:notes.md") == "in the file"
    assert git(desk.top, "show", f"{kept}^2:notes.md") == "staged"


def test_a_file_saved_in_the_very_moment_is_kept_beside(
    desk: Desk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jupyter writes a file whenever it likes: here just before it would be replaced."""
    other.write("notes.md", "theirs\n")
    other.write("exo.ipynb", notebook("theirs"))
    other.save()
    real = exchange.exchange

    def late(new: Path, place: Path) -> None:
        place.write_text(f"written late in {place.name}\n")
        real(new, place)

    monkeypatch.setattr(exchange, "exchange", late)
    result = desk.pull()
    assert desk.read("notes.md") == "theirs\n"
    assert desk.read("notes (yours).md") == "written late in notes.md\n"
    assert desk.read("exo (yours).ipynb") == "written late in exo.ipynb\n"
    assert len(result["kept_beside"]) == 2


def test_a_file_saved_in_the_very_moment_is_not_deleted(
    desk: Desk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (other.top / "notes.md").unlink()
    other.save()
    real = exchange.move

    def late(one: Path, place: Path) -> None:
        if one.name == "notes.md":
            one.write_text("written late\n")
        real(one, place)

    monkeypatch.setattr(exchange, "move", late)
    desk.pull()
    assert desk.read("notes (yours).md") == "written late\n"


@pytest.mark.parametrize("number", [22, 38], ids=["EINVAL", "ENOSYS"])
def test_a_file_system_without_exchange_will_do(
    desk: Desk, other: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "not here")

    monkeypatch.setattr(exchange, "_renameat2", refuse)
    other.write("notes.md", "theirs\n")
    other.write("new.md", "new\n")
    other.save()
    desk.write("notes.md", "mine\n")
    desk.pull()
    assert desk.read("notes.md") == "theirs\n"
    assert desk.read("notes (yours).md") == "mine\n"
    assert desk.read("new.md") == "new\n"


def test_histories_without_a_common_beginning_are_joined(desk: Desk, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    git(tmp_path, "init", "-q", "stranger")
    (stranger / "notes.md").write_text("of another history\n")
    git(stranger, "add", "-A")
    git(stranger, "commit", "-qm", "another")
    git(stranger, "push", "-q", "--force", str(tmp_path / "gitlab/u1/demo.git"), "HEAD:main")
    desk.pull()
    assert desk.read("notes.md") == "of another history\n"
    assert "line 1\n" in desk.read("notes (yours).md")


def test_line_ends_that_git_converts_are_no_changes(desk: Desk, other: Desk) -> None:
    other.write(".gitattributes", "*.md text eol=crlf\n")
    other.save()
    desk.pull()
    other.write("notes.md", "one\r\ntwo\r\n")
    other.save()
    desk.pull()
    assert (desk.top / "notes.md").read_bytes() == b"one\r\ntwo\r\n"
    assert desk.changes() == {}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_edits_that_git_was_told_not_to_see_are_not_lost(
    desk: Desk, other: Desk, flag: str, change: str
) -> None:
    if change == "edited":
        other.write("notes.md", "theirs\n")
    else:
        (other.top / "notes.md").unlink()
    other.save()
    git(desk.top, "update-index", flag, "notes.md")
    desk.write("notes.md", "mine\n")
    desk.pull()
    if change == "edited":
        assert desk.read("notes.md") == "theirs\n"
        assert desk.read("notes (yours).md") == "mine\n"
    else:
        assert desk.read("notes.md") == "mine\n"
