# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Thread-safe requests to GitLab with retries.

Every thread has its own python-gitlab client. Idempotent requests are retried after a dropped
connection or a 5xx, with growing pauses. Before others (most POSTs) are retried, the object is
searched: see :meth:`Calls.make`. A 429 pauses all callers that share a :class:`Pause`. No Ansible
import: the desk uses this file, too.
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
except ImportError:  # reported by connection.library_problem()
    pass

from .errors import GitLabRateLimitedError, GitLabUnavailableError
from .pause import Pause, asked_pause, growing_pause, remember_pause

TRANSIENT = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Status codes after which a retry may succeed."""

CONFLICT = frozenset({400, 409, 422})
"""Status codes for an object that already exists, depending on the kind of object."""

TRIES = 7
LONGEST_HOLD = 900.0
HOLDS = 60

Json = Any
"""Return type of ``json.loads``."""


class LearnerError(Exception):
    """The work for this learner failed; the text says why and what to do."""


class NotGitLabError(Exception):
    """The answer is not from GitLab's API: it is not JSON, or not a list where one is expected."""


class StoppedError(Exception):
    """The run was stopped; no further request is sent."""


class _DoubtError(Exception):
    """It is unknown whether the request was carried out; ``__cause__`` is the failure."""


@dataclass
class Counts:
    """Number of requests that were sent, reading and writing ones."""

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
    """Return whether a failed request certainly did not reach GitLab (no connection was made)."""
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


def as_object(answer: Json) -> dict[str, Any]:
    """Return an answer that must be a JSON object.

    Raises:
        NotGitLabError: it is another kind of JSON value.
    """
    if not isinstance(answer, dict):
        raise NotGitLabError
    return answer


def path_of(*parts: str | int) -> str:
    """Return an API path; each part is encoded, slashes too: ``("projects", "demo/template")``."""
    return "".join("/" + quote(str(part), safe="") for part in parts)


class Calls:
    """The requests of one run, shared by its threads.

    Args:
        connect: returns a new client; called once in each thread.
        sleep: waits for a number of seconds.
        clock: monotonic clock, seconds.
        tries: number of tries before :class:`GitLabUnavailableError`.
        longest_hold: longest pause that GitLab may ask for (429), seconds; else give up.
        holds: number of such pauses for one request.
        pause: shared with other callers of the same GitLab; by default not shared.
        seconds: time limit for all requests together, from now on; None: no limit.
        request_seconds: time limit of each request, if ``seconds`` is given.
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
        """Return this thread's client."""
        made: gitlab.Gitlab | None = getattr(self._mine, "client", None)
        if made is None:
            made = self._connect()
            if remember_pause not in made.session.hooks["response"]:
                made.session.hooks["response"].append(remember_pause)
            self._mine.client = made
        return made

    def held_for(self) -> float:
        """Return the seconds left of the pause after a 429; 0 if there is none."""
        return self._shared_pause.left()

    def time_left(self) -> float | None:
        """Return the seconds that the next request may take; None: no limit.

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
        """Begin the shared pause: for the time that GitLab asks for, else for a growing time."""
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
            # In small steps, to notice a stop; with jitter, so that threads do not resume at once.
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
        """Send a request; retry after 429, 5xx or a lost connection if that is safe.

        Raises:
            GitlabError: GitLab's answer is a permanent error.
            GitLabUnavailableError: the tries or the time are used up; ``__cause__`` is the last
                failure.
            GitLabRateLimitedError: GitLab asks for a longer pause than ``longest_hold``.
            _DoubtError: it is unknown whether a non-repeatable request was carried out.
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
                    # For session.explain: GitLab's answer does not contain the request.
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
        """Return the answer to a GET."""
        return _json(self.send("get", path, query))

    def find(self, path: str, **query: Any) -> Json | None:
        """Return the answer to a GET, or ``None`` for a 404."""
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
        """POST an idempotent verb: block, unblock, archive, unarchive, restore."""
        return _json(self.send("post", path, data={}))

    def remove(self, path: str, **query: Any) -> None:
        """Send a DELETE; ignore a 404."""
        try:
            self.send("delete", path, query)
        except gitlab.exceptions.GitlabHttpError as error:
            if error.response_code != 404:
                raise

    def make(
        self, path: str, data: dict[str, Any], present: Callable[[], Json | None]
    ) -> tuple[Json, bool]:
        """Create an object by POST, without ever creating a duplicate.

        If it is unknown whether a request was carried out (lost connection, 5xx), or if the object
        already exists, ``present`` searches the object by its identity before any retry.

        Returns:
            The object, and whether this call certainly created it.
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
        """Yield a listing in pages of one hundred objects, in descending order of their ids.

        ``keyset`` asks for GitLab's keyset pagination, which stays fast and skips no objects when
        others are created or deleted; use page numbers for listings without it.
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
            # The link has GitLab's external address: keep the path and take only its parameters.
            query = dict(parse_qsl(urlsplit(following).query, keep_blank_values=True))
            query.pop("private_token", None)

    def every(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Return all objects of a listing, from all pages; not all listings can be sorted."""
        query = {"order_by": None, "sort": None, **query}
        return [one for page in self.pages(path, keyset=False, **query) for one in page]
