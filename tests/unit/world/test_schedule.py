"""Three workers, at most two of them at something heavy, and none left alone at the end."""

from __future__ import annotations

import heapq
import itertools
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pytest_hooks.schedule import AFTER_ALL, HEAVY, choose, place, unit
from world import paths

SITE = "tests/e2e/"
NGINX = "tests/molecule/test_scenarios.py::test_scenario[nginx]"
COURSE = "tests/molecule/test_scenarios.py::test_scenario[course]"
DOCS = "tests/unit/test_docs.py"
DESK = "tests/integration/atelier/test_desk.py"


@pytest.mark.parametrize(
    ("waiting", "own", "others", "chosen"),
    [
        pytest.param([SITE, NGINX, DOCS], [], [[], []], SITE, id="the first begins with heavy"),
        pytest.param([NGINX, DESK, DOCS], [], [[SITE], []], NGINX, id="so does the second"),
        pytest.param([COURSE, DESK, DOCS], [], [[SITE], [NGINX]], DESK, id="not the third"),
        pytest.param([COURSE], [], [[SITE], [NGINX]], None, id="nor where only heavy is left"),
        pytest.param([COURSE, DESK], [DOCS], [[SITE], [DOCS]], COURSE, id="a place is free again"),
        pytest.param([NGINX, DESK, DOCS], [SITE], [[], []], DOCS, id="a short one in between"),
        pytest.param([NGINX], [SITE], [[COURSE], []], NGINX, id="a heavy one behind its own"),
        pytest.param([DESK, DOCS], [], [[], []], DESK, id="nothing heavy"),
        pytest.param([NGINX, DOCS], [], [], NGINX, id="one worker does all"),
        pytest.param([NGINX, DESK, DOCS], [], [[SITE]], DESK, id="of two, one begins with quick"),
        pytest.param([NGINX, DOCS], [], [[SITE], [COURSE]], None, id="the last is for between"),
        pytest.param([NGINX], [], [[SITE]], NGINX, id="of two, both end with heavy"),
        pytest.param([], [], [[]], None, id="nothing waits"),
    ],
)
def test_a_worker_is_given(
    waiting: list[str], own: list[str], others: list[list[str]], chosen: str | None
) -> None:
    assert choose(waiting, own, others) == chosen


def run(seconds: Mapping[str, int], workers: int) -> tuple[list[int], int]:
    """Play a run. Returns when each worker ended, and the most heavy units at once.

    As with xdist, a worker begins a unit when it knows the next one, or that there is none.
    """
    waiting = list(seconds)
    given: list[list[str]] = [[] for _ in range(workers)]
    closed = [False] * workers
    ends = [0] * workers
    most = 0

    def give(worker: int) -> None:
        others = [units for number, units in enumerate(given) if number != worker]
        unit = choose(waiting, given[worker], others)
        if unit is None:
            closed[worker] = True
        else:
            waiting.remove(unit)
            given[worker].append(unit)

    for _ in range(2):
        for worker in range(workers):
            give(worker)
    order = itertools.count()
    events = [
        (seconds[units[0]], next(order), worker) for worker, units in enumerate(given) if units
    ]
    heapq.heapify(events)
    while events:
        most = max(most, sum(bool(units) and units[0].startswith(HEAVY) for units in given))
        now, _, worker = heapq.heappop(events)
        given[worker].pop(0)
        ends[worker] = now
        if not closed[worker]:
            give(worker)
        if given[worker]:
            heapq.heappush(events, (now + seconds[given[worker][0]], next(order), worker))
    assert waiting == []
    return ends, most


def work(heavy: list[int], quick: list[int]) -> dict[str, int]:
    """Units with these seconds, in the order of a run."""
    units = {f"tests/molecule/test_scenarios.py::{n}": s for n, s in enumerate(heavy)}
    return units | {f"tests/unit/test_{n}.py": s for n, s in enumerate(quick)}


@pytest.mark.parametrize(
    ("heavy", "quick"),
    [
        ([600, 400, 300, 300, 120, 90, 60], [100, 90, *[60] * 6, *[5] * 60]),
        ([300, 200, 60], [*[120] * 8, *[10] * 40]),
        ([600, 300, 300, 200, 100, 100], [5] * 40),
    ],
    ids=["as a whole run", "more quick than heavy", "mostly heavy"],
)
def test_workers_end_together_and_two_at_most_are_at_something_heavy(
    heavy: list[int], quick: list[int]
) -> None:
    ends, most = run(work(heavy, quick), 3)
    assert most == 2
    best = max((sum(heavy) + sum(quick)) / 3, sum(heavy) / 2)
    assert max(ends) <= 1.1 * best


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
@pytest.mark.parametrize(("heavy", "quick"), [([9] * 8, []), ([9] * 8, [1]), ([], [1] * 8)])
def test_everything_is_run_by_any_number_of_workers(
    workers: int, heavy: list[int], quick: list[int]
) -> None:
    _, most = run(work(heavy, quick), workers)
    assert most <= 2


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/e2e/test_site.py::test_a", "tests/e2e/"),
        (NGINX, NGINX),
        ("tests/quality/test_pins.py::test_a", "tests/quality/test_pins.py::test_a"),
        ("tests/unit/test_docs.py::test_links[a::b]", DOCS),
    ],
)
def test_units_of_work_are_what_shares_servers(nodeid: str, expected: str) -> None:
    assert unit(nodeid) == expected


def test_the_order_of_a_run() -> None:
    last = f"tests/molecule/test_scenarios.py::{AFTER_ALL}"
    ordered = [
        "tests/e2e/test_site.py::test_a",
        NGINX,
        "tests/integration/collection/test_dry_run.py::test_a",
        "tests/quality/test_pins.py::test_a",
        DESK,
        "tests/integration/collection/test_install.py::test_a",
        DOCS,
        last,
    ]
    shuffled = ordered[1::2] + ordered[::2]
    assert sorted(shuffled, key=place) == ordered


SMALL = """
import os, pathlib, time
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_a(number):
    log = pathlib.Path("log")
    with log.open("a") as more:
        more.write("begin {name}\\n")
    if {dies} and number == 0 and not pathlib.Path("died").exists():
        pathlib.Path("died").touch()
        os._exit(3)
    time.sleep(0.2)
    with log.open("a") as more:
        more.write("end {name}\\n")
"""


@pytest.mark.long
@pytest.mark.parametrize("dies", [False, True])
def test_xdist_keeps_to_it_even_when_a_worker_dies(dies: bool, tmp_path: Path) -> None:
    files = {"molecule/test_heavy.py": 7, **{f"unit/test_{number}.py": 1 for number in range(6)}}
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name, count in files.items():
        path = tmp_path / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        heavy = name.startswith("molecule")
        word = "heavy" if heavy else "quick"
        path.write_text(SMALL.format(count=count, name=word, dies=dies and heavy))
    plugins = ["-p", "xdist", "-p", "pytest_hooks.schedule"]
    options = ["-n3", "--dist=loadgroup", "--no-loadscope-reorder", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, "tests"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(paths.ROOT / "tests"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    closing = done.stdout.splitlines()[-1]
    # xdist tells of the death as a failure, and runs that test again
    ended = "1 failed, 13 passed" if dies else "13 passed"
    assert closing.startswith(ended), done.stdout + done.stderr
    at_work = most = 0
    for line in (tmp_path / "log").read_text().splitlines():
        at_work += {"begin heavy": 1, "end heavy": -1}.get(line, 0)
        most = max(most, at_work)
    assert most == (3 if dies else 2)  # the one that died has not ended
