# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Requests to GitLab that many threads may send at once, and that survive a bad moment.

Every thread has its own python-gitlab client. What is safe to repeat is repeated after a dropped
connection or a 5xx, with growing pauses; what is not (most POSTs) is looked for first: see
:meth:`Calls.make`. A 429 holds back all threads for as long as GitLab asks. No Ansible import:
the desk uses this file too.
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

TRANSIENT = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Codes after which the same request may well succeed."""

CONFLICT = frozenset({400, 409, 422})
"""Codes with which GitLab says, depending on the kind of object, that it exists already."""

TRIES = 7
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 16.0
LONGEST_HOLD = 900.0
HOLDS = 60

Json = Any
"""What ``json.loads`` returns."""


class UnavailableError(Exception):
    """GitLab kept failing (5xx, no connection) until the tries were used up; ``__cause__`` is the
    last failure.
    """


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


_latest = threading.local()


def _remember(response: requests.Response, **_: Any) -> None:
    # python-gitlab's exceptions leave out the headers.
    _latest.retry_after = response.headers.get("Retry-After")


class Calls:
    """The requests of one run; to be shared by its threads.

    Args:
        connect: makes a client; called once in each thread.
        sleep: waits for a number of seconds.
        clock: seconds, monotonic.
        tries: how often a request is sent before :class:`UnavailableError`.
        longest_hold: seconds to wait at most when GitLab asks to (429); else it gives up.
    """

    def __init__(
        self,
        connect: Callable[[], gitlab.Gitlab],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        tries: int = TRIES,
        longest_hold: float = LONGEST_HOLD,
    ) -> None:
        self._connect = connect
        self.sleep = sleep
        self.clock = clock
        self._tries = tries
        self._longest_hold = longest_hold
        self._mine = threading.local()
        self._held_until = 0.0
        self.counts = Counts()
        self.stop = threading.Event()

    def client(self) -> gitlab.Gitlab:
        """This thread's own client."""
        made: gitlab.Gitlab | None = getattr(self._mine, "client", None)
        if made is None:
            made = self._connect()
            if _remember not in made.session.hooks["response"]:
                made.session.hooks["response"].append(_remember)
            self._mine.client = made
        return made

    def held_for(self) -> float:
        """Seconds that a 429 still holds requests back; 0 when none does."""
        return max(0.0, self._held_until - self.clock())

    def _hold(self, attempt: int) -> None:
        """Hold back all threads: for as long as GitLab said, else a growing pause."""
        asked = getattr(_latest, "retry_after", None)
        wait = float(asked) if asked and asked.isdigit() else self._pause(attempt)
        if wait > self._longest_hold:
            raise UnavailableError(
                f"GitLab asks to wait {wait:.0f} s before the next request (429): run again then, "
                "or raise its rate limits"
            )
        # A little more than asked, and not the same for everybody.
        self._held_until = max(self._held_until, self.clock() + wait + random.uniform(0, 0.2))  # noqa: S311

    def _pause(self, attempt: int) -> float:
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt) * random.uniform(0.75, 1.25)  # noqa: S311

    def _ready(self) -> None:
        while not self.stop.is_set():
            wait = self.held_for()
            if not wait:
                return
            self.sleep(min(wait, 1.0))
        raise StoppedError

    def send(
        self,
        verb: str,
        path: str,
        query: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        *,
        repeatable: bool = True,
    ) -> requests.Response:
        """Send one request, again after 429, 5xx or a lost connection while that is safe.

        Raises:
            GitlabError: GitLab's answer is an error that repeating does not cure.
            UnavailableError: the tries are used up.
            _DoubtError: not repeatable, and unknown whether it was carried out.
        """
        failed = held = 0
        while True:
            self._ready()
            self.counts.add(verb)
            try:
                return self.client().http_request(
                    verb,
                    path,
                    query_data=query,
                    post_data=data,
                    obey_rate_limit=False,
                    retry_transient_errors=False,
                )
            except gitlab.exceptions.GitlabHttpError as error:
                if error.response_code == 429 and held < HOLDS:
                    self._hold(held)
                    held += 1
                    continue
                if error.response_code not in TRANSIENT | {429}:
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
            if doubtful and not repeatable:
                raise _DoubtError from failure
            failed += 1
            if failed >= self._tries:
                raise UnavailableError(f"after {failed} tries") from failure
            self.sleep(self._pause(failed - 1))

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
                self.sleep(self._pause(attempt))
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
        raise UnavailableError(f"after {self._tries} tries") from cause

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
