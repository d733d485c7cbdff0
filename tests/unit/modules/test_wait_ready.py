"""Waiting for a slow start: always a line to see, an end in sight, a reason when it fails."""

from __future__ import annotations

import pytest
from ansible_collections.mooc.atelier.plugins.action import wait_ready
from ansible_collections.mooc.atelier.plugins.action.wait_ready import Answer, Outcome

DOWN = Answer(22, "502 Bad Gateway")
READY = Answer(0, "ok")


class Clock:
    """Time that passes only when somebody sleeps, or a try takes long."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def wait(
    answers: list[Answer], stopped_after: int | None = None, slow: float = 0
) -> tuple[Outcome, list[int]]:
    clock, shown, tries = Clock(), [], iter(answers)
    count = 0

    def attempt() -> Answer:
        nonlocal count
        count += 1
        clock.sleep(slow)
        return next(tries, DOWN)

    def given_up() -> Answer | None:
        return Answer(0, "the container stopped") if count == stopped_after else None

    outcome = wait_ready.wait(
        attempt, given_up, lambda elapsed, _: shown.append(elapsed), 60, 10, clock, clock.sleep
    )
    return outcome, shown


def test_ready_at_once_shows_nothing() -> None:
    outcome, shown = wait([READY])
    assert (outcome.state, outcome.tries, shown) == ("ready", 1, [])


def test_what_is_ready_soon_is_not_waited_for_long() -> None:
    outcome, shown = wait([DOWN, DOWN, DOWN, READY])
    assert (outcome.state, outcome.seconds, shown) == ("ready", 3, [0])


def test_long_waits_have_fewer_tries_and_a_line_now_and_then() -> None:
    outcome, shown = wait([])
    assert outcome.tries <= 20
    assert 6 <= len(shown) <= 60 / 5


@pytest.mark.parametrize("slow", [0, 3, wait_ready.TRY_SECONDS])
def test_no_silence_is_longer_than_twenty_seconds(slow: float) -> None:
    _, shown = wait([], slow=slow)
    gaps = [later - earlier for earlier, later in zip([0, *shown], shown, strict=False)]
    assert max(gaps) <= 20


def test_it_ends_with_the_last_answer() -> None:
    outcome, _ = wait([])
    assert outcome.state == "timeout"
    assert outcome.answer == DOWN
    assert outcome.seconds <= 60


def test_it_gives_up_when_waiting_is_pointless() -> None:
    outcome, shown = wait([], stopped_after=3)
    assert (outcome.state, outcome.answer.line, shown) == (
        "aborted",
        "the container stopped",
        [0],
    )


def test_the_last_line_said_is_the_answer() -> None:
    assert Answer.of({"rc": 22, "stdout": "a\n", "stderr": "b\nc\n\n"}).line == "c"
    assert Answer.of({"rc": 124, "stdout": "", "stderr": ""}).line == "no answer yet"
