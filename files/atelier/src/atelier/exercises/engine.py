"""Compares an answer with the expected file, for all formats."""

from __future__ import annotations

from atelier.exercises import markdown, notebook, org, scripts, tables
from atelier.exercises.blocks import Block, Document, UnreadableError
from atelier.exercises.extras import Extras
from atelier.exercises.model import (
    Comparison,
    ExpectedError,
    Limits,
    Part,
    Rule,
    failed,
    message,
)
from atelier.exercises.parts import Work, side_by_side
from atelier.exercises.prose import judge
from atelier.exercises.reading import decode, has_conflict
from atelier.exercises.score import Scoring, counts, in_words, share_of_points
from atelier.exercises.size import bounded, gathered


def read(content: bytes | None, rule: Rule, limits: Limits) -> Document:
    """Read a file as blocks.

    Raises:
        UnreadableError: the file cannot be compared.
    """
    text, warnings = decode(content, limits)
    conflict = has_conflict(text)
    if conflict and rule.format == "ipynb":
        raise UnreadableError(message("check_problem_conflict"))
    if conflict:
        warnings.append(message("check_warn_conflict"))
    if rule.format == "csv":
        return Document(tables.read(text, rule, limits), warnings)
    blocks = [block for block in _blocks(text, rule, limits) if _is_compared(block, rule)]
    if len(blocks) > limits.max_blocks:
        raise UnreadableError(
            message("check_problem_blocks", count=len(blocks), limit=limits.max_blocks)
        )
    return Document(blocks, warnings)


def _blocks(text: str, rule: Rule, limits: Limits) -> list[Block]:
    if rule.format == "ipynb":
        return notebook.read(text, limits, outputs=rule.outputs)
    if rule.format in ("md", "rmd"):
        return markdown.split(text, chunks=rule.format == "rmd")
    if rule.format == "org":
        return org.split(text)
    if rule.format in ("python", "r"):
        return scripts.split_program(text, rule.format)
    return scripts.split_text(text)


def _is_compared(block: Block, rule: Rule) -> bool:
    if block.kind == "output":
        return rule.outputs
    return bool(block.text.strip() or block.options)


def compare(
    expected: bytes,
    answer: bytes | None,
    rule: Rule,
    given: bytes | None = None,
    limits: Limits | None = None,
) -> Comparison:
    """Compare an answer with the expected file.

    Args:
        expected: the expected file.
        answer: the learner's file; None if it is missing.
        rule: the options of the comparison.
        given: the file in the course's template. With ``rule.given == "ignored"`` blocks that it
            shares with the expected file do not count, and an unchanged file scores 0.
        limits: limits on sizes. :mod:`atelier.exercises.runner` limits time and memory.

    Returns:
        The result; an answer that cannot be compared scores 0, and ``problem`` says why. With
        ``rule.prose`` the score is the share of the points that these parts reached.

    Raises:
        ExpectedError: the expected or the given file cannot be read, or the expected file does not
            have what ``rule.prose`` takes from it.
    """
    limits = limits or Limits()
    scoring = Scoring(rule)
    try:
        wanted = read(expected, rule, limits)
        start = None if given is None else read(given, rule, limits)
        if start is not None and rule.given == "ignored":
            scoring.given_texts = frozenset(block.text for block in start.blocks)
            scoring.start_from(_parts(wanted, start, scoring)[0])
    except UnreadableError as unreadable:
        raise ExpectedError(unreadable.message) from None
    try:
        found = read(answer, rule, limits)
    except UnreadableError as unreadable:
        return failed(rule, unreadable.message)
    parts, extras = _parts(wanted, found, scoring)
    scoring.settle(parts, extras)
    result: Comparison = {
        "version": 1,
        "format": rule.format,
        "score": scoring.score(parts),
        "rule": in_words(scoring, parts),
        "counts": counts(parts),
        "parts": parts,
        "warnings": [*found.warnings, *scoring.warnings],
        "limits": [],
        "problem": None,
        "shown": "full",
    }
    if rule.format == "csv":
        result["parts"] = gathered(parts)
    if rule.prose:
        result["prose"] = judge(found, start, rule.prose, wanted)
        result["score"] = share_of_points(result["prose"])
        result["rule"] = [message("check_rule_prose", count=len(rule.prose))]
    return bounded(result, limits)


def _parts(expected: Document, answer: Document, scoring: Scoring) -> tuple[list[Part], Extras]:
    """Return the parts, and what the answer has besides the expected blocks."""
    work = Work(scoring.rule, scoring.weigh, scoring.given_texts)
    if scoring.rule.format == "csv":
        return tables.side_by_side(expected.blocks, answer.blocks, work), work.extras
    return side_by_side(expected.blocks, answer.blocks, work), work.extras
