"""Computes the score, 0..1, from the parts, and describes the rule in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from atelier.exercises.blocks import Block
from atelier.exercises.extras import FREE_EXTRA, Extras
from atelier.exercises.model import (
    KINDS,
    Message,
    Part,
    ProseShown,
    Rule,
    State,
    TestShown,
    message,
)

MOVED_SHARE = 0.5
"""Share of its score that a moved block keeps if the order matters."""
COUNTED = tuple(kind for kind in KINDS if kind != "metadata")
"""Kinds that count by default: all but titles, authors and dates at the head of a file."""


class Scoring:
    """Weights of blocks and the score.

    A block that the template has in another form than expected, such as a sentence to complete, is
    worth what the learner added to it: in the template's form it scores 0.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.uses_given = False
        self.warnings: list[Message] = []
        self._share = 1.0
        """What is left of the score of an answer with very many extra blocks."""
        self._base: dict[int, tuple[float, State]] = {}
        """Score and state of the expected blocks in the template's file, by their numbers."""
        self._given_numbers: set[int] = set()
        self.given_texts: frozenset[str] = frozenset()

    def start_from(self, parts: Sequence[Part]) -> None:
        """Exclude blocks that the template already has.

        Args:
            parts: the comparison of the expected file with the template's file, made after
                ``given_texts`` was set to the texts of the template's blocks.
        """
        self.uses_given = True
        self._given_numbers = {
            part["expected"]["number"] for part in parts if part["expected"] and part["score"] >= 1
        }
        left = {
            part["expected"]["number"]: (part["score"], part["state"])
            for part in parts
            if part["expected"] and part["weight"] and part["score"] < 1
        }
        if not left:  # the template is the solution: then all blocks count
            self.uses_given = False
            self._given_numbers, self.given_texts = set(), frozenset()
            return
        self._base = left

    def weigh(self, block: Block, number: int | None) -> float:
        """Return the weight of a block; the number is None for an extra block."""
        if block.kind not in (self.rule.kinds or COUNTED):
            return 0.0
        if number is None:
            counts = self.rule.extra == "counted" and block.text not in self.given_texts
            return 1.0 if counts else 0.0
        return 0.0 if number in self._given_numbers else 1.0

    def settle(self, parts: Sequence[Part], extras: Extras) -> None:
        """Set the parts' scores to what the learner added to the template's file, 0..1.

        Args:
            parts: the parts of the answer's comparison.
            extras: what the answer has besides the expected blocks.
        """
        self._take_off_given(parts)
        if self.rule.extra == "counted":
            return
        extras.lower(parts)
        wanted = _counted(parts)
        self._share = extras.share(wanted)
        if self._share < 1:
            free = FREE_EXTRA * wanted
            self.warnings.append(message("check_warn_extra", count=extras.count, free=free))

    def _take_off_given(self, parts: Sequence[Part]) -> None:
        for part in parts:
            number = part["expected"]["number"] if part["expected"] else None
            if number is None or not self._base.get(number, (0.0, ""))[0]:
                continue
            base, state = self._base[number]
            share = part["score"]
            if part["answer"] and share < base and part["state"] == "changed":
                part["notes"].append(message("check_note_less"))
            gained = (share - base) / (1 - base)
            if part["state"] == "moved" != state and self.rule.order == "matters":
                gained = max(gained, MOVED_SHARE * (share / MOVED_SHARE - base) / (1 - base))
            part["score"] = max(gained, 0.0)

    def score(self, parts: Sequence[Part]) -> float:
        """Return the score, 0..1, rounded down to four decimals, so that 1 means no difference."""
        total = math.fsum(part["weight"] for part in parts)
        reached = math.fsum(part["weight"] * part["score"] for part in parts)
        return _rounded(self._share * reached / total if total else 1.0)


def share_of_points(tried: Sequence[ProseShown | TestShown]) -> float:
    """Return the share of the points that are reached, 0..1; rounded as :meth:`Scoring.score`."""
    total = math.fsum(one["points"] for one in tried)
    reached = math.fsum(one["reached"] for one in tried)
    return _rounded(reached / total if total else 0.0)


def _rounded(share: float) -> float:
    return math.floor(min(max(share, 0.0), 1.0) * 10_000 + 1e-6) / 10_000


def _counted(parts: Sequence[Part]) -> int:
    """Return how many expected blocks count."""
    return sum(part["weight"] > 0 and part["expected"] is not None for part in parts)


def counts(parts: Sequence[Part]) -> dict[State, int]:
    """Count the parts in each state."""
    states: tuple[State, ...] = ("equal", "changed", "added", "removed", "moved")
    return {state: sum(part["state"] == state for part in parts) for state in states}


def in_words(scoring: Scoring, parts: Sequence[Part]) -> list[Message]:
    """Describe the rule that gave the score, one message for each aspect."""
    rule = scoring.rule
    count = sum(part["weight"] > 0 for part in parts)
    is_table = rule.format == "csv"
    said = [message("check_rule_rows" if is_table else "check_rule_blocks", count=count)]
    if rule.kinds:
        said.append(message("check_rule_kinds", kinds=", ".join(rule.kinds)))
    elif any(part["kind"] == "metadata" for part in parts):
        said.append(message("check_rule_metadata"))
    if scoring.uses_given:
        said.append(message("check_rule_given"))
    if rule.extra == "ignored":
        said.append(message("check_rule_extra_free", free=FREE_EXTRA * _counted(parts)))
    else:
        said.append(message("check_rule_extra_counted"))
    said.append(message(f"check_rule_order_{rule.order}"))
    if not is_table:
        said.append(message(f"check_rule_spaces_{rule.whitespace}"))
    if rule.case == "ignored":
        said.append(message("check_rule_case"))
    if rule.tolerance_absolute:
        said.append(message("check_rule_absolute", most=f"{rule.tolerance_absolute:g}"))
    if rule.tolerance_relative:
        said.append(message("check_rule_relative", most=f"{rule.tolerance_relative * 100:g}"))
    if rule.format == "ipynb" or rule.outputs:
        said.append(message("check_rule_outputs" if rule.outputs else "check_rule_no_outputs"))
    return said
