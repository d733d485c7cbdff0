"""The desk's access to GitLab: connections, how long callers wait, and pauses that all keep.

Those who wait for an answer have a :class:`Patience`: a learner in front of a page, git in a
learner's server. Background jobs try once, and again at their next round. Between tries
:meth:`GitLabClient.patiently` sleeps without blocking a thread, after the attempt has given up its
locks: a pause holds up nobody else.
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
"""For one request at most, whatever time its caller has."""
DOWN_FOR_SECONDS = 3.0
"""GitLab is not asked again for that long after two failures in a row, or a request without an
answer: everybody is told at once."""
LONGEST_PAUSE_SECONDS = 120.0
"""GitLab is asked again after that, even where it wanted a longer pause (429)."""
PREPARE_TRIES = 3
PREPARE_PAUSE_SECONDS = 5.0
"""The longest pause within one attempt to prepare a space; after a longer one it is tried again."""


@dataclass(frozen=True)
class Patience:
    """How long a caller waits for GitLab.

    Attributes:
        seconds: for everything: requests, and pauses between tries.
        tries: how often all of it is tried.
        longest_pause: seconds to wait at most when GitLab wants a pause (429).
    """

    seconds: float
    tries: int
    longest_pause: float


PAGE = Patience(seconds=8, tries=3, longest_pause=5)
"""A learner looks at a page that loads."""
GIT = Patience(seconds=20, tries=3, longest_pause=0)
"""A credential is made. Git's helper is told of a pause, and waits itself."""


class _Budget:
    """Seconds that a caller may still spend on GitLab."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


def expiry(today: date, days: int) -> date:
    """The date to give a token that must live ``days`` whole days.

    GitLab's expiry is a date, and the token is dead from 00:00 UTC of that day.
    """
    return today + timedelta(days=days + 1)


def token_name(course: str) -> str:
    """Name of the tokens handed to a course's servers; the learner's other tokens differ."""
    return f"{TOKEN_PREFIX}{course} notebook"


class GitLabClient:
    """GitLab as the desk uses it. Methods that are no coroutines block: call them in threads.

    Args:
        settings: the site's settings.
        credentials: where the administrator's token is.
        clock: seconds, monotonic.
        sleep: waits for a number of seconds, without blocking.
        sleep_in_thread: the same, blocking: within an attempt to prepare a space.
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
        """How many requests in a row got no answer, or a 5xx."""

    def _connection(self) -> Any:
        """This thread's connection.

        Raises:
            GitLabTokenMissingError: no token was handed over.
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
        """See that GitLab may be asked now.

        Raises:
            GitLabTokenMissingError: no token was handed over.
            GitLabUnavailableError: it failed a moment ago.
        """
        self._connection()
        if left := self._down.left():
            raise GitLabUnavailableError(self._reason, left)

    def reachable(self) -> bool:
        """Whether GitLab may be asked now, as far as it is known to be up."""
        try:
            self._require_up()
        except GitLabUnavailableError:
            return False
        return True

    def paused_for(self) -> float:
        """Seconds until GitLab takes requests again, after a 429; 0 when it takes them."""
        return self._rate_limit.left()

    def may_be_asked(self) -> bool:
        """Whether a background job may try now."""
        return self.reachable() and not self.paused_for()

    @contextmanager
    def calling(
        self, doing: str, *, seconds: float = REQUEST_SECONDS, tries: int = 1, pause: float = 0
    ) -> Iterator[Calls]:
        """Some requests, within what is left of the caller's time.

        Args:
            doing: what for, for messages.
            seconds: for all of them, where the caller has set no limit.
            tries: how often each is sent; more than once for threads that hold nobody up.
            pause: the longest that such a thread sleeps for a 429.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: try later.
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
        """Begin a pause for everybody when GitLab seems to be down."""
        if isinstance(error, (GitLabRateLimitedError, StillCopyingError)):
            return
        self._failures += tries
        if self._failures > 1 or _timed_out(error):
            self._reason = str(error)
            error.seconds = self._down.begin(DOWN_FOR_SECONDS)

    async def patiently(self, attempt: Callable[[], Awaitable[T]], patience: Patience) -> T:
        """Try something that needs GitLab, again after a bad moment while there is time.

        Args:
            attempt: the whole of it; may be repeated. It gives up its locks when it fails.
            patience: of the caller.

        Raises:
            GitLabRateLimitedError: GitLab wants a longer pause than the caller waits.
            GitLabUnavailableError: the tries or the time are used up.
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
        """Ask GitLab for its version; whether it answers at all."""
        try:
            with self.calling("asking GitLab's version") as calls:
                calls.get("/version")
        except GitLabRateLimitedError:
            return True  # it answers, if only to ask for patience
        except GitLabUnavailableError:
            return False
        except SpaceError:
            return True  # it answers, if only to refuse
        return True

    def prepare(
        self, learner: Learner, template: str, course: str, on_step: Callable[[str], None]
    ) -> Space:
        """Make a space; see :func:`atelier.gitlab.spaces.prepare_space` for what it raises."""
        limit = self._settings.desk.prepare_timeout_seconds
        with self.calling(
            "preparing a space",
            seconds=limit + 2 * REQUEST_SECONDS,
            tries=PREPARE_TRIES,
            pause=PREPARE_PAUSE_SECONDS,
        ) as calls:
            return prepare_space(calls, learner, template, course, timeout=limit, on_step=on_step)

    def issue(self, username: str, course: str) -> tuple[str, datetime]:
        """Make a git credential for one server, in place of any earlier one of that server.

        Returns:
            The token and when it dies (UTC).

        Raises:
            SpaceError: the learner has no account, or GitLab refuses.
            GitLabUnavailableError: try later.
        """
        with self.calling(f"making a credential for {username}") as calls:
            user = find_user(calls, username)
            if user is None:
                raise SpaceError(f"{username} has no GitLab account yet")
            self._revoke(calls, user["id"], course)
            dies = expiry(datetime.now(UTC).date(), self._settings.desk.token_days)
            # Made twice after a lost answer, the first one is revoked with the others of its name.
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
            How many there were.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: try later.
        """
        with self.calling(f"revoking credentials of {username}") as calls:
            user = find_user(calls, username)
            return self._revoke(calls, user["id"], course) if user is not None else 0

    @staticmethod
    def _revoke(calls: Calls, user_id: int, course: str) -> int:
        base = path_of("users", user_id, "impersonation_tokens")
        count = 0
        for token in every(calls, base, state="active"):
            if token["name"] == token_name(course):
                calls.remove(base + path_of(token["id"]))
                count += 1
        return count


def every(calls: Calls, path: str, **query: Any) -> list[dict[str, Any]]:
    """All objects of a listing."""
    query = {"order_by": None, "sort": None, **query}  # not every listing takes these two
    return [one for page in calls.pages(path, keyset=False, **query) for one in page]


def _timed_out(error: BaseException | None) -> bool:
    """Whether a request got no answer in its time."""
    while error is not None and not isinstance(error, Timeout):
        error = error.__cause__
    return error is not None


def _next_try(error: GitLabUnavailableError, tried: int, patience: Patience) -> float | None:
    """Seconds until the next try, not the same for everybody; None: there is none."""
    if tried >= patience.tries:
        return None
    if isinstance(error, GitLabRateLimitedError) and error.seconds > patience.longest_pause:
        return None
    return max(growing_pause(tried - 1), error.seconds + random.uniform(0, 0.5))  # noqa: S311
