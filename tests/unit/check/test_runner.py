"""Whatever a learner's file is, a check ends in time, takes little and says what is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, ExpectedError, Limits, ProsePart, Rule
from atelier.exercises.runner import Checker, UnfinishedError, check_bounded

NOTEBOOK = b'{"cells": [{"cell_type": "code", "source": "x = 1"}], "nbformat": 4}'
IPYNB = Rule("ipynb")
SCRIPT = "<script>alert(1)</script>"


def hostile() -> Iterator[tuple[str, bytes | None, str | None]]:
    """Name, file, and key of what is said (None: it is compared)."""
    page = {"output_type": "display_data", "data": {"text/html": SCRIPT}}
    scripts = {"cells": [{"cell_type": "code", "source": SCRIPT, "outputs": [page]}]}
    yield "missing", None, "check_problem_missing"
    yield "empty", b"", "check_problem_empty"
    yield "500 MB", bytes(500_000_000), "check_problem_large"
    yield "a million cells", b'{"cells":[' + b"{}," * 999_999 + b"{}]}", "check_problem_blocks"
    yield "deep nesting", b"[" * 1_000_000, "check_problem_deep"
    yield "deep objects", b'{"a":' * 1_000_000, "check_problem_deep"
    yield "bad JSON", b'{"cells": [', "check_problem_json"
    yield "a number of a million digits", b"1" * 1_000_000, "check_problem_json"
    yield "NUL bytes", b'{"cells": "\0"}', "check_problem_binary"
    yield "noise", bytes(range(256)) * 100, "check_problem_binary"
    yield "half a character", b'{"cells": [{"source": "\\ud800", "cell_type": "code"}]}', None
    yield "scripts", json.dumps(scripts).encode(), None


@pytest.mark.parametrize(
    ("content", "key"),
    [pytest.param(content, key, id=name) for name, content, key in hostile()],
)
def test_a_file_may_be_anything(content: bytes | None, key: str | None) -> None:
    found = check_bounded(NOTEBOOK, content, Rule("ipynb", outputs=True))
    assert (found["problem"] or {}).get("key") == key
    assert found["score"] == 0 or key is None
    assert len(json.dumps(found)) < 3 * 1024**2


@pytest.mark.long
def test_what_takes_too_long_is_ended() -> None:
    slow = ("".join(f"w{n % 977} " for n in range(3_000_000))).encode()
    other = ("".join(f"w{n % 983} " for n in range(3_000_000))).encode()
    limits = Limits(seconds=1, longest_wait=300)  # whatever else runs here
    found = check_bounded(slow, other, Rule("text"), limits=limits)
    assert found["problem"] == {"key": "check_problem_time", "fields": {}}


def test_what_takes_too_much_memory_is_ended() -> None:
    wide = b"[" + b"[]," * 6_000_000 + b"[]]"
    limits = Limits(seconds=60, longest_wait=300, memory_bytes=400 * 1024**2)
    found = check_bounded(NOTEBOOK, wide, IPYNB, limits=limits)
    assert found["problem"] == {"key": "check_problem_memory", "fields": {}}


def test_a_monotonous_text_is_compared_all_the_same() -> None:
    found = check_bounded(b"a b c\n" * 500, b"a b d\n" * 500, Rule("text"))
    assert found["problem"] is None
    assert found["score"] == pytest.approx(2 / 3, abs=0.001)


def test_a_long_answer_gives_a_bounded_outcome() -> None:
    long = "\n\n".join(f"paragraph {n} " + "word " * 300 for n in range(3000)).encode()
    found = check_bounded(b"one\n", long, Rule("text"))
    assert found["problem"] is None
    assert len(json.dumps(found)) < 4 * 1024**2
    assert [message["key"] for message in found["limits"]] == ["check_limit_shown"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("csv", "{0},{0}\n", "{0},-{0}\n"),
        ("org", "* a{0}\n", "* b{0}\n"),
        ("text", "line {0}\n\n", "ligne {0}\n\n"),
    ],
)
def test_many_blocks_that_all_differ_give_a_bounded_outcome(
    kind: str, one: str, other: str
) -> None:
    count = 40_000 if kind == "csv" else 4_900
    expected = "".join(one.format(n) for n in range(1, count)).encode()
    answer = "".join(other.format(n) for n in range(1, count)).encode()
    found = check_bounded(expected, answer, Rule(kind))  # type: ignore[arg-type]
    assert found["problem"] is None
    assert sum(found["counts"].values()) >= count - 1
    assert [message["key"] for message in found["limits"]] == ["check_limit_shown"]
    assert len(json.dumps(found)) < 4 * 1024**2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("* " + " " * 400_000 + "\n", id="a heading of spaces"),
        pytest.param("* a" + " " * 400_000 + "b\n", id="a heading with spaces inside"),
        pytest.param(":drawer:\n\n" * 4900 + "line\n" * 300_000, id="drawers without end"),
    ],
)
def test_an_odd_org_file_is_read_within_the_time(text: str) -> None:
    found = check_bounded(b"one\n", text.encode(), Rule("org"))
    assert found["problem"] is None


def test_a_bad_expected_file_is_the_courses_mistake() -> None:
    with pytest.raises(ExpectedError) as caught:
        check_bounded(b"no notebook", NOTEBOOK, IPYNB)
    assert caught.value.message["key"] == "check_problem_json"


def test_checks_run_side_by_side_and_do_not_mix() -> None:
    async def many() -> list[Comparison]:
        async with Checker(workers=2) as checker:
            wanted = [f"word {n}\n".encode() for n in range(20)]
            rule = Rule("text")
            return await asyncio.gather(
                *(checker.check(b"word 7\n", answer, rule) for answer in wanted)
            )

    scores = [found["score"] for found in asyncio.run(many())]
    assert [n for n, score in enumerate(scores) if score == 1] == [7]


def test_a_server_without_time_for_it_gives_no_outcome() -> None:
    """Who waits in vain did nothing wrong: no score is made of it."""

    async def starved() -> float:
        async with Checker(Limits(longest_wait=1)) as checker:
            assert checker._process is not None
            os.kill(checker._process.pid, signal.SIGSTOP)
            with pytest.raises(UnfinishedError) as caught:
                await checker.check(b"a\n", b"a\n", Rule("text"))
            assert caught.value.key == "exercise_busy"
            os.kill(checker._process.pid, signal.SIGCONT)
            checker.limits = Limits()
            return (await checker.check(b"a\n", b"a\n", Rule("text")))["score"]

    assert asyncio.run(starved()) == 1


def test_a_comparison_that_somebody_ends_gives_no_outcome() -> None:
    text = "".join(f"w{n % 977} " for n in range(3_000_000)).encode()

    async def ended() -> None:
        async with Checker(Limits(seconds=60)) as checker:
            assert checker._process is not None
            worker = psutil.Process(checker._process.pid)
            waiting = asyncio.create_task(checker.check(text, text[1:], Rule("text")))
            while not (children := worker.children()):
                await asyncio.sleep(0.01)
            children[0].kill()
            with pytest.raises(UnfinishedError) as caught:
                await waiting
            assert caught.value.key == "exercise_stopped"

    asyncio.run(ended())


@contextmanager
def secret_in_the_environment() -> Iterator[None]:
    os.environ["ATELIER_TEST_SECRET"] = "sesame"
    try:
        yield
    finally:
        del os.environ["ATELIER_TEST_SECRET"]


def test_the_process_is_started_again_and_holds_nothing_of_the_desks() -> None:
    async def twice() -> tuple[float, float]:
        async with Checker() as checker:
            first = await checker.check(b"a\n", b"a\n", Rule("text"))
            process = checker._process
            assert process is not None
            with open(f"/proc/{process.pid}/environ", "rb") as environment:  # noqa: PTH123
                assert b"sesame" not in environment.read()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            second = await checker.check(b"a\n", b"a\n", Rule("text"))
        return first["score"], second["score"]

    with secret_in_the_environment():
        assert asyncio.run(twice()) == (1, 1)


@pytest.mark.parametrize(
    "cell",
    [
        {"outputs": [{"output_type": "error", "ename": "\ud800", "evalue": "x"}]},
        {"outputs": [{"output_type": "error", "ename": ["\udfff"], "evalue": {"\ud800": 1}}]},
        {"outputs": [{"output_type": "display_data", "data": {"image/\ud800": "x"}}]},
        {"outputs": [{"output_type": "stream", "text": "\ud800"}]},
        {"source": "\ud800"},
        {"id": "\ud800"},
    ],
    ids=["error", "nested error", "picture", "stream", "source", "id"],
)
def test_half_a_character_in_a_notebook_can_be_shown(cell: dict[str, object]) -> None:
    def notebook(**cell: object) -> bytes:
        metadata = {"language_info": {"name": "\ud800"}}
        made = {"cell_type": "code", "source": "x", **cell}
        return json.dumps({"metadata": metadata, "cells": [made]}).encode()

    found = compare(notebook(), notebook(**cell), Rule("ipynb", outputs=True))
    assert found["problem"] is None
    json.dumps(found, ensure_ascii=False).encode()


def test_a_small_file_does_not_wait_for_large_ones() -> None:
    large = "".join(f"w{n % 977} " for n in range(2_000_000)).encode()

    async def story() -> None:
        async with Checker(Limits(seconds=300, longest_wait=300), workers=1) as checker:
            rule = Rule("text")
            heavy = [
                asyncio.create_task(checker.check(large, large[1:], rule, who=who))
                for who in ("ada", "bob", "eve")
            ]
            while not checker._turns.full():
                await asyncio.sleep(0)
            found = await checker.check(b"a\n", b"a\n", rule, who="zoe")
            assert found["score"] == 1
            assert not any(task.done() for task in heavy)
            for task in heavy:
                task.cancel()
            await asyncio.gather(*heavy, return_exceptions=True)

    asyncio.run(story())


def test_own_words_and_marks_of_markdown_are_judged_in_a_process_that_opens_no_file() -> None:
    part = ProsePart("Mean", "number", number=62.6, tolerance=0.1)
    given, expected = b"# Mean\n\nIt is:\n", b"# Mean\n\nIt is: *62.6*\n"
    found = check_bounded(
        expected, b"Mean\n====\n\n* _62,6_ caf&eacute;\n", Rule("md", prose=(part,)), given
    )
    assert (found["score"], found["problem"]) == (1, None)
    assert [one["reached"] for one in found["prose"]] == [1]


@pytest.mark.parametrize(
    "text", ["1." * 50_000, "*a_ " * 25_000, "1 111" * 20_000, "1" + "/" * 99_999]
)
def test_long_answers_in_own_words_are_judged_within_the_time(text: str) -> None:
    parts = (
        ProsePart(1, "number", number=62.6),
        ProsePart(1, "keywords", keywords=(("random seed",),)),
        ProsePart(1, "accepted", accepted=("The series is stationary.",)),
    )
    found = check_bounded(b"a\n", text.encode(), Rule("md", prose=parts), b"# Mean\n")
    assert (found["score"], found["problem"]) == (0, None)
