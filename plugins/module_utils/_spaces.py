# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a space is and how it is made: a learner's GitLab account and their fork of a template.

This file is shared: Ansible modules use it as ``module_utils`` and the desk includes it as
``atelier.spaces``. It knows python-gitlab and nothing of Ansible. Every function may be called
again, and by several at once, and leaves one account and one fork.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gitlab
import requests
from gitlab import exceptions as gle

PROVIDER = "oauth2_generic"
"""Name of the sign-in provider in GitLab's settings; identities are (provider, username)."""
_POLL_FIRST_SECONDS = 0.2
_POLL_LONGEST_SECONDS = 2.0


class SpaceError(Exception):
    """A space cannot be made until somebody mends something; the text says what."""


class GitLabUnavailable(Exception):  # noqa: N818 (a state of the world more than an error of ours)
    """GitLab cannot be reached or is not well; trying again later may help."""


class StillCopying(GitLabUnavailable):
    """GitLab answers, but its copy of the template takes longer than allowed."""


@dataclass(frozen=True)
class Learner:
    """Who gets a space.

    Attributes:
        username: from :func:`_identity.username`; GitLab username and identity alike.
        name: display name.
        email: the address GitLab knows; taken only when the account is made.
        fallback_email: used where somebody else's account already has ``email``.
    """

    username: str
    name: str
    email: str
    fallback_email: str = ""


@dataclass(frozen=True)
class Space:
    """A learner's space for one course."""

    username: str
    course: str
    user_id: int
    project_id: int
    project: str
    """Path with namespace, ``<username>/<course>``."""
    url: str
    branch: str


def _no_step(step: str) -> None:
    del step


def classify(error: Exception, doing: str) -> Exception:
    """Turn an error of python-gitlab or requests into one of ours.

    Args:
        error: what was raised.
        doing: what was being done, as a clause: "reading project x/y".
    """
    if isinstance(error, requests.exceptions.RequestException):
        return GitLabUnavailable(f"{doing}: GitLab does not answer ({type(error).__name__})")
    if isinstance(error, gle.GitlabAuthenticationError):
        return SpaceError(f"{doing}: GitLab refuses the administrator's token (401)")
    if isinstance(error, gle.GitlabError):
        code = error.response_code
        body = str(error.error_message)[:300]
        if code is None or code >= 500 or code in (408, 429):
            return GitLabUnavailable(f"{doing}: GitLab answers {code}: {body}")
        return SpaceError(f"{doing}: GitLab answers {code}: {body}")
    return error


def connect(url: str, token: str, *, ca_file: str | None = None, timeout: float = 10) -> Any:
    """A connection to GitLab's API with an administrator's token; nothing is sent yet.

    Args:
        url: public address, without trailing slash.
        token: scope ``api``; never logged.
        ca_file: certificates to trust (PEM); None: those requests trusts.
        timeout: seconds for each request.
    """
    return gitlab.Gitlab(
        url,
        private_token=token,
        ssl_verify=ca_file or True,
        timeout=timeout,
        keep_base_url=True,
        retry_transient_errors=False,
    )


def find_user(gl: Any, username: str, provider: str = PROVIDER) -> Any | None:
    """The account with the learner's identity, if there is one. Never found by e-mail."""
    found = gl.users.list(extern_uid=username, provider=provider, get_all=False)
    return found[0] if found else None


def _create_user(gl: Any, learner: Learner, email: str, provider: str) -> Any:
    return gl.users.create(
        {
            "username": learner.username,
            "name": learner.name or learner.username,
            "email": email,
            "provider": provider,
            "extern_uid": learner.username,
            "force_random_password": True,
            "skip_confirmation": True,
            "can_create_group": False,
        }
    )


def ensure_user(gl: Any, learner: Learner, provider: str = PROVIDER) -> Any:
    """Make the learner's account with its sign-in identity, unless it is there.

    Returns:
        python-gitlab's user.

    Raises:
        SpaceError: GitLab refuses, or the account is blocked, or the username belongs to an
            account without this identity (linking it could hand it to somebody else).
        GitLabUnavailable: try later.
    """
    doing = f"preparing account {learner.username}"
    emails = [learner.email]
    if learner.fallback_email and learner.fallback_email != learner.email:
        emails.append(learner.fallback_email)
    try:
        user = find_user(gl, learner.username, provider)
        refusal: gle.GitlabError | None = None
        for email in emails:
            if user is not None:
                break
            try:
                user = _create_user(gl, learner, email, provider)
            except gle.GitlabCreateError as error:
                if error.response_code not in (400, 409):
                    raise
                refusal = error
                # Somebody else was as quick: a second reading finds what they made.
                user = find_user(gl, learner.username, provider)
                if user is None and "mail" not in str(error.error_message).lower():
                    break
    except (gle.GitlabError, requests.exceptions.RequestException) as error:
        raise classify(error, doing) from error
    if user is None:
        raise SpaceError(
            f"{doing}: GitLab refuses ({refusal.error_message if refusal else 'no reason'});"
            f" an account of that name without the identity {provider}/{learner.username}"
            " would have to be renamed or given it by an administrator"
        )
    if user.state != "active":
        raise SpaceError(f"{doing}: the account is {user.state} in GitLab")
    return user


def _find_project(gl: Any, path: str) -> Any | None:
    try:
        return gl.projects.get(path)
    except gle.GitlabGetError as error:
        if error.response_code == 404:
            return None
        raise


def _await_import(
    gl: Any, project: Any, doing: str, deadline: float, on_step: Callable[[str], None]
) -> Any:
    pause = _POLL_FIRST_SECONDS
    while True:
        status = getattr(project, "import_status", "none")
        if status in ("finished", "none"):
            return project
        if status in ("failed", "canceled"):
            reason = getattr(project, "import_error", None) or "GitLab gives no reason"
            raise SpaceError(f"{doing}: the copy is {status}: {reason}")
        if time.monotonic() + pause > deadline:
            raise StillCopying(f"{doing}: the copy is still {status}")
        on_step("import")
        time.sleep(pause)
        pause = min(pause * 1.5, _POLL_LONGEST_SECONDS)
        project = gl.projects.get(project.id)


def ensure_fork(
    gl: Any,
    username: str,
    template: str,
    course: str,
    *,
    timeout: float = 120,
    on_step: Callable[[str], None] = _no_step,
) -> Any:
    """Make the learner's fork of a course's template, unless it is there, and wait for it.

    Args:
        gl: administrator's connection.
        username: owner of the fork.
        template: path of the course's template project.
        course: slug; path and name of the fork.
        timeout: seconds for the whole.
        on_step: told ``fork`` and ``import`` when these begin.

    Returns:
        python-gitlab's project, its import finished.

    Raises:
        SpaceError: GitLab refuses, or the copy failed.
        GitLabUnavailable: try later.
    """
    path = f"{username}/{course}"
    doing = f"preparing fork {path}"
    deadline = time.monotonic() + timeout
    try:
        project = _find_project(gl, path)
        if project is not None and getattr(project, "import_status", "none") == "failed":
            project = _remove_failed(gl, project)
        if project is None:
            on_step("fork")
            try:
                made = gl.projects.get(template, lazy=True).forks.create(
                    {
                        "namespace_path": username,
                        "path": course,
                        "name": course,
                        "visibility": "private",
                    }
                )
                project = gl.projects.get(made.id)
            except gle.GitlabCreateError as error:
                if error.response_code == 404:
                    raise SpaceError(f"{doing}: there is no template {template}") from error
                if error.response_code not in (400, 409):
                    raise
                # Somebody else was as quick: a second reading finds what they made.
                project = _find_project(gl, path)
                if project is None:
                    raise SpaceError(f"{doing}: GitLab refuses: {error.error_message}") from error
        return _await_import(gl, project, doing, deadline, on_step)
    except (gle.GitlabError, requests.exceptions.RequestException) as error:
        raise classify(error, doing) from error


def _remove_failed(gl: Any, project: Any) -> Any | None:
    """Remove a fork whose copy failed and that holds nothing; any other stays as it is."""
    if not getattr(project, "empty_repo", False):
        return project
    path = project.path_with_namespace
    project.delete()
    return _find_project(gl, path)


def prepare_space(
    gl: Any,
    learner: Learner,
    template: str,
    course: str,
    *,
    provider: str = PROVIDER,
    timeout: float = 120,
    on_step: Callable[[str], None] = _no_step,
) -> Space:
    """Make a learner's space, unless it is there.

    Args:
        gl: administrator's connection, see :func:`connect`.
        learner: who.
        template: path of the course's template project.
        course: slug.
        provider: of the sign-in identity.
        timeout: seconds for the whole.
        on_step: told ``account``, ``fork``, ``import`` when these begin.

    Raises:
        SpaceError: GitLab refuses; the text says what to mend.
        GitLabUnavailable: try later.
    """
    on_step("account")
    user = ensure_user(gl, learner, provider)
    project = ensure_fork(gl, learner.username, template, course, timeout=timeout, on_step=on_step)
    return Space(
        username=learner.username,
        course=course,
        user_id=int(user.id),
        project_id=int(project.id),
        project=str(project.path_with_namespace),
        url=str(project.web_url),
        branch=str(getattr(project, "default_branch", None) or "main"),
    )
