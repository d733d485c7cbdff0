"""What is repeated, and what two tries say together."""

from __future__ import annotations

import pytest
from world.outcome import MOST_FLAKES, Outcome, closing_line

BROWSER = "tests/e2e/test_site.py::test_a"
UNIT = "tests/unit/test_docs.py::test_b"


def ended(*, whole: bool = True, **tests: dict[str, int]) -> Outcome:
    """An outcome of tests of the browser, by their names, beside eight that passed."""
    named = {f"tests/e2e/test_site.py::test_{name}": of for name, of in tests.items()}
    counts: dict[str, int] = {"passed": 8}
    for of in named.values():
        for category, count in of.items():
            counts[category] = counts.get(category, 0) + count
    failed = [name for name, of in named.items() if of.keys() & {"failed", "error"}]
    return Outcome(counts, named, tuple(failed), whole)


def test_what_failed_in_a_browser_is_repeated_and_nothing_else() -> None:
    first = Outcome(
        {"failed": 2, "passed": 1},
        {BROWSER: {"failed": 1}, UNIT: {"failed": 1}, "tests/e2e/t.py::test_c": {"passed": 1}},
        (BROWSER,),
    )
    assert first.to_repeat() == [BROWSER]


@pytest.mark.parametrize(("failures", "repeated"), [(MOST_FLAKES, 5), (MOST_FLAKES + 1, 0)])
def test_many_failures_are_no_flakes(failures: int, repeated: int) -> None:
    first = ended(**{f"n{number}": {"failed": 1} for number in range(failures)})
    assert len(first.to_repeat()) == repeated


def test_a_run_that_was_stopped_is_not_repeated() -> None:
    assert ended(a={"failed": 1}, whole=False).to_repeat() == []


def test_a_second_try_that_passes_replaces_the_first() -> None:
    first = ended(a={"failed": 1, "error": 1}, b={"skipped": 1})
    second = ended(a={"passed": 1})
    both = first.with_second_try([BROWSER], second)
    assert both.counts == {"passed": 9, "skipped": 1}
    assert (both.failed, first.flakes(second)) == (set(), [BROWSER])


@pytest.mark.parametrize(
    ("again", "counts"),
    [
        ({"failed": 1}, {"passed": 8, "failed": 1}),
        ({"error": 1}, {"passed": 8, "error": 1}),
        ({"passed": 1, "error": 1}, {"passed": 9, "error": 1}),
    ],
)
def test_a_second_try_that_fails_is_no_flake(again: dict[str, int], counts: object) -> None:
    first = ended(a={"failed": 1})
    second = ended(a=again)
    both = first.with_second_try([BROWSER], second)
    assert both.counts == counts
    assert (both.failed, first.flakes(second)) == ({BROWSER}, [])


def test_a_test_that_the_second_try_did_not_come_to_has_failed() -> None:
    first = ended(a={"failed": 1})
    both = first.with_second_try([BROWSER], Outcome({}, {}))
    assert both.failed == {BROWSER}
    assert both.counts == first.counts


@pytest.mark.parametrize(
    ("counts", "seconds", "text"),
    [
        ({"skipped": 3, "passed": 2700}, 1500.123, "2700 passed, 3 skipped in 1500.12s (0:25:00)"),
        ({"passed": 1, "failed": 2, "error": 1, "warnings": 1, "rerun": 4}, 59.994,
         "2 failed, 1 passed, 1 warning, 1 error, 4 rerun in 59.99s"),
        ({"error": 2, "warnings": 2, "passed": 0}, 1, "2 warnings, 2 errors in 1.00s"),
        ({}, 0.5, "no tests ran in 0.50s"),
    ],
)  # fmt: skip
def test_the_closing_line_is_pytests_own(
    counts: dict[str, int], seconds: float, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    line = closing_line(counts, seconds)
    assert line.strip("=") == f" {text} "
    assert len(line) == 80
    assert line.startswith("=")
    assert line.endswith("=")
