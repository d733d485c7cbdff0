"""Counts what an answer has besides the expected blocks, so that guessing in bulk never pays.

A few blocks more are usual: notes, trials, a draft that was kept. Beyond a number for each expected
block the score falls in proportion, as if one of the learner's blocks had been drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from atelier.exercises.model import Part, message

FREE_TRIES = 3
"""Blocks like an expected one, besides the one that is paired with it, that cost nothing."""
FREE_EXTRA = 10
"""Blocks of any content for each expected one that cost nothing."""
ALIKE = 0.5
"""Least likeness of a block that is another try at an expected one."""
MOST_PAIRS = 40_000
"""Most pairs that are looked at; with more, there are too many extra blocks anyway."""


@dataclass
class Extras:
    """What was found besides the expected blocks.

    ``count``: number of blocks. ``tries``: how many of them are like an expected block, by its
    number.
    """

    count: int = 0
    tries: Counter[int] = field(default_factory=Counter)

    def look(
        self, expected: Sequence[int], extra: Sequence[int], tried: Callable[[int], list[int]]
    ) -> None:
        """Count the extra blocks.

        Args:
            expected: indices of the expected blocks that count.
            extra: indices of the answer's blocks that are neither expected nor given.
            tried: returns the expected blocks at which an extra block is another try.
        """
        self.count = len(extra)
        if not FREE_TRIES < len(extra) <= MOST_PAIRS // max(len(expected), 1):
            return
        for k in extra:
            if like := tried(k):
                self.tries[min(like, key=lambda i: self.tries[i + 1]) + 1] += 1

    def lower(self, parts: Sequence[Part]) -> None:
        """Lower the scores of the parts that were tried too often, and say so."""
        for part in parts:
            count = self.tries[part["expected"]["number"]] if part["expected"] else 0
            if part["answer"] and count > FREE_TRIES:
                part["score"] *= (1 + FREE_TRIES) / (1 + count)
                part["notes"].append(message("check_note_tries", count=count + 1))
                part["state"] = "changed" if part["state"] == "equal" else part["state"]

    def share(self, expected: int) -> float:
        """Return the share of the score that is left, 0..1.

        Args:
            expected: number of expected blocks that count.
        """
        return min((1 + FREE_EXTRA) * expected / max(expected + self.count, 1), 1.0)
