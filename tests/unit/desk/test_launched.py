"""What the hub tells the desk of launches: together, in order, one at fault alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from atelier.config.models import Settings
from atelier.desk.db.answers import AnswerRepository, Arrival
from atelier.desk.errors import RefusedError
from atelier.desk.launch_message import read_launch
from atelier.identity import username
from atelier.messages import SENT_AT_ONCE, DeskClient
from kit.desk_database import desk_database

WHO = username("campus", "42")


def launch(**values: Any) -> dict[str, Any]:
    """A launch as the hub tells of it."""
    return {
        "username": WHO, "name": "Ada", "email": "ada@campus.example", "course": "demo",
        "consumer": "campus", "exercise": "pi", "outcome_url": "https://campus.example/grades",
        "sourcedid": "s", "services": None, "staff": False, "at": 1, "prepare": True, **values,
    }  # fmt: skip


@pytest.fixture
def book(tmp_path: Path) -> AnswerRepository:
    return AnswerRepository(desk_database(tmp_path))


def test_launches_are_noted_in_their_order(book: AnswerRepository) -> None:
    told = [launch(at=1), launch(at=2, staff=True, sourcedid="t"), launch(at=3, exercise="")]
    read = [read_launch(one) for one in told]
    changed = book.record_launches([(one.arrival, one.name, one.staff) for one in read])
    assert changed == [True, True, False]
    assert not book.is_staff(WHO, "demo"), "the latest launch says who teaches"
    kept = book.arrival(WHO, "demo", "pi")
    assert isinstance(kept, Arrival)
    assert (kept.sourcedid, kept.at) == ("t", 2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "ada"}, {"username": 3}, {"name": ""}, {"name": "a\nb"}, {"email": None},
        {"outcome_url": "\ud800"}, {"sourcedid": "\udfff"}, {"exercise": "\ud800"},
        {"course": "x" * 256}, {"exercise": None}, {"at": "now"},
    ],
)  # fmt: skip
def test_what_is_no_launch_is_refused_by_its_field(wrong: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        read_launch(launch(**wrong))
    assert next(iter(wrong)) in refused.value.reason


@pytest.mark.parametrize("data", [None, [], "x", 3])
def test_what_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(RefusedError):
        read_launch(data)


def test_half_a_character_in_one_launch_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token's JSON may hold one; UTF-8 cannot."""
    site = {"hub_url": "https://hub.example.org", "gitlab_url": "https://gitlab.example.org"}
    client = DeskClient(Settings.model_validate({"site": site}), "token")
    sent: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(204)

    web = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(client, "_client", lambda: web)
    assert asyncio.run(client.launched(launch(services={"ags": "\ud800"}), launch(at=2)))
    assert [one["at"] for one in sent[0]["launches"]] == [1, 2]


def test_in_a_rush_the_desk_is_told_of_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    site = {"hub_url": "https://hub.example.org", "gitlab_url": "https://gitlab.example.org"}
    client = DeskClient(Settings.model_validate({"site": site}), "token")
    calls: list[list[dict[str, Any]]] = []
    pauses: list[float] = []
    rest = asyncio.sleep

    async def call(method: str, path: str, body: dict[str, Any], wait: float) -> None:
        assert (method, path, wait) == ("POST", "launches", 0)
        calls.append(list(body["launches"]))
        await rest(0)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await rest(0)

    async def rush() -> None:
        client.queue_launch(launch(at=0))
        await rest(0)
        for number in range(1, 2 * SENT_AT_ONCE):
            client.queue_launch(launch(at=number))
        while client._sending is not None and not client._sending.done():
            await rest(0)

    monkeypatch.setattr(client, "_call", call)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(rush())
    assert [len(one) for one in calls] == [1, SENT_AT_ONCE, SENT_AT_ONCE - 1]
    assert [one["at"] for together in calls for one in together] == list(range(2 * SENT_AT_ONCE))
    assert pauses, "those that come a moment later go together"
