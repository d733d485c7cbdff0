"""The search for why a signature is wrong holds nobody up."""

from __future__ import annotations

import asyncio
import threading
from urllib.parse import urlencode

import pytest
from atelier.lti import diagnosis11 as diagnosis
from atelier.lti import launch11 as lti11
from atelier.lti.diagnosis11 import Cause, Search, cause_of
from atelier.lti.launch11 import expected_signature
from unit.atelier.test_diagnosis import CONSUMERS, PARAMS, SECRET, URL

FOUND = Cause("cause_query")


def signed(*, padding: int) -> bytes:
    """A launch that is signed for another address, with so many bytes that say nothing."""
    pairs = [*PARAMS.items(), ("custom_padding", "x" * padding)]
    signature = expected_signature(f"{URL}/", "", pairs, "campus", SECRET)
    return urlencode([*pairs, ("oauth_signature", signature)]).encode()


def test_a_launch_of_usual_size_is_searched_and_a_large_one_is_not() -> None:
    for padding, found in ((8_000, "cause_address"), (diagnosis.MAX_SEARCHED_BYTES, None)):
        cause = cause_of(
            signed(padding=padding), url=URL, query="", seen_host="x", consumers=CONSUMERS
        )
        assert (cause and cause.key) == found


def test_the_hub_goes_on_while_a_cause_is_looked_for() -> None:
    async def story() -> None:
        going_on = threading.Event()
        search = Search()
        under_way = asyncio.create_task(search.find(lambda: FOUND if going_on.wait(20) else None))
        while not search.busy:
            await asyncio.sleep(0)
        # A second one is not begun, and waits for nothing.
        assert (await search.find(lambda: FOUND)).key == "cause_not_looked_for"
        going_on.set()
        assert await under_way == FOUND

    asyncio.run(story())


def test_the_pause_is_counted_from_the_end_of_a_search() -> None:
    now = 100.0

    def takes_three_seconds() -> Cause:
        nonlocal now
        now += 3
        return FOUND

    async def story() -> None:
        nonlocal now
        search = Search(clock=lambda: now)
        assert await search.find(takes_three_seconds) == FOUND
        now += diagnosis.PAUSE_SECONDS - 0.1
        assert (await search.find(takes_three_seconds)).key == "cause_not_looked_for"
        now += 0.1
        assert await search.find(lambda: None) == Cause("cause_unknown")

    asyncio.run(story())


def test_a_search_that_fails_keeps_nobody_from_the_next() -> None:
    def fails() -> Cause:
        raise ValueError("of what was sent")

    async def story() -> None:
        now = 0.0
        search = Search(clock=lambda: now)
        with pytest.raises(ValueError, match="of what"):
            await search.find(fails)
        now = 10.0
        assert await search.find(lambda: FOUND) == FOUND

    asyncio.run(story())


def test_a_large_launch_is_checked_beside_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    checked_in: list[str] = []
    going_on = threading.Event()

    def check(body: bytes, **_: object) -> str:
        checked_in.append(threading.current_thread().name)
        assert len(body) <= lti11.LARGE_BYTES or going_on.wait(20)
        return "launch"

    monkeypatch.setattr(lti11, "verify", check)

    async def story() -> None:
        large = b"x" * (lti11.LARGE_BYTES + 1)
        waiting = [asyncio.create_task(lti11.verify_aside(large)) for _ in range(lti11.MAX_WAITING)]
        await asyncio.sleep(0)  # they have begun
        with pytest.raises(lti11.LaunchError) as refused:
            await lti11.verify_aside(large)
        assert (refused.value.key, refused.value.status) == ("launch_busy", 503)
        assert await lti11.verify_aside(b"x") == "launch"
        going_on.set()
        assert await asyncio.gather(*waiting) == ["launch"] * lti11.MAX_WAITING
        assert await lti11.verify_aside(large) == "launch"

    asyncio.run(story())
    names = {name.partition("_")[0] for name in checked_in}
    assert names == {threading.main_thread().name, "large-launch"}
