# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Updates forks from their template, without ever losing a learner's commit.

GitLab's REST API cannot update forks. A fork without commits of the learner is fast-forwarded by
``git push`` without force, which fails if the fork has new commits. Other forks get one merge
request.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

with contextlib.suppress(ImportError):  # reported by connection.library_problem()
    import gitlab.exceptions

from .._git.git import GitError, Repository, credential_options
from .calls import CONFLICT, Calls, LearnerError, path_of
from .fork_owner import as_owner
from .forks import Fork, Template

CURRENT = "current"
BEHIND = "behind"
AHEAD = "ahead"
DIVERGED = "diverged"
NO_BRANCH = "no_branch"

GIT_TRIES = 4


@dataclass(frozen=True, slots=True)
class Standing:
    """State of a fork relative to its template.

    ``current``: the same commit; ``behind``: the template has new commits, the learner has none;
    ``ahead``: the learner's commits are on top of all of the template's; ``diverged``: both have
    new commits; ``no_branch``: the branch does not exist.
    """

    kind: str
    head: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """A merge request from the template to a fork."""

    state: str
    sha: str
    web_url: str


class Versions:
    """Compares forks with the template's history. Thread-safe."""

    def __init__(self, calls: Calls, template: Template) -> None:
        self._calls = calls
        self.template = template
        branch = calls.get(
            path_of("projects", template.id, "repository", "branches", template.branch)
        )
        self.head: str = branch["commit"]["id"]
        self._ancestors: dict[str, bool] = {self.head: True}
        self._lock = threading.Lock()

    def _base(self, project_id: int, one: str, other: str) -> str | None:
        """Return the merge base of two commits, ``None`` if the repository lacks one of them."""
        try:
            found = self._calls.find(
                path_of("projects", project_id, "repository", "merge_base"),
                **{"refs[]": [one, other]},
            )
        except gitlab.exceptions.GitlabHttpError as error:
            if error.response_code in CONFLICT:
                return None
            raise
        return found["id"] if found else None

    def includes(self, sha: str) -> bool:
        """Return whether a commit is in the template's branch.

        The result is cached, as forks without learners' commits share a few head commits.
        """
        with self._lock:
            if sha in self._ancestors:
                return self._ancestors[sha]
        known = self._base(self.template.id, sha, self.head) == sha
        with self._lock:
            self._ancestors[sha] = known
        return known

    def standing(self, fork: Fork) -> Standing:
        """Compare a fork's branch with the template's."""
        branch = self._calls.find(
            path_of("projects", fork.id, "repository", "branches", self.template.branch)
        )
        if branch is None:
            return Standing(NO_BRANCH, None)
        sha: str = branch["commit"]["id"]
        if sha == self.head:
            return Standing(CURRENT, sha)
        if self.includes(sha):
            return Standing(BEHIND, sha)
        complete = self._base(fork.id, self.head, sha) == self.head
        return Standing(AHEAD if complete else DIVERGED, sha)


def read_requests(calls: Calls, template: Template) -> dict[int, list[Request]]:
    """Return all merge requests from the template's branch by target fork, with one listing."""
    found: dict[int, list[Request]] = {}
    for page in calls.pages(
        "/merge_requests",
        keyset=False,
        scope="all",
        source_project_id=template.id,
        order_by="created_at",
    ):
        for one in page:
            if (
                one["source_project_id"] == template.id
                and one["source_branch"] == template.branch
                and one["target_branch"] == template.branch
            ):
                found.setdefault(one["target_project_id"], []).append(request_of(one))
    return found


def request_of(one: dict[str, Any]) -> Request:
    """Read GitLab's JSON of a merge request."""
    return Request(one["state"], one.get("sha") or "", one.get("web_url") or "")


def answered(requests: list[Request], head: str) -> Request | None:
    """Return a merge request that makes a new one unnecessary: an open one, or one for ``head``."""
    for one in requests:
        if one.state in {"opened", "locked"}:
            return one
    for one in requests:
        if one.sha == head:
            return one
    return None


def open_request(
    calls: Calls, template: Template, fork: Fork, title: str, description: str
) -> tuple[Request, bool]:
    """Open a merge request with the template's new commits, unless one is open.

    Returns:
        The merge request, and whether it is new.
    """

    def present() -> Any:
        listing = calls.get(
            path_of("projects", fork.id, "merge_requests"),
            state="opened",
            source_branch=template.branch,
            target_branch=template.branch,
        )
        return next((one for one in listing if one["source_project_id"] == template.id), None)

    data = {
        "source_branch": template.branch,
        "target_branch": template.branch,
        "target_project_id": fork.id,
        "title": title,
        "description": description,
        "remove_source_branch": False,
    }
    made, new = calls.make(path_of("projects", template.id, "merge_requests"), data, present)
    return request_of(made), new


class MovedError(Exception):
    """The fork has new commits and cannot be fast-forwarded."""


_MOVED = ("fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref")
_PROTECTED = "push code to protected branches"
_FINAL = ("[remote rejected]", "Authentication failed", "not found", "returned error: 40")


class Pusher:
    """Fast-forwards forks with Git, from one clone of the template that is made at first use.

    Args:
        calls: requests to GitLab.
        template: the template project.
        api_url: GitLab's address.
        token_file: read by Git's credential helper, so that the token is neither in an argument nor
            in the environment.
        ca_file: certificate authorities to trust.
    """

    def __init__(
        self, calls: Calls, template: Template, api_url: str, token_file: str, ca_file: str | None
    ) -> None:
        self._calls = calls
        self._template = template
        self._api_url = api_url.rstrip("/")
        self._ca_file = ca_file
        self._credential = credential_options(token_file)
        self._folder: str | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Remove the clone."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _copy(self) -> Repository:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="atelier-template-")
                copy = Repository(Path(self._folder), self._ca_file)
                copy.create(self._template.branch)
                url = f"{self._api_url}/{self._template.path}.git"
                branch = self._template.branch
                try:
                    self._repeated(lambda: copy.fetch(url, branch, "new", self._credential))
                except BaseException:
                    self.close()
                    raise
            return Repository(Path(self._folder), self._ca_file)

    def _repeated(self, work: Callable[[], object]) -> None:
        """Run an idempotent git command; retry transient failures."""
        for attempt in range(GIT_TRIES):
            try:
                work()
                return
            except GitError as error:
                said = str(error)
                if any(words in said for words in _MOVED):
                    raise MovedError from error
                if attempt + 1 == GIT_TRIES or any(words in said for words in _FINAL):
                    raise LearnerError(said) from error
                self._calls.sleep(0.5 * 2**attempt)

    def fast_forward(self, fork: Fork, head: str) -> None:
        """Push the template's commit ``head`` to a fork's branch, without force.

        Raises:
            MovedError: the learner has pushed in between.
            LearnerError: GitLab refuses the push.
        """
        copy = self._copy()
        try:
            self._push(copy, fork, head, self._credential)
        except LearnerError as refusal:
            if _PROTECTED not in str(refusal):
                raise
            # This GitLab lets only the owner push, not an administrator.
            with as_owner(self._calls, fork, str(copy.path)) as credential:
                try:
                    self._push(copy, fork, head, credential)
                except LearnerError:
                    raise refusal from None

    def _push(self, copy: Repository, fork: Fork, head: str, credential: list[str]) -> None:
        url = f"{self._api_url}/{fork.full_path}.git"
        target = f"{head}:refs/heads/{self._template.branch}"
        self._repeated(lambda: copy.run("push", "--quiet", url, target, options=credential))
