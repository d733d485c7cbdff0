"""How a run of pytest ended, as `--outcomes` writes it: what to repeat, and the sum of two."""

from __future__ import annotations

import datetime
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

MOST_FLAKES = 5
"""More failures than these are no flakes."""
# The order and the words of pytest's closing line.
CATEGORIES = (
    *("failed", "passed", "skipped", "deselected"),
    *("xfailed", "xpassed", "warnings", "error"),
)
BAD = ("failed", "error", "subtests failed")
WIDTH = 80


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        counts: number of tests by pytest's category (passed, failed, error, ...).
        tests: the same for each test.
        may_be_flakes: failed tests that work on a server or in a browser.
        whole: it was not stopped before its end (`-x`, Ctrl+C).
    """

    counts: Mapping[str, int]
    tests: Mapping[str, Mapping[str, int]]
    may_be_flakes: tuple[str, ...] = ()
    whole: bool = True

    @classmethod
    def read(cls, path: Path) -> Outcome | None:
        """Return what a run has written, None when it ended before it ran tests."""
        if not path.exists():
            return None
        known = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            known["counts"], known["tests"], tuple(known["may_be_flakes"]), bool(known["whole"])
        )

    @property
    def failed(self) -> set[str]:
        """Tests that failed, or whose fixtures did."""
        return {test for test in self.tests if self.has_failed(test)}

    def has_failed(self, test: str) -> bool:
        """Tell whether a test or one of its fixtures failed."""
        return any(self.tests.get(test, {}).get(category) for category in BAD)

    def has_passed(self, test: str) -> bool:
        """Tell whether a test ran to its end, and nothing failed."""
        return bool(self.tests.get(test, {}).get("passed")) and not self.has_failed(test)

    def to_repeat(self) -> list[str]:
        """Return the tests that deserve a second try: none when too much failed."""
        if not self.whole or len(self.failed) > MOST_FLAKES:
            return []
        return sorted(self.failed.intersection(self.may_be_flakes))

    def flakes(self, second: Outcome) -> list[str]:
        """Return the failed tests of this run that passed in the second one."""
        return sorted(test for test in self.failed if second.has_passed(test))

    def with_second_try(self, repeated: Iterable[str], second: Outcome) -> Outcome:
        """Return the outcome of both: what the second try says counts for the repeated tests.

        One that the second try did not come to keeps its failure.
        """
        counts = Counter(self.counts)
        tests = dict(self.tests)
        for test in repeated:
            if test in second.tests:
                counts.subtract(self.tests[test])
                counts.update(second.tests[test])
                tests[test] = second.tests[test]
        counts["warnings"] += second.counts.get("warnings", 0)
        return Outcome(+counts, tests, self.may_be_flakes, self.whole)


def closing_line(counts: Mapping[str, int], seconds: float) -> str:
    """Write the line that pytest ends with: `=== 2 failed, 9 passed in 61.50s (0:01:01) ===`."""
    order = [*CATEGORIES, *(category for category in counts if category not in CATEGORIES)]
    parts = [f"{counts[name]} {_plural(name, counts[name])}" for name in order if counts.get(name)]
    took = f"{seconds:.2f}s"
    if seconds >= 60:
        took += f" ({datetime.timedelta(seconds=int(seconds))})"
    text = f" {', '.join(parts) or 'no tests ran'} in {took} "
    columns = shutil.get_terminal_size((WIDTH, 24)).columns
    return text.center(max(columns, len(text) + 2), "=")


def _plural(category: str, count: int) -> str:
    if category == "warnings":
        return "warning" if count == 1 else "warnings"
    return "errors" if category == "error" and count != 1 else category
