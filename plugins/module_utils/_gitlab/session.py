# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Common parts of the modules for whole classes: options, access checks, errors, results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

try:
    import gitlab.exceptions
    import requests
except ImportError:  # reported by connection.library_problem()
    pass

from . import connection
from .bulk import Outcome, Progress, Run, UnwatchedError
from .calls import Calls, LearnerError, NotGitLabError
from .errors import GitLabUnavailableError
from .learners import NotAdministratorError

Item = TypeVar("Item")

MINIMUM_GITLAB = (17, 0, 0)
FAILURES_IN_MESSAGE = 10
USERNAME = re.compile(r"[A-Za-z0-9_.]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?")

BULK_ARGUMENTS: dict[str, dict[str, Any]] = {
    **connection.CONNECTION_ARGUMENTS,
    "workers": {"type": "int", "default": 8},
    "progress": {"type": "bool", "default": True},
    "progress_from": {"type": "int", "default": 25},
    "progress_folder": {"type": "path"},
}


def check_usernames(names: Iterable[str], what: str = "username") -> None:
    """Refuse invalid usernames before any request to GitLab.

    An empty name would be dangerous: GitLab takes it for the caller, or for no filter at all.

    Raises:
        InstanceError: a name is empty, too long, or has other characters.
    """
    wrong = [name for name in names if not USERNAME.fullmatch(name) or len(name) > 255]
    if wrong:
        shown = ", ".join(repr(name[:60]) for name in wrong[:10])
        raise connection.InstanceError(
            f"{what}: {shown} cannot be: 1 to 255 letters, digits, '_', '-' and '.' "
            "('-' not first, '.' not last). Nothing was changed."
        )


def check_once(names: Iterable[str], who: str) -> None:
    """Refuse a list with duplicates, ignoring case.

    Raises:
        InstanceError: with the duplicates.
    """
    twice = [name for name, count in Counter(map(str.lower, names)).items() if count > 1]
    if twice:
        raise connection.InstanceError(
            f"{who} given twice: {', '.join(sorted(twice)[:10])}. Nothing was changed."
        )


class Session:
    """One module's connection to GitLab.

    Args:
        params: the module's parameters, see :data:`BULK_ARGUMENTS`.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        if not 1 <= params.get("workers", 1) <= 64:
            raise connection.InstanceError("workers must be between 1 and 64")
        self._params = params
        # Read the token once, to report a problem with its file before anything starts.
        connection.read_token(params["token_file"])
        self.calls = Calls(lambda: connection.connect(params))
        self.progress = Progress(params.get("progress_folder"))
        self.progress.note = self._note

    def _note(self) -> str:
        held = self.calls.held_for()
        return f"GitLab asks to wait {held:.0f} s more (429)" if held else ""

    def check_access(self, writes: bool) -> None:
        """Check that GitLab answers, is recent enough, and that the token has the needed rights.

        Raises:
            InstanceError: GitLab is too old, or the token lacks rights.
            NotGitLabError: another service answers.
        """
        version = self.calls.get("/version")
        if not isinstance(version, dict) or "version" not in version:
            raise NotGitLabError
        found = connection.parse_version(str(version["version"]))
        if found < MINIMUM_GITLAB:
            wanted = ".".join(map(str, MINIMUM_GITLAB[:2]))
            raise connection.InstanceError(
                f"GitLab >= {wanted} is needed; {self._params['api_url']} runs "
                f"{version['version']}."
            )
        user = self.calls.get("/user")
        if not user.get("is_admin"):
            raise connection.InstanceError(
                f"The token in {self._params['token_file']} belongs to {user.get('username')}, "
                "who is not an administrator of GitLab: this needs an administrator's token."
            )
        if writes:
            token = self.calls.find("/personal_access_tokens/self") or {}
            if "api" not in token.get("scopes", ["api"]):
                raise connection.InstanceError(
                    f"The token in {self._params['token_file']} lacks the scope api: it has "
                    f"{', '.join(token['scopes'])}. It could look, but not change anything."
                )

    def explain(self, error: Exception) -> str:
        """Describe a failure in one sentence."""
        return explain(error, self._params)

    def _explain_one(self, error: Exception) -> str:
        if isinstance(error, gitlab.exceptions.GitlabHttpError) and error.response_code in {
            400, 403, 404, 405, 409, 422,
        }:  # fmt: skip
            return f"GitLab refuses ({error.response_code}): {said(error.error_message)}"
        return self.explain(error)

    @staticmethod
    def fatal(error: Exception) -> bool:
        """Return whether a failure concerns all learners, so that the run should stop."""
        cause = error.__cause__ if isinstance(error, GitLabUnavailableError) else error
        if isinstance(
            cause,
            (
                gitlab.exceptions.GitlabAuthenticationError,
                gitlab.exceptions.RedirectError,
                requests.exceptions.SSLError,
                NotAdministratorError,
                NotGitLabError,
            ),
        ):
            return True
        body = getattr(cause, "response_body", b"") or b""
        return b"insufficient_scope" in body if isinstance(body, bytes) else False

    def for_each(
        self,
        items: Iterable[Item],
        name: Callable[[Item], str],
        work: Callable[[Item], None],
    ) -> Outcome:
        """Call ``work`` for each item, with ``workers`` threads."""
        return Run(
            self.calls,
            self.progress,
            workers=self._params["workers"],
            name=name,
            work=work,
            explain=self._explain_one,
            fatal=self.fatal,
        ).over(items)

    def requests(self) -> dict[str, int]:
        """Return the number of requests sent."""
        return {"read": self.calls.counts.read, "write": self.calls.counts.written}


def said(message: Any) -> str:
    """Convert GitLab's error body (a string, a list, or lists by field) to text."""
    if isinstance(message, dict):
        return "; ".join(f"{field}: {said(text)}" for field, text in message.items())
    if isinstance(message, list):
        return ", ".join(dict.fromkeys(said(item) for item in message))
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    return str(message)[:300]


def failure(outcome: Outcome, total: int, explain: Callable[[Exception], str]) -> dict[str, Any]:
    """Return the part of the result with the failed learners; empty if none failed."""
    if not outcome.failed and outcome.stopped is None:
        return {}
    failed = [{"username": name, "reason": why} for name, why in sorted(outcome.failed.items())]
    parts = []
    if failed:
        shown = [f"{one['username']}: {one['reason']}" for one in failed[:FAILURES_IN_MESSAGE]]
        more = len(failed) - len(shown)
        parts.append(
            f"{len(failed)} of {total} learners failed. "
            + "; ".join(shown)
            + (f"; and {more} more, see failed_learners" if more > 0 else "")
            + "."
        )
    if outcome.stopped is not None:
        parts.append(
            f"Stopped early, {len(outcome.untried)} learners were not tried: "
            f"{explain(outcome.stopped)}."
        )
    else:
        parts.append("The others are done; run again when the reasons are gone.")
    return {
        "failed": True,
        "msg": " ".join(parts),
        "failed_learners": failed,
        "untried_learners": sorted(outcome.untried),
    }


def explain(error: Exception, params: dict[str, Any]) -> str:
    """Describe a failure in one sentence, and what to do about it if that is known."""
    if isinstance(error, NotAdministratorError):
        return (
            "GitLab shows this token no identities: it must belong to an administrator "
            "(and carry admin_mode where Admin Mode is on)"
        )
    if isinstance(error, GitLabUnavailableError):
        if isinstance(error.__cause__, Exception):
            return f"{explain(error.__cause__, params)} ({error})"
        return str(error)
    if isinstance(error, NotGitLabError):
        return f"What answers at {params['api_url']} is not GitLab: check the address."
    if isinstance(error, UnwatchedError):
        return "the playbook that watched this run is gone; run it again to go on"
    if isinstance(error, LearnerError):
        return str(error)
    asked = getattr(error, "asked", None)
    text = connection.explain_failure(error, params)
    return f"{text} (asked: {asked})" if asked else text
