"""Computes the score, 0..1, from the parts, and describes the rule in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from atelier.exercises.blocks import Block
from atelier.exercises.model import KINDS, Message, Part, Rule, State, message

COUNTED = tuple(kind for kind in KINDS if kind != "metadata")
"""Kinds that count by default: all but titles, authors and dates at the head of a file."""


class Scoring:
    """Weights of blocks and the score.

    ``base``: the share that the template's unchanged file reaches; it scores 0.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.base = 0.0
        self.uses_given = False
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
            part["expected"]["number"]
            for part in parts
            if part["expected"] and part["state"] == "equal"
        }
        for part in parts:
            if part["expected"] and part["expected"]["number"] in self._given_numbers:
                part["weight"] = 0.0
        total, reached = _sums(parts)
        if total == 0:  # the template is the solution: then all blocks count
            self.uses_given = False
            self._given_numbers, self.given_texts = set(), frozenset()
            return
        self.base = reached / total

    def weigh(self, block: Block, number: int | None) -> float:
        """Return the weight of a block; the number is None for an extra block."""
        if block.kind not in (self.rule.kinds or COUNTED):
            return 0.0
        if number is None:
            counts = self.rule.extra == "counted" and block.text not in self.given_texts
            return 1.0 if counts else 0.0
        return 0.0 if number in self._given_numbers else 1.0

    def score(self, parts: Sequence[Part]) -> float:
        """Return the score, 0..1, rounded down to four decimals, so that 1 means no difference."""
        total, reached = _sums(parts)
        share = reached / total if total else 1.0
        if self.base < 1:
            share = (share - self.base) / (1 - self.base)
        return math.floor(min(max(share, 0.0), 1.0) * 10_000 + 1e-6) / 10_000


def _sums(parts: Sequence[Part]) -> tuple[float, float]:
    total = math.fsum(part["weight"] for part in parts)
    return total, math.fsum(part["weight"] * part["score"] for part in parts)


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
    said.append(message(f"check_rule_extra_{rule.extra}"))
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
