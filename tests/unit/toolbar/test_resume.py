"""A merge that was begun in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Desk, git, notebook, problem_of


def contradict(desk: Desk, other: Desk) -> None:
    """A merge in a terminal that stops at a conflict."""
    other.write("notes.md", "theirs\n")
    other.write("new.md", "new\n")
    other.save()
    desk.write("notes.md", "mine\n")
    git(desk.top, "commit", "-qam", "mine")
    git(desk.top, "fetch", "-q")
    with pytest.raises(AssertionError):
        git(desk.top, "merge", "origin/main")
    assert "<<<<<<<" in desk.read("notes.md")


def test_a_merge_begun_in_a_terminal_is_ended(desk: Desk, other: Desk) -> None:
    contradict(desk, other)
    result = desk.pull()
    assert result["kept_beside"] == [{"path": "demo/notes.md", "kept": "demo/notes (yours).md"}]
    assert (desk.read("notes.md"), desk.read("notes (yours).md")) == ("theirs\n", "mine\n")
    assert desk.read("new.md") == "new\n"
    assert git(desk.top, "log", "-1", "--format=%s") == "Merge with GitLab"
    assert not (desk.top / ".git/MERGE_HEAD").exists()
    assert git(desk.top, "status", "--porcelain") == ""


def test_what_a_learner_decided_in_a_merge_stays(desk: Desk, other: Desk, gitlab: Path) -> None:
    contradict(desk, other)
    desk.write("notes.md", "theirs and mine\n")
    result = desk.save()
    assert (result["merged"], result["kept_beside"]) == (True, [])
    assert git(gitlab, "show", "main:notes.md") == "theirs and mine"
    assert git(gitlab, "log", "-1", "--format=%p", "main").count(" ") == 1


def test_a_rebase_begun_in_a_terminal_is_told(desk: Desk, other: Desk) -> None:
    other.write("notes.md", "theirs\n")
    other.save()
    desk.write("notes.md", "mine\n")
    git(desk.top, "commit", "-qam", "mine")
    git(desk.top, "fetch", "-q")
    with pytest.raises(AssertionError):
        git(desk.top, "rebase", "origin/main")
    before = desk.read("notes.md")
    problem = problem_of(desk.pull)
    assert (problem["code"], problem["operation"]) == ("unfinished", "rebase")
    assert desk.read("notes.md") == before


def stash_that_contradicts(desk: Desk, other: Desk, name: str, mine: str, theirs: str) -> None:
    """`git stash`, pull, `git stash pop`, as a learner does who reads about it somewhere."""
    other.write(name, theirs)
    other.save()
    desk.write(name, mine)
    desk.write(".gitignore", "*.tmp\n*.bak\n")
    git(desk.top, "stash", "-q")
    git(desk.top, "pull", "-q")
    with pytest.raises(AssertionError):
        git(desk.top, "stash", "pop")
    assert "<<<<<<<" in desk.read(name)


@pytest.mark.parametrize("command", ["save", "pull"])
def test_conflicts_of_a_stash_never_reach_gitlab_as_marks(
    desk: Desk, other: Desk, gitlab: Path, command: str
) -> None:
    mine, theirs = notebook("a = 'mine'"), notebook("a = 'theirs'")
    stash_that_contradicts(desk, other, "exo.ipynb", mine, theirs)
    result = getattr(desk, command)()
    assert result["kept_beside"] == [{"path": "demo/exo.ipynb", "kept": "demo/exo (yours).ipynb"}]
    assert desk.read("exo.ipynb") == theirs
    assert desk.read("exo (yours).ipynb") == mine
    assert desk.read(".gitignore") == "*.tmp\n*.bak\n"
    assert git(desk.top, "ls-files", "--unmerged") == ""
    if command == "pull":
        desk.save()
    assert "<<<<<<<" not in git(gitlab, "show", "main:exo.ipynb")
    assert git(gitlab, "show", "main:exo (yours).ipynb") == mine.strip()


def test_what_a_learner_decided_about_a_stash_stays(desk: Desk, other: Desk, gitlab: Path) -> None:
    stash_that_contradicts(desk, other, "notes.md", "mine\n", "theirs\n")
    desk.write("notes.md", "theirs and mine\n")
    assert desk.save()["kept_beside"] == []
    assert git(gitlab, "show", "main:notes.md") == "theirs and mine"
