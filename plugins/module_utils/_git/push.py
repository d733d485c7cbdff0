# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Pushes a branch to GitLab, fast-forward only.

This file is shared: module ``git_publish`` uses it as ``module_utils``, the server's command
``atelier-course`` as ``atelier.courses.push``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .git import GitError, Repository, check_address


@dataclass(frozen=True)
class Comparison:
    """State of GitLab's branch relative to a commit.

    Attributes:
        state: ``equal``, ``behind`` (a push moves it forward) or ``ahead`` (it has newer commits).
        theirs: the head of GitLab's branch; ``None`` if the branch does not exist.
        commits: number of commits that a push would add.
    """

    state: str
    theirs: str | None
    commits: int


def compare(
    repository: Repository, url: str, branch: str, commit: str, options: list[str]
) -> Comparison:
    """Compare a commit of ``repository`` with a remote branch.

    Raises:
        GitError: the remote cannot be read, or the two have diverged.
    """
    check_address(url)
    theirs = repository.remote_tip(url, branch, options)
    if theirs == commit:
        return Comparison("equal", theirs, 0)
    if theirs is None:
        return Comparison("behind", None, repository.count(None, commit))
    if not repository.has(theirs):
        # Also in check mode: the fetched objects are only referenced by a private name.
        repository.fetch(url, branch, "published", options)
    if repository.is_ancestor(commit, theirs):
        return Comparison("ahead", theirs, 0)
    if not repository.is_ancestor(theirs, commit):
        extra = repository.count(commit, theirs)
        raise GitError(
            f"The template at {url} has {extra} commit(s) that the course's source has not (the "
            f"latest is {theirs[:12]}), and the source has new ones too ({commit[:12]}). Nothing "
            f"was pushed and nothing is lost. Merge the template's branch {branch} into the source "
            f"(git pull --no-rebase {url} {branch}), push the source, and run this again.",
            "diverged",
            url=url,
            extra=extra,
            theirs=theirs[:12],
            commit=commit[:12],
            branch=branch,
        )
    return Comparison("behind", theirs, repository.count(theirs, commit))


def push(repository: Repository, url: str, branch: str, commit: str, options: list[str]) -> None:
    """Push a commit to a remote branch, if that is a fast-forward.

    Raises:
        GitError: the remote refuses.
    """
    repository.run("push", "--quiet", url, f"{commit}:refs/heads/{branch}", options=options)
