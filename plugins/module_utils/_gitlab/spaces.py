# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates a learner's space: a GitLab account and a fork of the course's template.

This file is shared: Ansible modules use it as ``module_utils`` and the desk includes it as
``atelier.gitlab.spaces``. It depends on python-gitlab but not on Ansible. All functions are
idempotent, also when they are called concurrently: the result is one account and one fork. The
modules ``learners`` and ``forks`` define the properties of accounts and forks, for one learner and
for a whole class.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

with contextlib.suppress(ImportError):  # reported by connection.library_problem()
    import gitlab
    import requests
    from gitlab import exceptions as gle

from . import calls as _calls
from . import forks, learners
from .calls import Calls
from .errors import (
    GitLabRateLimitedError,
    GitLabRefusedError,
    GitLabUnavailableError,
    SpaceError,
    StillCopyingError,
)
from .learners import PROVIDER, Account
from .own_host import own_host_session


@dataclass(frozen=True)
class Learner:
    """The learner who gets a space.

    Attributes:
        username: from :func:`_identity.username`; both GitLab username and identity.
        name: display name.
        email: e-mail address for a new account; not used for an existing one.
        fallback_email: used if another account already has ``email``.
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


def certificate_refusal(error: Exception) -> str:
    """Say why GitLab's certificate is refused, with OpenSSL's message, which names the rule."""
    said = re.search(r"certificate verify failed: ([^(\"']{1,120})", str(error))
    reason = said[1].strip() if said is not None else type(error).__name__
    return (
        f"GitLab's certificate is not accepted: {reason}."
        " The preflight says which authority it is about (atelier_ca_certificates)"
    )


def classify(error: Exception, doing: str) -> Exception:
    """Convert an error of python-gitlab, requests or the shared files to one of ``errors``.

    Args:
        error: the exception.
        doing: the action that failed, as a clause: "reading project x/y".
    """
    if isinstance(error, StillCopyingError):
        return error
    if isinstance(error, GitLabUnavailableError):
        if isinstance(error.__cause__, Exception):
            return classify(error.__cause__, doing)
        return type(error)(f"{doing}: {error}", error.seconds)
    if isinstance(error, _calls.NotGitLabError):
        return GitLabUnavailableError(f"{doing}: what answers is not GitLab")
    if isinstance(error, forks.TookTooLongError):
        return StillCopyingError(f"{doing}: {error}")
    if isinstance(error, learners.NotAdministratorError):
        return GitLabRefusedError(f"{doing}: the token is not an administrator's")
    if isinstance(error, _calls.LearnerError):
        return SpaceError(f"{doing}: {error}")
    if isinstance(error, requests.exceptions.SSLError):
        return GitLabUnavailableError(f"{doing}: {certificate_refusal(error)}")
    if isinstance(error, requests.exceptions.RequestException):
        return GitLabUnavailableError(f"{doing}: GitLab does not answer ({type(error).__name__})")
    if isinstance(error, gle.GitlabAuthenticationError):
        return GitLabRefusedError(f"{doing}: GitLab refuses the administrator's token (401)")
    if isinstance(error, gle.GitlabError):
        code = error.response_code
        text = f"{doing}: GitLab answers {code}: {str(error.error_message)[:300]}"
        if code == 429:
            return GitLabRateLimitedError(text)
        if code is None or code >= 500 or code == 408:
            return GitLabUnavailableError(text)
        return GitLabRefusedError(text)
    return error


def _elsewhere(text: str) -> SpaceError:
    return SpaceError(f"{text}: write GitLab's own address (atelier_gitlab_url)")


def connect(url: str, token: str, *, ca_file: str | None = None, timeout: float = 10) -> Any:
    """Return a client of GitLab's API with an administrator's token; sends no request.

    Args:
        url: public address, without trailing slash.
        token: token with scope ``api``; never logged.
        ca_file: certificates to trust (PEM); None: the default of requests.
        timeout: seconds for each request.
    """
    return gitlab.Gitlab(
        url,
        private_token=token,
        ssl_verify=ca_file or True,
        timeout=timeout,
        session=own_host_session(_elsewhere),
        keep_base_url=True,
        retry_transient_errors=False,
    )


def find_user(calls: Calls, username: str, provider: str = PROVIDER) -> dict[str, Any] | None:
    """Return the account with the learner's identity, or None; e-mail addresses are ignored."""
    found = calls.get("/users", extern_uid=username, provider=provider)
    if not isinstance(found, list):
        raise _calls.NotGitLabError
    return found[0] if found else None


@contextlib.contextmanager
def named_errors(doing: str) -> Iterator[None]:
    """Convert exceptions in the block to errors of ``errors``; see :func:`classify`."""
    try:
        yield
    except (
        gle.GitlabError,
        requests.exceptions.RequestException,
        GitLabUnavailableError,
        _calls.NotGitLabError,
        _calls.LearnerError,
        learners.NotAdministratorError,
    ) as error:
        raise classify(error, doing) from error


def ensure_user(calls: Calls, learner: Learner, provider: str = PROVIDER) -> Account:
    """Create the learner's account with its sign-in identity, unless it exists.

    Raises:
        SpaceError: GitLab refuses, the account is blocked, or the username belongs to an account
            without this identity, which could be that of another person.
        GitLabUnavailableError: a later retry may succeed.
    """
    doing = f"preparing account {learner.username}"
    refusal: gle.GitlabHttpError | None = None
    with named_errors(doing):
        account = learners.find_identity(calls, provider, learner.username)
        for email in dict.fromkeys((learner.email, learner.fallback_email)):
            if account is not None or not email:
                continue
            wanted = learners.Wanted(
                username=learner.username,
                extern_uid=learner.username,
                name=learner.name or None,
                email=email,
                provider=provider,
            )
            try:
                account, _new = learners.create(calls, wanted)
            except gle.GitlabHttpError as error:
                if error.response_code not in _calls.CONFLICT:
                    raise
                refusal = error
                if "mail" not in str(error.error_message).lower():
                    break
    if account is None:
        raise SpaceError(
            f"{doing}: GitLab refuses ({refusal.error_message if refusal else 'no reason'});"
            f" an account of that name without the identity {provider}/{learner.username}"
            " would have to be renamed or given it by an administrator"
        )
    if account.state != "active":
        raise SpaceError(f"{doing}: the account is {account.state} in GitLab")
    return account


def ensure_fork(
    calls: Calls,
    username: str,
    template: str,
    course: str,
    *,
    timeout: float = 120,
    on_step: Callable[[str], None] = _no_step,
) -> forks.Fork:
    """Create the learner's fork of a course's template, unless it exists, and wait for it.

    An existing project at its path is used even if the learner has removed its fork relationship.

    Args:
        calls: requests with an administrator's connection.
        username: owner of the fork.
        template: path of the course's template project.
        course: slug; path and name of the fork.
        timeout: seconds to wait for the copy.
        on_step: called with ``fork`` and ``import`` when these steps begin.

    Returns:
        The fork, with its import finished.

    Raises:
        SpaceError: GitLab refuses, or the copy failed.
        GitLabUnavailableError: a later retry may succeed.
    """
    with named_errors(f"preparing fork {username}/{course}"):
        there = forks.find_fork(calls, None, username, course)
        fork, _done = forks.get_or_create(
            calls,
            template,
            username,
            course,
            there,
            name=course,
            visibility="private",
            patience=timeout,
            step=on_step,
        )
        return fork


def prepare_space(
    calls: Calls,
    learner: Learner,
    template: str,
    course: str,
    *,
    provider: str = PROVIDER,
    timeout: float = 120,
    on_step: Callable[[str], None] = _no_step,
) -> Space:
    """Create a learner's space, unless it exists.

    Args:
        calls: requests with an administrator's connection, see :func:`connect`.
        learner: the owner of the space.
        template: path of the course's template project.
        course: slug.
        provider: OmniAuth provider of the sign-in identity.
        timeout: seconds to wait for the copy.
        on_step: called with ``account``, ``fork``, ``import`` when these steps begin.

    Raises:
        SpaceError: GitLab refuses; the text says what to fix.
        GitLabUnavailableError: a later retry may succeed.
    """
    on_step("account")
    user = ensure_user(calls, learner, provider)
    fork = ensure_fork(calls, learner.username, template, course, timeout=timeout, on_step=on_step)
    return Space(
        username=learner.username,
        course=course,
        user_id=user.id,
        project_id=fork.id,
        project=fork.full_path,
        url=fork.web_url,
        branch=fork.branch or "main",
    )
