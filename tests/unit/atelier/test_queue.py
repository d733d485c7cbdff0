"""Whose turn it is when servers cannot all start at once."""

from __future__ import annotations

from atelier.hub.spawn_queue import SpawnQueue


def key(number: int) -> tuple[str, str]:
    return f"u{number}", "demo"


def test_first_come_first_served() -> None:
    queue = SpawnQueue()
    assert [queue.place(key(number), 0.0) for number in range(5)] == [1, 2, 3, 4, 5]
    queue.leave(key(0))
    assert queue.place(key(4), 1.0) == 4
    assert queue.place(key(1), 1.0) == 1
    assert queue.place(key(9), 1.0) == 5


def test_who_has_gone_is_let_past_and_finds_their_place_again() -> None:
    queue = SpawnQueue()
    for number in range(3):
        queue.place(key(number), 0.0)
    for now in (2.0, 4.0, 20.0, 40.0):
        place = queue.place(key(2), now)
    assert place == 1, "the two others have not asked for 40 s"
    assert queue.place(key(0), 41.0) == 1
    assert queue.place(key(2), 42.0) == 2
    queue.place(key(2), 2000.0)
    assert queue.place(key(0), 2000.0) == 2, "after ten minutes the place is lost"


def test_a_thousand_who_wait_do_not_ask_all_the_time() -> None:
    pauses = [SpawnQueue.pause(place) for place in range(1, 1001)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 3
    assert sum(1 / pause for pause in pauses) < 70, "requests a second of all together"
