# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Requests to GitLab that many threads may send at once, and that survive a bad moment.

Every thread has its own python-gitlab client. What is safe to repeat is repeated after a dropped
connection or a 5xx, with growing pauses; what is not (most POSTs) is looked for first: see
:meth:`Calls.make`. A 429 holds back all who share a :class:`Pause`. No Ansible import: the desk
uses this file too.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

try:
    import gitlab
    import gitlab.exceptions
    import requests
    import urllib3.exceptions
except ImportError:  # said in full by _gitlab.library_problem()
    pass

from .errors import GitLabRateLimitedError, GitLabUnavailableError
from .pause import Pause, asked_pause, growing_pause, remember_pause

TRANSIENT = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Codes after which the same request may well succeed."""

CONFLICT = frozenset({400, 409, 422})
"""Codes with which GitLab says, depending on the kind of object, that it exists already."""

TRIES = 7
LONGEST_HOLD = 900.0
HOLDS = 60

Json = Any
"""What ``json.loads`` returns."""


class LearnerError(Exception):
    """This learner cannot be served; the text says why and what to do."""


class NotGitLabError(Exception):
    """What answered is not GitLab's API: its answer is not JSON, or no list where one was due."""


class StoppedError(Exception):
    """No further request may be sent: the run was told to stop."""


class _DoubtError(Exception):
    """The request may or may not have been carried out; ``__cause__`` says what happened."""


@dataclass
class Counts:
    """How many requests went out: reading ones, and writing ones."""

    read: int = 0
    written: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, verb: str) -> None:
        """Count one request."""
        with self._lock:
            if verb == "get":
                self.read += 1
            else:
                self.written += 1


def never_sent(error: BaseException) -> bool:
    """Whether a failed request certainly did not reach GitLab: no connection was ever made."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(
            current,
            (
                requests.exceptions.ConnectTimeout,
                urllib3.exceptions.NewConnectionError,
                urllib3.exceptions.ConnectTimeoutError,
            ),
        ):
            return True
        inner = getattr(current, "reason", None) or (current.args[0] if current.args else None)
        current = inner if isinstance(inner, BaseException) else None
    return False


def _json(response: requests.Response) -> Json:
    try:
        return response.json()
    except ValueError as error:
        raise NotGitLabError from error


def path_of(*parts: str | int) -> str:
    """An API path; each part is encoded, slashes included: ``("projects", "demo/template")``."""
    return "".join("/" + quote(str(part), safe="") for part in parts)


class Calls:
    """The requests of one run; to be shared by its threads.

    Args:
        connect: makes a client; called once in each thread.
        sleep: waits for a number of seconds.
        clock: seconds, monotonic.
        tries: how often a request is sent before :class:`GitLabUnavailableError`.
        longest_hold: seconds to wait at most when GitLab asks to (429); else it gives up.
        holds: how often one request waits for that.
        pause: shared with others who ask the same GitLab; by default with nobody.
        seconds: for everything, from now on; None: no limit.
        request_seconds: for each request at most, with ``seconds``.
    """

    def __init__(
        self,
        connect: Callable[[], gitlab.Gitlab],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        tries: int = TRIES,
        longest_hold: float = LONGEST_HOLD,
        holds: int = HOLDS,
        pause: Pause | None = None,
        seconds: float | None = None,
        request_seconds: float = 10.0,
    ) -> None:
        self._connect = connect
        self.sleep = sleep
        self.clock = clock
        self._tries = tries
        self._longest_hold = longest_hold
        self._holds = holds
        self._shared_pause = pause or Pause(clock)
        self._until = None if seconds is None else clock() + seconds
        self._seconds = seconds
        self._request_seconds = request_seconds
        self._mine = threading.local()
        self.counts = Counts()
        self.stop = threading.Event()

    def client(self) -> gitlab.Gitlab:
        """This thread's own client."""
        made: gitlab.Gitlab | None = getattr(self._mine, "client", None)
        if made is None:
            made = self._connect()
            if remember_pause not in made.session.hooks["response"]:
                made.session.hooks["response"].append(remember_pause)
            self._mine.client = made
        return made

    def held_for(self) -> float:
        """Seconds that a 429 still holds requests back; 0 when none does."""
        return self._shared_pause.left()

    def time_left(self) -> float | None:
        """Seconds that the next request may take; None: no limit.

        Raises:
            GitLabUnavailableError: the time is used up.
        """
        if self._until is None:
            return None
        left = self._until - self.clock()
        if left <= 0:
            raise GitLabUnavailableError(f"no answer within {self._seconds:.0f} s")
        return min(left, self._request_seconds)

    def _rest(self, seconds: float, failure: BaseException | None) -> None:
        """Sleep before the next try, if there is time for one."""
        if self._until is not None and self.clock() + seconds >= self._until:
            raise GitLabUnavailableError(f"no answer within {self._seconds:.0f} s") from failure
        self.sleep(seconds)

    def _give_up(self, wait: float) -> GitLabRateLimitedError:
        return GitLabRateLimitedError(
            f"GitLab asks to wait {wait:.0f} s before the next request (429): run again then, "
            "or raise its rate limits",
            wait,
        )

    def _hold(self) -> None:
        """Hold back all who share the pause: for as long as GitLab said, else a growing time."""
        asked = asked_pause()
        if asked is not None and self._longest_hold < asked:
            raise self._give_up(self._shared_pause.begin(asked))
        self._shared_pause.begin(asked)

    def _ready(self) -> None:
        while not self.stop.is_set():
            wait = self.held_for()
            if not wait:
                return
            if wait > self._longest_hold:
                raise self._give_up(wait)
            # In small steps, to notice a stop; at the end not everybody at the same moment.
            self._rest(min(wait + random.uniform(0, 0.2), 1.0), None)  # noqa: S311
        raise StoppedError

    def send(
        self,
        verb: str,
        path: str,
        query: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        *,
        repeatable: bool = True,
        streamed: bool = False,
    ) -> requests.Response:
        """Send one request, again after 429, 5xx or a lost connection while that is safe.

        Raises:
            GitlabError: GitLab's answer is an error that repeating does not cure.
            GitLabUnavailableError: the tries or the time are used up; ``__cause__`` is the last
                failure.
            GitLabRateLimitedError: GitLab asks for a longer pause than may be waited for.
            _DoubtError: not repeatable, and unknown whether it was carried out.
        """
        failed = held = 0
        while True:
            self._ready()
            timeout = self.time_left()
            self.counts.add(verb)
            try:
                answer = self.client().http_request(
                    verb,
                    path,
                    query_data=query,
                    post_data=data,
                    streamed=streamed,
                    timeout=timeout,
                    obey_rate_limit=False,
                    retry_transient_errors=False,
                )
            except gitlab.exceptions.GitlabHttpError as error:
                if error.response_code == 429 and held < self._holds:
                    self._hold()
                    held += 1
                    continue
                if error.response_code not in TRANSIENT | {429}:
                    self._shared_pause.over()
                    # For _session.explain: GitLab's answer does not repeat the question.
                    vars(error)["asked"] = f"{verb.upper()} {path}"
                    raise
                failure: Exception = error
                doubtful = error.response_code != 429
            except requests.exceptions.SSLError:
                raise
            except (
                requests.exceptions.ConnectionError,
                requests.exceptions.ChunkedEncodingError,
                requests.exceptions.Timeout,
            ) as error:
                failure = error
                doubtful = not never_sent(error)
            else:
                self._shared_pause.over()
                return answer
            if doubtful and not repeatable:
                raise _DoubtError from failure
            failed += 1
            if failed >= self._tries:
                raise GitLabUnavailableError(f"after {failed} tries") from failure
            self._rest(growing_pause(failed - 1), failure)

    def get(self, path: str, **query: Any) -> Json:
        """The answer to a GET."""
        return _json(self.send("get", path, query))

    def find(self, path: str, **query: Any) -> Json | None:
        """The answer to a GET, or ``None`` where there is nothing (404)."""
        try:
            return self.get(path, **query)
        except gitlab.exceptions.GitlabHttpError as error:
            if error.response_code == 404:
                return None
            raise

    def put(self, path: str, data: dict[str, Any]) -> Json:
        """Change an object: repeating it gives the same object."""
        return _json(self.send("put", path, data=data))

    def patch(self, path: str, data: dict[str, Any]) -> Json:
        """Change an object: repeating it gives the same object."""
        return _json(self.send("patch", path, data=data))

    def act(self, path: str) -> Json:
        """POST of a verb that may be repeated: block, unblock, archive, unarchive, restore."""
        return _json(self.send("post", path, data={}))

    def remove(self, path: str, **query: Any) -> None:
        """DELETE; that it is gone already is fine."""
        try:
            self.send("delete", path, query)
        except gitlab.exceptions.GitlabHttpError as error:
            if error.response_code != 404:
                raise

    def make(
        self, path: str, data: dict[str, Any], present: Callable[[], Json | None]
    ) -> tuple[Json, bool]:
        """POST of a new object; never two of them.

        After an answer that leaves a doubt (lost connection, 5xx), and after one that says that
        it exists already, ``present`` looks for the object by its identity before anything is
        sent again.

        Returns:
            The object, and whether it is certain that this call made it.
        """
        for attempt in range(self._tries):
            try:
                made = self.send("post", path, data=data, repeatable=False)
                return _json(made), attempt == 0
            except _DoubtError as doubt:
                cause = doubt.__cause__
                self._rest(growing_pause(attempt), cause)
                found = present()
                if found is not None:
                    return found, False
            except gitlab.exceptions.GitlabHttpError as error:
                if error.response_code not in CONFLICT:
                    raise
                found = present()
                if found is None:
                    raise
                return found, False
        raise GitLabUnavailableError(f"after {self._tries} tries") from cause

    def pages(self, path: str, *, keyset: bool, **query: Any) -> Iterator[list[dict[str, Any]]]:
        """A listing, one hundred objects at a time, in the order of their ids.

        ``keyset`` asks for GitLab's cursor pagination, which neither slows down nor slips while
        objects come and go; listings that lack it are counted by pages.
        """
        query = {"per_page": 100, "order_by": "id", "sort": "desc", **query}
        if keyset:
            query["pagination"] = "keyset"
        while True:
            response = self.send("get", path, query)
            page = _json(response)
            if not isinstance(page, list):
                raise NotGitLabError
            yield page
            following = response.links.get("next", {}).get("url")
            if not following:
                return
            # The link carries the address that browsers know: keep to our own, take its parameters.
            query = dict(parse_qsl(urlsplit(following).query, keep_blank_values=True))
            query.pop("private_token", None)
