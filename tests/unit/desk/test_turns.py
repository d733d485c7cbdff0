"""Whose comparison comes next: nobody's large files hold up somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from atelier.limits import fair_queue as turns
from atelier.limits.fair_queue import FairQueue, Pauses


class Story:
    """Jobs that last until they are told to end, on a clock of their own."""

    def __init__(self, places: int, small_places: int) -> None:
        self.now = 0.0
        self.turns = FairQueue(places, small_places, clock=lambda: self.now)
        self.began: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, *, who: str = "", small: bool = False) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._job(name, who or name[:-1], small=small))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _job(self, name: str, who: str, *, small: bool) -> None:
        async with self.turns.turn(who, small=small):
            self.began.append(name)
            await self._ends[name].wait()

    async def end(self, name: str, *, after: float = 1) -> None:
        self.now += after
        self._ends[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._tasks[name]


def told(places: int, small: int, tell: Callable[[Story], Awaitable[None]]) -> None:
    async def run() -> None:
        await asyncio.wait_for(tell(Story(places, small)), 20)

    asyncio.run(run())


def test_who_used_much_comes_after_who_used_little() -> None:
    async def tell(story: Story) -> None:
        await story.come("ada1")
        for name in ("ada2", "ada3", "bob1", "eve1"):
            await story.come(name)
        assert story.began == ["ada1"]
        await story.end("ada1", after=20)
        assert story.began == ["ada1", "bob1"]
        await story.come("bob2")
        await story.end("bob1", after=5)
        await story.end("eve1", after=1)
        await story.end("bob2", after=1)
        assert story.began == ["ada1", "bob1", "eve1", "bob2", "ada2"]

    told(1, 0, tell)


def test_what_was_used_is_forgotten_with_time() -> None:
    async def tell(story: Story) -> None:
        await story.come("ada1")
        await story.end("ada1", after=20)
        story.now += 10 * turns.HALF_LIFE_SECONDS
        await story.come("bob1")
        await story.come("eve1")
        await story.come("ada2")
        await story.end("bob1", after=1)
        await story.end("eve1", after=0)
        assert story.began[-1] == "ada2"

    told(1, 0, tell)


def test_small_ones_have_a_place_that_large_ones_do_not_take() -> None:
    async def tell(story: Story) -> None:
        for name in ("ada1", "bob1", "eve1"):
            await story.come(name)
        await story.come("small1", small=True)
        assert story.began == ["ada1", "small1"]
        await story.come("other1", small=True)
        await story.end("small1")
        assert story.began == ["ada1", "small1", "other1"]
        await story.end("other1")
        assert len(story.began) == 3, "a large one waits for its own place"
        await story.end("ada1")
        assert story.began[-1] == "bob1"

    told(1, 1, tell)


def test_who_gives_up_leaves_their_place() -> None:
    async def tell(story: Story) -> None:
        await story.come("ada1")
        await story.come("bob1")
        await story.come("eve1")
        await story.give_up("bob1")
        await story.give_up("ada1")
        await asyncio.sleep(0)
        assert story.began == ["ada1", "eve1"]
        await story.end("eve1")
        assert not story.turns.full()

    told(1, 0, tell)


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    async def tell(story: Story) -> None:
        for number in range(3 * turns._KEPT):
            async with story.turns.turn(f"u{number}"):
                story.now += 1
        assert len(story.turns._used) <= turns._KEPT + 1
        pauses = Pauses(clock=lambda: story.now)
        for number in range(3000):
            pauses.stopped(f"u{number}")
            story.now += 1
        assert len(pauses._pauses) < 2 * turns.LONGEST_PAUSE_SECONDS

    told(1, 0, tell)


def test_a_pause_grows_with_each_stop_and_ends_with_a_job_that_came_to_its_end() -> None:
    now = 0.0
    pauses = Pauses(clock=lambda: now)
    assert pauses.left("ada") == 0
    lengths = []
    for _ in range(7):
        pauses.stopped("ada")
        lengths.append(pauses.left("ada"))
        now += lengths[-1]
        assert pauses.left("ada") == 0
    assert lengths == [30, 60, 120, 240, 480, 600, 600]
    assert pauses.left("bob") == 0
    pauses.finished("ada")
    pauses.stopped("ada")
    assert pauses.left("ada") == turns.FIRST_PAUSE_SECONDS
