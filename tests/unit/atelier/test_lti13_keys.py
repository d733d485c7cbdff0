"""The public keys of LTI 1.3 platforms: read, kept, changed, withdrawn, out of reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from atelier.lti import http as outside_module
from atelier.lti import keysets13 as keysets_module
from atelier.lti.http import MAX_BYTES, PlatformClient
from atelier.lti.keysets13 import FLOOR_SECONDS, FRESH_SECONDS, KEPT_SECONDS, Keysets
from lms.platform13 import Platform13
from unit.atelier.click13 import (
    HUB,
    PLATFORM,
    PLATFORMS,
    Click,
    Web,
    pem,
    refusal,
    registrations,
)


@pytest.fixture
def click() -> Click:
    return Click()


def test_keys_are_read_once_and_again_when_the_platform_has_a_new_one() -> None:
    web = Web()
    for _ in range(5):
        Click().arrive(web=web)
    assert web.asked == 1
    rotated = Platform13(PLATFORM, HUB, pem("second"), "key-2")
    web.publish(rotated)
    web.now += FLOOR_SECONDS
    click = Click()
    assert click.arrive(click.token("key-2", "second"), web=web)
    assert web.asked == 2


def test_unknown_keys_do_not_make_us_ask_again_and_again(click: Click) -> None:
    web = Web()
    for number in range(50):
        refusal(click, click.token(f"made-up-{number}"), web=web)
    assert web.asked == 1


def test_known_keys_serve_while_the_platform_s_address_is_down() -> None:
    web = Web()
    Click().arrive(web=web)
    web.down = True
    web.now += FRESH_SECONDS + 1
    assert Click().arrive(web=web)
    assert web.asked == 2
    assert Click().arrive(web=web)
    assert web.asked == 2, "a platform in trouble is not asked at every launch"
    web.now += KEPT_SECONDS
    assert refusal(Click(), web=web).key == "launch_signature"


def test_known_keys_do_not_wait_for_an_address_that_is_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keysets_module, "PATIENCE_SECONDS", 0.05)
    (registration,) = registrations().registrations
    answers = []

    async def answer(_: httpx.Request) -> httpx.Response:
        try:
            if answers:
                await asyncio.sleep(60)
            return httpx.Response(200, json=PLATFORMS.keyset())
        finally:
            answers.append("over")

    async def learners() -> None:
        keysets = Keysets(PlatformClient(transport=httpx.MockTransport(answer)), clock=lambda: now)
        await keysets.key(registration, "key-1")
        nonlocal now
        now += FRESH_SECONDS + 1
        await asyncio.gather(*(keysets.key(registration, "key-1") for _ in range(20)))
        assert answers == ["over"], "they have their key while the address is still silent"

    now = 1000.0
    asyncio.run(learners())


@pytest.mark.parametrize("answer", [{"error": "maintenance"}, {"keys": "none"}, {}])
def test_known_keys_outlive_an_answer_that_is_no_set_of_keys(answer: dict[str, str]) -> None:
    web = Web()
    Click().arrive(web=web)
    web.instead = answer
    web.now += FRESH_SECONDS + 1
    assert Click().arrive(web=web)
    assert web.asked == 2
    web.now += KEPT_SECONDS
    assert "not a set of keys" in refusal(Click(), web=web).detail


def test_keys_that_trickle_hold_a_launch_up_for_a_moment_only(
    click: Click, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_module, "LONGEST_SECONDS", 0.05)

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=trickle())

    web = Web()
    web.keysets = Keysets(PlatformClient(transport=httpx.MockTransport(answer)))
    refused = refusal(click, web=web)
    assert refused.key == "launch_signature"
    assert "TimeoutError" in refused.detail


def test_a_key_the_platform_withdrew_is_refused_within_the_hour() -> None:
    web = Web()
    Click().arrive(web=web)
    web.keys.clear()
    web.now += FRESH_SECONDS + 1
    assert refusal(Click(), web=web).key == "launch_signature"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://evil.example/keys"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"keys": "none"}),
        httpx.Response(200, json={"keys": [{"kty": "oct", "k": "AAAA", "kid": "key-1"}]}),
        httpx.Response(200, content=b"[" * (MAX_BYTES + 1)),
        httpx.Response(200, content=b'{"keys":' + b"[" * 100_000),
    ],
)
def test_a_key_address_that_answers_nonsense_is_a_refusal_not_a_crash(
    click: Click, answer: httpx.Response
) -> None:
    web = Web()
    web.keysets = Keysets(PlatformClient(transport=httpx.MockTransport(lambda _: answer)))
    assert refusal(click, web=web).key == "launch_signature"


def test_keys_written_in_the_settings_need_no_address() -> None:
    known = registrations(jwks_url=None, jwks=PLATFORMS.keyset())
    web = Web()
    web.down = True
    assert Click(known).arrive(web=web)
    assert web.asked == 0
