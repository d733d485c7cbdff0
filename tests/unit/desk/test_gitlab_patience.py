"""GitLab's bad moments: what each caller gets, after how long, and what others notice of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
import urllib3.exceptions
from atelier.config.models import Settings
from atelier.desk.access import AccessService
from atelier.desk.api import EXCEPTION_HANDLERS
from atelier.desk.credentials import CredentialService
from atelier.desk.db.spaces import Request, SpaceRepository
from atelier.desk.spaces import Preparer
from atelier.gitlab.client import GitLabClient
from atelier.gitlab.errors import (
    GitLabRateLimitedError,
    GitLabRefusedError,
    GitLabUnavailableError,
    SpaceError,
)
from atelier.gitlab.files import RepositoryFiles
from atelier.gitlab.spaces import Learner
from kit.desk_database import desk_database
from requests.adapters import HTTPAdapter

SITE = {"hub_url": "https://hub.example.org", "gitlab_url": "https://gitlab.example.org"}
SETTINGS = Settings.model_validate({"site": SITE})
ADA = Learner("ada", "Ada", "ada@example.org")

Fault = str | tuple[int, str]
"""How GitLab fails: ``timeout``, ``reset``, or a status with its Retry-After."""


class GitLab:
    """GitLab below the real client: it fails as a test wants, in a time that only passes here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        monkeypatch.setattr(HTTPAdapter, "send", self._send)
        self.now = 1000.0
        self.faults: list[Fault] = []
        """Of the next requests."""
        self.always: Fault | None = None
        self.asked: list[str] = []
        self.tokens: list[dict[str, Any]] = []
        self.while_sleeping: Callable[[], None] = lambda: None
        credentials: Any = type("", (), {"optional": lambda _self, _name: "glpat-secret"})()
        self.client = GitLabClient(
            SETTINGS,
            credentials,
            clock=lambda: self.now,
            sleep=self._sleep,
            sleep_in_thread=self._pass,
        )
        self.access = AccessService(SETTINGS, self.client)
        self.credentials = CredentialService(self.client, SpaceRepository(desk_database(folder)))
        self.files = RepositoryFiles(self.client)

    async def _sleep(self, seconds: float) -> None:
        self.while_sleeping()
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self.now += seconds

    def _send(self, request: requests.PreparedRequest, timeout: float, **_: Any) -> Any:
        """In the place of a connection."""
        where = f"{request.method} {str(request.url).partition('/api/v4')[2].partition('?')[0]}"
        self.asked.append(where)
        fault = self.faults.pop(0) if self.faults else self.always
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        if fault == "timeout":
            self.now += timeout
            raise requests.exceptions.ReadTimeout("slow")
        if fault == "lost":  # it is done, and nobody hears of it
            self._answer(where, request)
        if fault in ("reset", "lost"):
            cause = urllib3.exceptions.ProtocolError("aborted", ConnectionResetError())
            raise requests.exceptions.ConnectionError(cause)
        if isinstance(fault, tuple):
            response.status_code, after = fault
            response.headers.update({"Retry-After": after} if after else {})
            response._content = b"Retry later"
            return response
        response.status_code, response._content_consumed = 200, True
        response._content = json.dumps(self._answer(where, request)).encode()
        return response

    def _answer(self, where: str, request: requests.PreparedRequest) -> Any:
        if where.startswith("POST"):
            asked = json.loads(request.body or b"{}")
            made = {
                "id": len(self.tokens) + 1,
                "token": f"glpat-{len(self.tokens) + 1}",
                "user_id": 5,
                "name": asked.get("name"),
                "created_at": "2026-01-01",
                "expires_at": asked.get("expires_at"),
            }
            self.tokens.append(made)
            return made
        if where == "GET /users":
            return [{"id": 5, "username": "ada", "email": "ada@example.org", "state": "active"}]
        if where.startswith("DELETE"):
            gone = int(where.rpartition("/")[2])
            self.tokens = [token for token in self.tokens if token["id"] != gone]
            return None
        if where.endswith("_tokens"):
            return self.tokens
        if where.endswith("/commits"):
            return [{"id": "c0ffee", "committed_date": "2026-01-01"}]
        return {"version": "18.0.0"}


@pytest.fixture
def gitlab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> GitLab:
    return GitLab(monkeypatch, tmp_path)


def page_head(gitlab: GitLab) -> Awaitable[Any]:
    return gitlab.files.patiently(lambda: asyncio.to_thread(gitlab.files.head, "ada/rr1"))


def page_file(gitlab: GitLab) -> Awaitable[Any]:
    return gitlab.files.patiently(
        lambda: asyncio.to_thread(gitlab.files.file, "ada/rr1", "a.md", "main", 10)
    )


def prepare(gitlab: GitLab) -> Awaitable[Any]:
    return asyncio.to_thread(gitlab.client.prepare, ADA, "rr1/template", "rr1", lambda _step: None)


Ask = Callable[[GitLab], Awaitable[Any]]
CALLERS: dict[str, tuple[Ask, float, float]] = {
    # who: (how they ask, seconds that they wait at most, the longest pause that they wait for)
    "page: account": (lambda it: it.access.account("ada"), 8, 5),
    "page: make a token": (lambda it: it.access.make("ada", "laptop", "7"), 8, 5),
    "page: revoke a token": (lambda it: it.access.revoke("ada", "3"), 8, 5),
    "page: head": (page_head, 8, 5),
    "page: file": (page_file, 8, 5),
    "git": (lambda it: it.credentials.get("ada", "rr1"), 20, 0),
    "prepare": (prepare, 40, 5),
    "job: revoke": (lambda it: asyncio.to_thread(it.client.revoke, "ada", "rr1"), 10, 0),
    "job: head": (lambda it: asyncio.to_thread(it.files.head, "ada/rr1"), 10, 0),
}
FAULTS: dict[str, Fault] = {
    "429": (429, ""),
    "429, 3 s": (429, "3"),
    "429, 60 s": (429, "60"),
    "429, an hour": (429, "3600"),
    "429, a date": (429, "Thu, 01 Jan 2099 00:00:00 GMT"),
    "429, nonsense": (429, "soon"),
    "500": (500, ""),
    "503": (503, ""),
    "503, 60 s": (503, "60"),
    "timeout": "timeout",
    "reset": "reset",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_gitlab_that_fails_is_said_in_bounded_time(
    gitlab: GitLab, caller: str, fault: str
) -> None:
    ask, most, pause = CALLERS[caller]
    gitlab.always = FAULTS[fault]
    began = gitlab.now
    with pytest.raises(GitLabUnavailableError) as caught:
        asyncio.run(cast(Any, ask(gitlab)))
    took, seconds = gitlab.now - began, caught.value.seconds
    assert took <= most
    assert len(gitlab.asked) <= 10
    assert isinstance(caught.value, GitLabRateLimitedError) == fault.startswith("429")
    if fault in ("429, 60 s", "429, an hour", "429, a date"):
        assert took < 0.1, "nobody waits for a pause that is longer than they wait"
        assert seconds == pytest.approx(60 if "60" in fault else 120, abs=1)
        assert len(gitlab.asked) == 1
    if fault == "429, 3 s":
        assert took >= 2.9 * min(1, pause)
    if not fault.startswith("429"):
        assert 0 <= seconds <= 3


@pytest.mark.parametrize("fault", ["429", "429, 3 s", "500", "503", "reset"])
@pytest.mark.parametrize("caller", [name for name in CALLERS if name.startswith("page")])
def test_one_bad_moment_is_not_noticed_on_a_page(gitlab: GitLab, caller: str, fault: str) -> None:
    gitlab.tokens = [
        {
            "id": 3,
            "user_id": 5,
            "name": "Atelier: phone",
            "created_at": "2026-01-01",
            "expires_at": "2099-01-01",
        }
    ]
    gitlab.faults = [FAULTS[fault]]
    began = gitlab.now
    asyncio.run(cast(Any, CALLERS[caller][0](gitlab)))
    assert gitlab.now - began < 4


@pytest.mark.parametrize("fault", ["500", "503", "reset", "timeout"])
def test_one_bad_moment_is_not_noticed_by_git(gitlab: GitLab, fault: str) -> None:
    gitlab.faults = [FAULTS[fault]]
    assert asyncio.run(gitlab.credentials.get("ada", "rr1")).password == "glpat-1"


@pytest.mark.parametrize("other", CALLERS)
def test_all_keep_a_pause_that_gitlab_asks_for(gitlab: GitLab, other: str) -> None:
    gitlab.faults = [(429, "60")]
    with pytest.raises(GitLabRateLimitedError):
        asyncio.run(gitlab.credentials.get("ada", "rr1"))
    assert gitlab.client.paused_for() == pytest.approx(60)
    assert not gitlab.client.may_be_asked()
    assert gitlab.client.reachable(), "it answers"
    gitlab.now += 20
    with pytest.raises(GitLabRateLimitedError) as caught:
        asyncio.run(cast(Any, CALLERS[other][0](gitlab)))
    assert len(gitlab.asked) == 1, "nothing more was sent"
    assert caught.value.seconds == pytest.approx(40)
    gitlab.now += 41
    assert asyncio.run(gitlab.credentials.get("ada", "rr1")).password == "glpat-1"


def test_two_failures_are_a_gitlab_that_is_down_for_everybody_and_not_for_long(
    gitlab: GitLab,
) -> None:
    gitlab.always = "reset"
    for _ in range(2):
        with pytest.raises(GitLabUnavailableError):
            gitlab.client.revoke("ada", "rr1")
    assert not gitlab.client.reachable()
    with pytest.raises(GitLabUnavailableError, match="does not answer") as caught:
        gitlab.files.head("ada/rr1")
    assert len(gitlab.asked) == 2
    assert 2 < caught.value.seconds <= 3
    gitlab.always = None
    gitlab.now += 3
    assert gitlab.client.reachable()
    assert gitlab.files.head("ada/rr1") is not None


def test_one_failure_between_answers_is_nobody_else_s(gitlab: GitLab) -> None:
    for _ in range(3):
        gitlab.faults = ["reset"]
        with pytest.raises(GitLabUnavailableError):
            gitlab.client.revoke("ada", "rr1")
        assert gitlab.client.reachable()
        gitlab.client.revoke("ada", "rr1")


@pytest.mark.parametrize("fault", ["503", "429, 3 s"])
def test_no_lock_is_held_during_a_pause(gitlab: GitLab, fault: str) -> None:
    gitlab.always = FAULTS[fault]
    seen: list[bool] = []

    def look() -> None:
        locks = (*gitlab.access._locks.values(), *gitlab.credentials._locks.values())
        seen.append(any(lock.locked() for lock in locks))

    gitlab.while_sleeping = look
    for ask in (
        lambda: gitlab.access.make("ada", "laptop", "7"),
        lambda: gitlab.credentials.get("ada", "rr1"),
    ):
        with pytest.raises(GitLabUnavailableError):
            asyncio.run(cast(Any, ask()))
    assert len(seen) > 1
    assert not any(seen)


def test_a_token_whose_answer_was_lost_is_replaced(gitlab: GitLab) -> None:
    gitlab.faults = cast(list[Fault], [None, None, "lost"])
    token, _day = asyncio.run(gitlab.access.make("ada", "laptop", "7"))
    assert [one["token"] for one in gitlab.tokens] == [token]


def test_a_credential_that_takes_long_is_made_in_the_background(
    gitlab: GitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atelier.desk.credentials.ANSWER_WITHIN_SECONDS", 0.01)
    going_on = asyncio.Event()
    real = gitlab.client.patiently

    async def slow(attempt: Any, patience: Any) -> Any:
        await going_on.wait()
        return await real(attempt, patience)

    monkeypatch.setattr(gitlab.client, "patiently", slow)

    async def story() -> None:
        with pytest.raises(GitLabUnavailableError) as caught:
            await gitlab.credentials.get("ada", "rr1")
        assert caught.value.seconds == 2
        going_on.set()
        await asyncio.gather(*gitlab.credentials._tasks)
        monkeypatch.setattr("atelier.desk.credentials.ANSWER_WITHIN_SECONDS", 5)
        assert (await gitlab.credentials.get("ada", "rr1")).password == "glpat-1"

    asyncio.run(story())
    assert len(gitlab.tokens) == 1


def test_a_space_that_waits_for_a_busy_gitlab_is_still_on_its_way(
    gitlab: GitLab, tmp_path: Path
) -> None:
    course = SimpleNamespace(slug="rr1", template="rr1/template")
    store = SpaceRepository(desk_database(tmp_path))
    request = Request("ada", "rr1", "Ada", "ada@example.org")

    async def story() -> None:
        preparer = Preparer(SETTINGS, store, gitlab.client, cast(Any, {"rr1": course}))
        gitlab.always = (429, "60")
        for _ in range(3):
            answer = await preparer.ask(request, 5)
            assert (answer.state, answer.step) == ("preparing", "busy")
        await preparer.retry()
        assert len(gitlab.asked) == 1, "GitLab is left alone"
        assert [one.request for one in store.pending()] == [request]
        await preparer.close()

    asyncio.run(story())


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_refusal_is_final(gitlab: GitLab, status: int) -> None:
    gitlab.always = (status, "60")
    with pytest.raises(GitLabRefusedError, match=str(status)):
        asyncio.run(gitlab.access.account("ada"))
    assert len(gitlab.asked) == 1
    assert gitlab.client.reachable()


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (GitLabRateLimitedError("x", 2.2), 429, "3"),
        (GitLabUnavailableError("x", 3.0), 503, "3"),
        (GitLabUnavailableError("x"), 503, None),
        (GitLabRefusedError("x"), 409, None),
        (SpaceError("x"), 409, None),
    ],
)
def test_what_the_api_answers(error: Exception, status: int, after: str | None) -> None:
    # Starlette looks a handler up along the error's classes.
    handler = next(found for kind in type(error).__mro__ if (found := EXCEPTION_HANDLERS.get(kind)))
    answer = asyncio.run(cast(Any, handler(cast(Any, None), error)))
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, after)
