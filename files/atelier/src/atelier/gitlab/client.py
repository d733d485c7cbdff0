"""The desk's access to GitLab: connections, retries, time limits, and pauses for all callers.

Interactive callers (a learner's page, git in a learner's server) retry within a :class:`Patience`.
Background jobs try once, and again in their next round. Between tries
:meth:`GitLabClient.patiently` sleeps without blocking a thread and without the attempt's locks, so
that a pause does not delay other callers.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from requests import Timeout

from atelier.config.credentials import Credentials
from atelier.config.models import Settings
from atelier.gitlab.calls import Calls, path_of
from atelier.gitlab.errors import (
    GitLabRateLimitedError,
    GitLabTokenMissingError,
    GitLabUnavailableError,
    SpaceError,
    StillCopyingError,
)
from atelier.gitlab.pause import Pause, growing_pause
from atelier.gitlab.spaces import (
    Learner,
    Space,
    connect,
    find_user,
    named_errors,
    prepare_space,
)

T = TypeVar("T")

TOKEN_PREFIX = "atelier "  # noqa: S105 (the beginning of the tokens' names)
REQUEST_SECONDS = 10.0
"""Timeout of one request, even if its caller has more time."""
DOWN_FOR_SECONDS = 3.0
"""Pause after two failures in a row or a timeout. During the pause, calls fail immediately."""
LONGEST_PAUSE_SECONDS = 120.0
"""Maximum pause, even if GitLab asks for a longer one (429)."""
PREPARE_TRIES = 3
PREPARE_PAUSE_SECONDS = 5.0
"""Longest pause within an attempt to prepare a space; for a longer one the attempt ends and is
retried later."""


@dataclass(frozen=True)
class Patience:
    """How long a caller waits for GitLab.

    Attributes:
        seconds: total time for requests and for pauses between tries.
        tries: maximum number of tries.
        longest_pause: longest pause that the caller accepts if GitLab asks for one (429), seconds.
    """

    seconds: float
    tries: int
    longest_pause: float


PAGE = Patience(seconds=8, tries=3, longest_pause=5)
"""For pages, while the learner waits."""
GIT = Patience(seconds=20, tries=3, longest_pause=0)
"""For credentials. If GitLab asks for a pause, git's helper gets the delay and waits."""


class _Budget:
    """Remaining time of a caller, seconds."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


def expiry(today: date, days: int) -> date:
    """Return the expiry date of a token that must be valid for ``days`` whole days.

    GitLab's tokens expire at 00:00 UTC of that date.
    """
    return today + timedelta(days=days + 1)


def token_name(course: str) -> str:
    """Return the name of tokens for a course's servers, which no other token has."""
    return f"{TOKEN_PREFIX}{course} notebook"


class GitLabClient:
    """The desk's client of GitLab. Methods that are not coroutines block: call them in threads.

    Args:
        settings: the site's settings.
        credentials: provides the administrator's token.
        clock: monotonic clock, seconds.
        sleep: coroutine that sleeps for a number of seconds.
        sleep_in_thread: blocking sleep, used within an attempt to prepare a space, seconds.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        sleep_in_thread: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._clock = clock
        self._sleep = sleep
        self._sleep_in_thread = sleep_in_thread
        self._local = threading.local()
        self._rate_limit = Pause(clock, LONGEST_PAUSE_SECONDS)
        self._down = Pause(clock)
        self._reason = ""
        self._failures = 0
        """Number of consecutive requests without an answer or with a 5xx."""

    def _connection(self) -> Any:
        """Return this thread's connection.

        Raises:
            GitLabTokenMissingError: the desk has no token yet.
        """
        token = self._credentials.optional("gitlab_admin_token")
        if token is None:
            raise GitLabTokenMissingError("the desk was given no GitLab token yet")
        if getattr(self._local, "token", None) != token:
            site = self._settings.site
            self._local.connection = connect(
                site.gitlab_url,
                token,
                ca_file=str(site.ca_file) if site.ca_file else None,
                timeout=REQUEST_SECONDS,
            )
            self._local.token = token
        return self._local.connection

    def _require_up(self) -> None:
        """Check that there is a token and no pause because GitLab is down.

        Raises:
            GitLabTokenMissingError: the desk has no token yet.
            GitLabUnavailableError: GitLab failed a moment ago.
        """
        self._connection()
        if left := self._down.left():
            raise GitLabUnavailableError(self._reason, left)

    def reachable(self) -> bool:
        """Return whether there is a token and GitLab is not known to be down."""
        try:
            self._require_up()
        except GitLabUnavailableError:
            return False
        return True

    def paused_for(self) -> float:
        """Return the seconds until GitLab accepts requests again after a 429; 0: it does now."""
        return self._rate_limit.left()

    def may_be_asked(self) -> bool:
        """Return whether background jobs may send requests now."""
        return self.reachable() and not self.paused_for()

    @contextmanager
    def calling(
        self, doing: str, *, seconds: float = REQUEST_SECONDS, tries: int = 1, pause: float = 0
    ) -> Iterator[Calls]:
        """Yield an object for requests within the caller's remaining time.

        Args:
            doing: the purpose, for messages.
            seconds: total time for the requests if the caller has no :class:`Patience`.
            tries: number of tries for each request; more than one only in threads that may block.
            pause: longest sleep of such a thread after a 429, seconds.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        self._require_up()
        budget = _budget.get()
        began = self._clock()
        calls = Calls(
            self._connection,
            sleep=self._sleep_in_thread,
            clock=self._clock,
            tries=tries,
            longest_hold=pause,
            holds=tries,
            pause=self._rate_limit,
            seconds=seconds if budget is None else budget.left,
            request_seconds=REQUEST_SECONDS,
        )
        try:
            with named_errors(doing):
                yield calls
        except GitLabUnavailableError as error:
            self._note(error, tries)
            raise
        except SpaceError:
            self._failures = 0
            raise
        else:
            self._failures = 0
        finally:
            if budget is not None:
                budget.left -= self._clock() - began

    def _note(self, error: GitLabUnavailableError, tries: int) -> None:
        """Count failures; start a pause for all callers if GitLab seems to be down."""
        if isinstance(error, (GitLabRateLimitedError, StillCopyingError)):
            return
        self._failures += tries
        if self._failures > 1 or _timed_out(error):
            self._reason = str(error)
            error.seconds = self._down.begin(DOWN_FOR_SECONDS)

    async def patiently(self, attempt: Callable[[], Awaitable[T]], patience: Patience) -> T:
        """Run an attempt that needs GitLab, and retry it while the caller's patience lasts.

        Args:
            attempt: the complete operation, which may be repeated; it must release its locks when
                it fails.
            patience: the caller's limits on time, tries and pauses.

        Raises:
            GitLabRateLimitedError: GitLab asks for a longer pause than the caller accepts.
            GitLabUnavailableError: no tries or no time are left.
        """
        budget = _Budget(patience.seconds)
        began_with = _budget.set(budget)
        try:
            tried = 0
            while True:
                tried += 1
                try:
                    return await attempt()
                except (GitLabTokenMissingError, StillCopyingError):
                    raise
                except GitLabUnavailableError as error:
                    pause = _next_try(error, tried, patience)
                    if pause is None or pause >= budget.left:
                        raise
                budget.left -= pause
                await self._sleep(pause)
        finally:
            _budget.reset(began_with)

    def answers(self) -> bool:
        """Ask GitLab for its version; return whether it answers at all."""
        try:
            with self.calling("asking GitLab's version") as calls:
                calls.get("/version")
        except GitLabRateLimitedError:
            return True  # a 429 is an answer
        except GitLabUnavailableError:
            return False
        except SpaceError:
            return True  # a refusal is an answer
        return True

    def prepare(
        self, learner: Learner, template: str, course: str, on_step: Callable[[str], None]
    ) -> Space:
        """Create a space; see :func:`atelier.gitlab.spaces.prepare_space` for the errors."""
        limit = self._settings.desk.prepare_timeout_seconds
        with self.calling(
            "preparing a space",
            seconds=limit + 2 * REQUEST_SECONDS,
            tries=PREPARE_TRIES,
            pause=PREPARE_PAUSE_SECONDS,
        ) as calls:
            return prepare_space(calls, learner, template, course, timeout=limit, on_step=on_step)

    def issue(self, username: str, course: str) -> tuple[str, datetime]:
        """Create a git credential for a server, and revoke the server's earlier ones.

        Returns:
            The token and its expiry (UTC).

        Raises:
            SpaceError: the learner has no account, or GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        with self.calling(f"making a credential for {username}") as calls:
            user = find_user(calls, username)
            if user is None:
                raise SpaceError(f"{username} has no GitLab account yet")
            self._revoke(calls, user["id"], course)
            dies = expiry(datetime.now(UTC).date(), self._settings.desk.token_days)
            # If a lost answer leads to two tokens, the next revocation by name removes both.
            made = calls.send(
                "post",
                path_of("users", user["id"], "impersonation_tokens"),
                data={
                    "name": token_name(course),
                    "scopes": ["write_repository"],
                    "expires_at": dies.isoformat(),
                },
            ).json()
            return str(made["token"]), datetime(dies.year, dies.month, dies.day, tzinfo=UTC)

    def revoke(self, username: str, course: str) -> int:
        """Revoke the credentials of a server.

        Returns:
            Number of revoked credentials.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        with self.calling(f"revoking credentials of {username}") as calls:
            user = find_user(calls, username)
            return self._revoke(calls, user["id"], course) if user is not None else 0

    @staticmethod
    def _revoke(calls: Calls, user_id: int, course: str) -> int:
        base = path_of("users", user_id, "impersonation_tokens")
        count = 0
        for token in calls.every(base, state="active"):
            if token["name"] == token_name(course):
                calls.remove(base + path_of(token["id"]))
                count += 1
        return count


def _timed_out(error: BaseException | None) -> bool:
    """Return whether an error or one of its causes is a timeout."""
    while error is not None and not isinstance(error, Timeout):
        error = error.__cause__
    return error is not None


def _next_try(error: GitLabUnavailableError, tried: int, patience: Patience) -> float | None:
    """Return the seconds until the next try, with jitter; None: no more tries."""
    if tried >= patience.tries:
        return None
    if isinstance(error, GitLabRateLimitedError) and error.seconds > patience.longest_pause:
        return None
    return max(growing_pause(tried - 1), error.seconds + random.uniform(0, 0.5))  # noqa: S311
