"""Grades on their way: a platform that is away, or slow, holds up nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from atelier.config.models import Consumer, Consumers
from atelier.config.registrations import Registration, Registrations
from atelier.desk.db.answers import AnswerRepository, Arrival
from atelier.desk.db.grades import Grade, GradeQueue
from atelier.desk.grade_sender import AT_ONCE, GradeSender
from atelier.lti import http as outside_module
from atelier.lti.access_tokens import PlatformTokens
from atelier.lti.http import PlatformClient
from kit.desk_database import desk_database

AGS = {"lineitem": "", "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"]}
TAKEN = "<imsx_codeMajor>success</imsx_codeMajor>"


class Drip(httpx.AsyncByteStream):
    """An answer that comes byte by byte, and never ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b" "


class Post:
    """A sender with platforms that are there, away or endlessly slow; what was sent to each."""

    def __init__(self, folder: Path) -> None:
        engine = desk_database(folder)
        self.queue, self.book = GradeQueue(engine), AnswerRepository(engine)
        self.asked: list[str] = []
        self.consumer: dict[str, Any] = {
            "key": "campus",
            "platform": "campus",
            "secret": "a-secret" * 4,
        }
        self.registration: dict[str, Any] = {
            "key": "moodle",
            "platform": "moodle",
            "issuer": "https://moodle.example",
            "client_ids": ["c"],
            "deployment_ids": ["1"],
            "auth_login_url": "https://moodle.example/auth",
            "auth_token_url": "https://away.example/token",
            "jwks_url": "https://keys.example/jwks",
        }
        self.taken = TAKEN
        self.outside = PlatformClient(transport=httpx.MockTransport(self._answer))
        keys = SimpleNamespace(sign=lambda _: "signed")
        self.sender = GradeSender(
            self.queue,
            self.book,
            cast(Any, SimpleNamespace(get=self._consumers)),
            cast(Any, SimpleNamespace(get=self._registrations)),
            self.outside,
            PlatformTokens(self.outside, cast(Any, keys)),
        )

    def _consumers(self) -> Consumers:
        return Consumers(consumers=(Consumer.model_validate(self.consumer),))

    def _registrations(self) -> Registrations:
        one = Registration.model_validate(self.registration)
        return Registrations(registrations=(one,))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        await asyncio.sleep(0.01)
        if request.url.host == "away.example":
            raise httpx.ConnectTimeout("nobody there")
        if request.url.host == "slow.example":
            return httpx.Response(200, stream=Drip())
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "the-platform-s-token"})
        return httpx.Response(200, text=self.taken)

    def owe(self, username: str, host: str, *, by_13: bool = False) -> None:
        address = host if "://" in host else f"https://{host}/outcomes"
        ags = {**AGS, "lineitem": address}
        services = {"registration": "moodle", "client_id": "c", "sub": "s", "ags": ags}
        arrival = Arrival(
            username, "rr1", "pi", "campus", address, "id", services if by_13 else None, 1.0
        )
        self.book.record_launches([(arrival, username, False)])
        self.queue.owe(username, "rr1", "pi", 0.5)

    def grade(self, username: str) -> Grade:
        return self.queue.of_course("rr1")[username, "pi"]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


@pytest.mark.parametrize("by_13", [False, True])
def test_a_platform_that_is_away_is_asked_a_few_times_and_others_get_theirs(
    post: Post, by_13: bool
) -> None:
    for number in range(50):
        post.owe(f"u{number}", "away.example", by_13=by_13)
    post.owe("ada", "there.example")
    asyncio.run(post.sender.send_due())
    assert post.grade("ada").delivered
    assert 1 <= post.asked.count("away.example") <= AT_ONCE
    waiting = [post.grade(f"u{number}") for number in range(50)]
    assert all("ConnectTimeout" in one.reason for one in waiting), "the teacher sees why"
    assert not any(one.delivered for one in waiting)


def test_an_answer_that_never_ends_is_given_up(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_module, "LONGEST_SECONDS", 0.2)
    post.owe("ada", "slow.example")
    asyncio.run(asyncio.wait_for(post.sender.send_due(), 30))
    assert "TimeoutError" in post.grade("ada").reason


def test_a_platform_that_is_back_gets_what_waited(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        post.owe(f"u{number}", "away.example")
    asyncio.run(post.sender.send_due())
    asked = len(post.asked)

    async def back(request: httpx.Request) -> httpx.Response:
        post.asked.append(request.url.host)
        return httpx.Response(200, text=TAKEN)

    monkeypatch.setattr(post, "_answer", back)
    post.outside._transport = httpx.MockTransport(back)
    post.queue.try_again("rr1")
    asyncio.run(post.sender.send_due())
    assert len(post.asked) - asked == 20
    assert all(post.grade(f"u{number}").delivered for number in range(20))


def test_a_grade_that_cannot_be_sent_keeps_no_other(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.owe("ada", "[")  # no address at all
    post.owe("eve", "there.example")
    post.owe("bob", "there.example")
    deliver = post.sender._deliver

    async def faulty(arrival: Arrival, score: float) -> None:
        if arrival.username == "eve":
            raise KeyError("of a mistake of ours")
        await deliver(arrival, score)

    monkeypatch.setattr(post.sender, "_deliver", faulty)
    asyncio.run(post.sender.send_due())
    assert post.grade("bob").delivered
    assert post.grade("eve").reason == "KeyError"
    assert post.grade("ada").reason


PRIVATE = [
    "https://127.0.0.1:8001/api/routes",
    "https://[::1]/hub",
    "https://[::ffff:127.0.0.1]/hub",
    "https://10.0.0.7/outcomes",
    "https://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:8001/api/routes",
    "http://there.example/outcomes",
]


@pytest.mark.parametrize("by_13", [False, True])
@pytest.mark.parametrize("address", PRIVATE)
def test_a_grade_goes_to_no_private_address(post: Post, address: str, by_13: bool) -> None:
    host = address.split("/")[2].rsplit(":8001")[0].strip("[]")
    post.registration |= {"auth_token_url": "https://there.example/token", "hosts": [host]}
    post.owe("ada", address, by_13=by_13)
    asyncio.run(post.sender.send_due())
    assert set(post.asked) <= {"there.example"}
    assert not post.grade("ada").delivered
    assert "atelier_platform_private_hosts" in post.grade("ada").reason


def test_a_line_item_elsewhere_gets_no_token_of_the_platform(post: Post) -> None:
    post.registration["auth_token_url"] = "https://there.example/token"
    post.owe("ada", "evil.example", by_13=True)
    asyncio.run(post.sender.send_due())
    assert post.asked == []
    assert "evil.example" in post.grade("ada").reason
    assert "hosts" in post.grade("ada").reason


@pytest.mark.parametrize("host", ["there.example", "moodle.example", "keys.example"])
def test_a_line_item_is_on_a_host_of_the_registration(post: Post, host: str) -> None:
    post.registration["auth_token_url"] = "https://there.example/token"
    post.owe("ada", host, by_13=True)
    asyncio.run(post.sender.send_due())
    assert post.grade("ada").delivered


def test_a_registration_may_name_more_hosts(post: Post) -> None:
    post.registration |= {
        "auth_token_url": "https://there.example/token",
        "hosts": ["Grades.example"],
    }
    post.owe("ada", "grades.example", by_13=True)
    asyncio.run(post.sender.send_due())
    assert post.grade("ada").delivered


def test_a_consumer_that_names_its_hosts_has_grades_there_alone(post: Post) -> None:
    post.consumer["hosts"] = ["lms.example"]
    post.owe("ada", "lms.example")
    post.owe("eve", "evil.example")
    asyncio.run(post.sender.send_due())
    assert post.asked == ["lms.example"]
    assert post.grade("ada").delivered
    assert "evil.example" in post.grade("eve").reason


@pytest.mark.parametrize("code", ["failure", "unsupported", "processing", "Routes", "x" * 40])
def test_no_word_of_the_platform_is_shown(post: Post, code: str) -> None:
    post.taken = (
        f"<imsx_codeMajor>{code}</imsx_codeMajor>"
        "<imsx_description>the routing table</imsx_description>"
    )
    post.owe("ada", "there.example")
    asyncio.run(post.sender.send_due())
    reason = post.grade("ada").reason
    assert "routing" not in reason
    assert "Routes" not in reason
    assert "xxx" not in reason
    assert reason.startswith("the platform")
