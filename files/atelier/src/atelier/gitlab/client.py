"""The desk's hold on GitLab: connections, one per thread, and whether it can be reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import requests
from gitlab import exceptions as gle

from atelier.config.credentials import Credentials
from atelier.config.models import Settings
from atelier.gitlab.spaces import (
    GitLabUnavailableError,
    Learner,
    Space,
    SpaceError,
    StillCopyingError,
    classify,
    connect,
    find_user,
    prepare_space,
)

TOKEN_PREFIX = "atelier "  # noqa: S105 (the beginning of the tokens' names)
REQUEST_TIMEOUT_SECONDS = 10.0
DOWN_FOR_SECONDS = 3.0
"""After a failure GitLab is not asked again for that long: everybody gets their answer at once."""


def expiry(today: date, days: int) -> date:
    """The date to give a token that must live ``days`` whole days.

    GitLab's expiry is a date, and the token is dead from 00:00 UTC of that day.
    """
    return today + timedelta(days=days + 1)


def token_name(course: str) -> str:
    """Name of the tokens handed to a course's servers; the learner's other tokens differ."""
    return f"{TOKEN_PREFIX}{course} notebook"


class GitLabClient:
    """GitLab as the desk uses it. Methods block: call them in threads.

    Args:
        settings: the site's settings.
        credentials: where the administrator's token is.
    """

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self._settings = settings
        self._credentials = credentials
        self._local = threading.local()
        self._failed = 0.0
        self._reason = ""

    def _connection(self) -> Any:
        """This thread's connection.

        Raises:
            GitLabUnavailableError: no token was handed over, or GitLab failed a moment ago.
        """
        token = self._credentials.optional("gitlab_admin_token")
        if token is None:
            raise GitLabUnavailableError("the desk was given no GitLab token yet")
        if time.monotonic() - self._failed < DOWN_FOR_SECONDS and self._reason:
            raise GitLabUnavailableError(self._reason)
        if getattr(self._local, "token", None) != token:
            site = self._settings.site
            self._local.connection = connect(
                site.gitlab_url,
                token,
                ca_file=str(site.ca_file) if site.ca_file else None,
                timeout=REQUEST_TIMEOUT_SECONDS,
            )
            self._local.token = token
        return self._local.connection

    def _note(self, error: Exception) -> None:
        if isinstance(error, GitLabUnavailableError) and not isinstance(error, StillCopyingError):
            self._reason = str(error)
            self._failed = time.monotonic()

    def reachable(self) -> bool:
        """Whether GitLab may be asked now."""
        try:
            self._connection()
        except GitLabUnavailableError:
            return False
        return True

    def answers(self) -> bool:
        """Ask GitLab for its version; whether it answers at all."""
        try:
            connection = self._connection()
            with self._errors("asking GitLab's version"):
                connection.http_get("/version")
        except GitLabUnavailableError:
            return False
        except SpaceError:
            return True  # it answers, if only to refuse
        return True

    def prepare(
        self, learner: Learner, template: str, course: str, on_step: Callable[[str], None]
    ) -> Space:
        """Make a space; see :func:`atelier.gitlab.spaces.prepare_space` for what it raises."""
        connection = self._connection()
        with self._errors("preparing a space"):
            return prepare_space(
                connection,
                learner,
                template,
                course,
                timeout=self._settings.desk.prepare_timeout_seconds,
                on_step=on_step,
            )

    def issue(self, username: str, course: str) -> tuple[str, datetime]:
        """Make a git credential for one server, in place of any earlier one of that server.

        Returns:
            The token and when it dies (UTC).

        Raises:
            SpaceError: the learner has no account, or GitLab refuses.
            GitLabUnavailableError: try later.
        """
        connection = self._connection()
        with self._errors(f"making a credential for {username}"):
            user = find_user(connection, username)
            if user is None:
                raise SpaceError(f"{username} has no GitLab account yet")
            self._revoke(user, course)
            dies = expiry(datetime.now(UTC).date(), self._settings.desk.token_days)
            made = user.impersonationtokens.create(
                {
                    "name": token_name(course),
                    "scopes": ["write_repository"],
                    "expires_at": dies.isoformat(),
                }
            )
            return str(made.token), datetime(dies.year, dies.month, dies.day, tzinfo=UTC)

    def revoke(self, username: str, course: str) -> int:
        """Revoke the credentials of a server.

        Returns:
            How many there were.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: try later.
        """
        connection = self._connection()
        with self._errors(f"revoking credentials of {username}"):
            user = find_user(connection, username)
            return self._revoke(user, course) if user is not None else 0

    @staticmethod
    def _revoke(user: Any, course: str) -> int:
        count = 0
        for token in user.impersonationtokens.list(state="active", get_all=True):
            if token.name == token_name(course):
                try:
                    user.impersonationtokens.delete(token.id)
                except gle.GitlabDeleteError as error:
                    if error.response_code != 404:
                        raise
                count += 1
        return count

    @contextmanager
    def calling(self, doing: str) -> Iterator[Any]:
        """A connection for some requests; their failures become ours.

        Args:
            doing: what for, for messages.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: try later.
        """
        connection = self._connection()
        with self._errors(doing):
            yield connection

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """Turn python-gitlab's errors into ours, and remember that GitLab is down."""
        try:
            yield
        except (gle.GitlabError, requests.exceptions.RequestException) as error:
            ours = classify(error, doing)
            self._note(ours)
            raise ours from error
        except GitLabUnavailableError as error:
            self._note(error)
            raise
