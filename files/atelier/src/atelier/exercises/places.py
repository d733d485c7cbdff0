"""Finds blocks that stand elsewhere in the answer than expected, and says which of them matter."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from atelier.exercises.align import (
    LOOSE,
    MOST_PAIRS,
    Likeness,
    Profile,
    by_words,
    first_come,
    without,
)
from atelier.exercises.extras import ALIKE
from atelier.exercises.sequences import Pair

LEAST_SHARED = 0.5
"""Share of common words from which a block counts as another kind of the expected one."""


def moved(
    expected: Sequence[Profile],
    answer: Sequence[Profile],
    pairs: Sequence[Pair],
    likeness: Likeness,
) -> list[Pair]:
    """Return pairs of moved blocks: equal ones, then those with the same id, then similar ones."""
    here, there = without(list(range(len(expected))), list(range(len(answer))), pairs)
    here = [i for i in here if expected[i].text]
    there = [j for j in there if answer[j].text]
    found: list[Pair] = []
    keys: tuple[Callable[[Profile], Hashable], ...] = (
        lambda one: one.key,
        lambda one: one.ident or None,
    )
    for key in keys:
        found += first_come(expected, answer, (here, there), key)
        here, there = without(here, there, found)
    if len(here) * len(there) <= MOST_PAIRS:
        for i in here:
            for j in there:
                same = expected[i].block.sort == answer[j].block.sort
                if same and likeness.at_least(expected[i], answer[j], LOOSE):
                    found.append((i, j))
                    there.remove(j)
                    break
    return found


def pasted(
    expected: Sequence[Profile],
    answer: Sequence[Profile],
    pairs: Sequence[Pair],
    found: Sequence[Pair],
    likeness: Likeness,
) -> set[Pair]:
    """Return the moved pairs that are in nobody's way: a draft was left where they were expected.

    A learner who writes the answer into a new cell and keeps the first try, or the cell that was
    to be filled, did not change the order of anything. A draft is a block that has the id of the
    expected one, or is like it, or is the template's; each explains one moved block.

    Args:
        expected: the expected blocks.
        answer: the answer's blocks.
        pairs: the pairs in order.
        found: those of :func:`moved`.
        likeness: compares texts.
    """
    if len(found) * len(pairs) > MOST_PAIRS:
        return set()
    taken = {j for _, j in pairs} | {j for _, j in found}
    left = [j for j in range(len(answer)) if j not in taken and answer[j].text]

    def draft(pair: Pair, others: Sequence[Pair]) -> int | None:
        """Return the draft in the place where a pair would be in order, if there is one."""
        start = max((j for i, j in others if i < pair[0]), default=-1)
        end = min((j for i, j in others if i > pair[0]), default=len(answer))
        for j in left:
            if start < j < end and _is_draft(answer[j], expected[pair[0]], likeness):
                return j
        return None

    chosen: set[Pair] = set()
    for pair in found if left else ():
        used = draft(pair, pairs)
        if used is None:  # perhaps those that it passed were pasted
            crossed = [one for one in pairs if (one[0] < pair[0]) != (one[1] < pair[1])]
            others = sorted({*pairs, pair}.difference(crossed))
            if len(crossed) == 1:
                used = draft(crossed[0], others)
        if used is not None:
            chosen.add(pair)
            left.remove(used)
    return chosen


def _is_draft(one: Profile, wanted: Profile, likeness: Likeness) -> bool:
    if one.block.sort != wanted.block.sort:
        return False
    has_name = bool(one.ident) and one.ident == wanted.ident
    return has_name or one.untouched or likeness.at_least(one, wanted, ALIKE)


NOT_WRITTEN = ("output", "metadata", "row")


def of_other_kinds(
    expected: Sequence[Profile],
    answer: Sequence[Profile],
    pairs: Sequence[Pair],
    found: Sequence[Pair],
) -> list[Pair]:
    """Pair blocks that are left between the pairs and have words in common, whatever their kinds.

    Args:
        expected: the expected blocks.
        answer: the answer's blocks.
        pairs: the pairs in order.
        found: the pairs of moved blocks.
    """
    here, there = [one.text for one in expected], [one.text for one in answer]
    if there < here:  # the result is symmetric
        flipped = of_other_kinds(
            answer, expected, [(j, i) for i, j in pairs], [(j, i) for i, j in found]
        )
        return [(i, j) for j, i in flipped]
    taken, filled = {i for i, _ in found}, {j for _, j in found}
    chosen: list[Pair] = []
    i0 = j0 = 0
    for i, j in [*pairs, (len(expected), len(answer))]:
        left = [k for k in range(i0, i) if k not in taken and _is_written(expected[k])]
        right = [k for k in range(j0, j) if k not in filled and _is_written(answer[k])]
        if left and len(left) * len(right) <= MOST_PAIRS:
            chosen += by_words(expected, answer, left, right, LEAST_SHARED, any_kind=True)
        i0, j0 = i + 1, j + 1
    return chosen


def _is_written(one: Profile) -> bool:
    return one.block.kind not in NOT_WRITTEN and not one.untouched and bool(one.text)
