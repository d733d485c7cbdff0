"""What a server is lent is taken back, whatever happens in between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from atelier.desk.credentials import (
    ASKED_AT_ONCE,
    FRESH_AT_ONCE,
    Credential,
    CredentialService,
    HubUnavailableError,
    TooOftenError,
)
from atelier.desk.db.spaces import SpaceRepository
from atelier.gitlab.errors import SpaceError
from atelier.limits.rate import Rate
from kit.desk_database import desk_database


def repository(folder: Path) -> SpaceRepository:
    return SpaceRepository(desk_database(folder))


class SlowForge:
    """GitLab, as slow as a test wants: counts the tokens that live."""

    def __init__(self) -> None:
        self.living = self.issued = 0
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def issue(self, _username: str, _course: str) -> tuple[str, datetime]:
        self.asked.set()
        self.go_on.wait(10)
        self.living = 1
        self.issued += 1
        return "value", datetime.now(UTC) + timedelta(days=2)

    def revoke(self, _username: str, _course: str) -> int:
        count, self.living = self.living, 0
        return count

    def may_be_asked(self) -> bool:
        return True

    async def patiently(
        self, attempt: Callable[[], Awaitable[Credential]], _patience: object
    ) -> Credential:
        return await attempt()


def test_a_server_that_stops_while_its_credential_is_made_leaves_none(tmp_path: Path) -> None:
    gitlab_client: Any = SlowForge()
    service = CredentialService(gitlab_client, repository(tmp_path))

    async def story() -> None:
        asking = asyncio.create_task(service.get("ada", "rr1"))
        await asyncio.to_thread(gitlab_client.asked.wait, 10)
        await service.revoke_credential("ada", "rr1")
        gitlab_client.go_on.set()
        with pytest.raises(SpaceError, match="has stopped"):
            await asking
        await service.retry()

    asyncio.run(story())
    assert gitlab_client.living == 0


def test_the_next_process_takes_back_what_the_last_one_lent(tmp_path: Path) -> None:
    gitlab_client: Any = SlowForge()
    gitlab_client.go_on.set()
    asyncio.run(CredentialService(gitlab_client, repository(tmp_path)).get("ada", "rr1"))
    assert gitlab_client.living == 1

    async def next_one() -> None:
        service = CredentialService(gitlab_client, repository(tmp_path))
        await service.begin()
        await service.retry()
        assert gitlab_client.living == 0
        await service.get("ada", "rr1")
        await service.retry()

    asyncio.run(next_one())
    assert gitlab_client.living == 1, "a server that still runs keeps what it was given since"


def test_a_server_that_stopped_before_its_turn_came_gets_none(tmp_path: Path) -> None:
    """It was recognised, stopped, and everything of it was revoked: only then its turn comes."""
    gitlab_client: Any = SlowForge()
    gitlab_client.go_on.set()
    service = CredentialService(gitlab_client, repository(tmp_path))

    async def story() -> None:
        recognised = service.logical_time()
        await service.revoke_credential("ada", "rr1")
        await service.retry()
        with pytest.raises(SpaceError, match="has stopped"):
            await service.get("ada", "rr1", since=recognised)
        assert (await service.get("ada", "rr1", since=service.logical_time())).password == "value"

    asyncio.run(story())
    assert gitlab_client.issued == 1, "by the server that was started again"


def test_a_stop_is_not_lost_while_a_credential_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gitlab_client: Any = SlowForge()
    gitlab_client.go_on.set()
    store = repository(tmp_path)
    service = CredentialService(gitlab_client, store)
    noting, noted = threading.Event(), threading.Event()
    cancel = store.cancel_revocation

    def slowly(username: str, course: str) -> None:
        noting.set()
        noted.wait(10)
        cancel(username, course)

    monkeypatch.setattr(store, "cancel_revocation", slowly)

    async def story() -> None:
        asking = asyncio.create_task(service.get("ada", "rr1"))
        await asyncio.to_thread(noting.wait, 10)
        await service.revoke_credential("ada", "rr1")
        noted.set()
        with pytest.raises(SpaceError, match="has stopped"):
            await asking
        await service.retry()

    asyncio.run(story())
    assert gitlab_client.living == 0


def test_what_a_server_was_given_is_taken_back_when_the_hub_knows_it_no_more(
    tmp_path: Path,
) -> None:
    """The hub's word that it stopped may have been lost."""
    gitlab_client: Any = SlowForge()
    gitlab_client.go_on.set()
    service = CredentialService(gitlab_client, repository(tmp_path))
    answers: list[Any] = ["ada", HubUnavailableError("away"), None]

    async def owner(token: str, course: str) -> str | None:
        assert (token, course) == ("server-token", "rr1")
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def story() -> None:
        await service.get("ada", "rr1", token="server-token")
        await service.revoke_stopped(owner)
        await service.revoke_stopped(owner)
        await service.retry()
        assert gitlab_client.living == 1, "it runs, or nobody knows"
        await service.revoke_stopped(owner)
        await service.retry()

    asyncio.run(story())
    assert gitlab_client.living == 0
    assert "server-token" not in repr(vars(service))


def test_a_server_gets_few_fresh_credentials_at_once(tmp_path: Path) -> None:
    gitlab_client: Any = SlowForge()
    gitlab_client.go_on.set()

    async def story() -> None:
        service = CredentialService(gitlab_client, repository(tmp_path))
        for _ in range(FRESH_AT_ONCE):
            await service.get("ada", "rr1", fresh=True)
        with pytest.raises(TooOftenError) as refused:
            await service.get("ada", "rr1", fresh=True)
        assert 0 < refused.value.seconds <= 60
        held = await service.get("ada", "rr1")
        assert held.password == "value", "what it holds goes on"
        await service.get("bob", "rr1", fresh=True)
        await service.get("ada", "rr2", fresh=True)

    asyncio.run(story())


def test_a_rate_is_a_few_at_once_then_one_each_minute() -> None:
    now = 0.0
    rate = Rate(3, 60, clock=lambda: now)
    assert [rate.take("ada") for _ in range(5)] == [0, 0, 0, 60, 60]
    now = 59
    assert rate.take("ada") == 1
    now = 60
    assert [rate.take("ada") for _ in range(2)] == [0, 60]
    now = 600
    assert [rate.take("ada") for _ in range(4)] == [0, 0, 0, 60]


def test_a_rate_forgets_who_asks_no_more() -> None:
    now = 0.0
    rate = Rate(2, 1, clock=lambda: now)
    for number in range(100_000):
        now += 0.01
        rate.take(number)
    assert len(rate._full_at) < 2000


def test_one_container_asks_so_often_and_this_machine_as_it_likes(tmp_path: Path) -> None:
    gitlab_client: Any = SlowForge()
    service = CredentialService(gitlab_client, repository(tmp_path))
    for _ in range(ASKED_AT_ONCE):
        service.check_rate("172.30.0.9")
    with pytest.raises(TooOftenError):
        service.check_rate("172.30.0.9")
    for _ in range(2 * ASKED_AT_ONCE):
        service.check_rate(None)
    service.check_rate("172.30.0.10")
