"""Which block of the answer is which of the expected ones.

The algorithm is nbdime's for cells (nbdime/diffing/notebooks.py and snakes.py): levels of likeness
from the strictest to the loosest, a longest chain of pairs at each, and the looser ones only
between what the stricter ones paired. What is kept from it: a cell's id, likeness of 0.95, then 0.7
of the texts' characters by difflib, and that short texts may always be paired. What is added: equal
blocks are found by their hash, together with ids, and cheap bounds come before a comparison.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property

from atelier.exercises.blocks import Block
from atelier.exercises.model import Rule
from atelier.exercises.sequences import Pair, by_masks, by_relation, match, positions

_SIGNS = re.compile(r"\w+|[^\w\s]")
STRICT, LOOSE = 0.95, 0.7
LEAST_WORDS = 0.2
"""Share of words in common from which one block may be another written anew."""
SHORT = 10
"""Characters: two texts shorter than that may be paired whatever they say."""
MOST_PAIRS = 40_000
"""Looked at between two pairs that are certain; where there are more, those near the diagonal."""
MOST_WORK, MOST_WORK_OF_ALL = 40_000, 4_000_000
"""Pairs of equal characters that difflib may meet in two texts, and in one comparison of files.

It takes that many steps for each piece in common, so that long or monotonous texts would take
minutes; they are alike when their words are, in order.
"""


class Profile:
    """A block as the alignment sees it.

    Args:
        block: the block.
        rule: says what of white space and capital letters counts.
        untouched: it is as the course gave it, where something else was expected. A learner who
            wrote the answer into a new cell below is not held to it, whatever its id.
    """

    def __init__(self, block: Block, rule: Rule, *, untouched: bool = False) -> None:
        self.block = block
        self.untouched = untouched
        self.ident = "" if untouched else block.ident
        text = block.text
        if rule.case == "ignored":
            text = text.casefold()
        if rule.whitespace == "ignored" and block.style == "prose":
            text = " ".join(text.split())
        elif rule.whitespace == "ignored":
            text = "\n".join(line.rstrip() for line in text.split("\n") if line.strip())
        self.text = text
        options = tuple(sorted(block.options.items()))
        language = block.language if block.cell is None else None  # of a notebook's cells: one
        self.key: Hashable = (block.kind, text, options, block.level, language)

    @cached_property
    def letters(self) -> Counter[str]:
        """How often each character occurs."""
        return Counter(self.text)

    @cached_property
    def words(self) -> Counter[str]:
        """How often each word occurs."""
        return Counter(self.text.split())

    @cached_property
    def signs(self) -> list[str]:
        """Its words and signs, in order."""
        return _SIGNS.findall(self.text)

    def share_of_words(self, other: Profile) -> float:
        """Words in common, 0..1, wherever they stand."""
        total = self.words.total() + other.words.total()
        return 2 * sum((self.words & other.words).values()) / total if total else 1.0


class Likeness:
    """How alike two blocks' texts are, within a budget of work."""

    def __init__(self) -> None:
        self.left = MOST_WORK_OF_ALL
        self.known: dict[tuple[str, str], float] = {}

    def at_least(self, one: Profile, other: Profile, threshold: float) -> bool:
        """Whether difflib's ratio of two texts is above a threshold (0..1)."""
        if one.text == other.text:
            return True
        total = len(one.text) + len(other.text)
        if not one.text or not other.text:
            return False
        if 2 * min(len(one.text), len(other.text)) < threshold * total:
            return False
        known = self.known.get((one.text, other.text))
        if known is None:
            known = self._ratio(one, other, threshold, total)
            if known is None:
                return False
            self.known[one.text, other.text] = known
        return known > threshold

    def _ratio(self, one: Profile, other: Profile, threshold: float, total: int) -> float | None:
        here, there = one.letters, other.letters
        if 2 * sum(min(count, there[sign]) for sign, count in here.items()) < threshold * total:
            return None  # not known, but not above the threshold either
        work = sum(count * there[sign] for sign, count in here.items())
        if work > min(MOST_WORK, self.left):
            common = len(match(one.signs, other.signs))
            return 2 * common / (len(one.signs) + len(other.signs))
        self.left -= work
        return difflib.SequenceMatcher(None, one.text, other.text, autojunk=False).ratio()


Related = Callable[[Profile, Profile], bool]


def align(expected: Sequence[Profile], answer: Sequence[Profile], likeness: Likeness) -> list[Pair]:
    """Pairs (index among the expected blocks, index in the answer), in order.

    The same pairs whichever is called the answer.
    """
    here, there = [one.text for one in expected], [one.text for one in answer]
    if there < here:
        return [(b, a) for a, b in align(answer, expected, likeness)]
    return _pair_lonely(expected, answer, by_levels(expected, answer, likeness))


def by_levels(
    first: Sequence[Profile], second: Sequence[Profile], likeness: Likeness
) -> list[Pair]:
    """nbdime's pairs: from certain to loosely alike."""
    return _between(first, second, (0, 0, len(first), len(second)), 2, likeness)


Box = tuple[int, int, int, int]


def _between(
    first: Sequence[Profile], second: Sequence[Profile], box: Box, level: int, likeness: Likeness
) -> list[Pair]:
    """Pair at one level, then the gaps at the next."""
    i0, j0, i1, j1 = box
    found = [(i0 + i, j0 + j) for i, j in _at(first[i0:i1], second[j0:j1], level, likeness)]
    if level == 0:
        return found
    pairs: list[Pair] = []
    for i, j in [*found, (i1, j1)]:
        if i > i0 and j > j0:
            pairs += _between(first, second, (i0, j0, i, j), level - 1, likeness)
        if i < i1:
            pairs.append((i, j))
        i0, j0 = i + 1, j + 1
    return pairs


def _at(
    first: Sequence[Profile], second: Sequence[Profile], level: int, likeness: Likeness
) -> list[Pair]:
    if level == 2:
        return _certain(first, second)
    threshold = STRICT if level == 1 else LOOSE
    short = SHORT if level == 0 else 0
    width, height = len(first), len(second)
    few = width * height <= MOST_PAIRS
    band = None if few else max(MOST_PAIRS // (2 * height), 1)

    def related(i: int, j: int) -> bool:
        one, other = first[i], second[j]
        if one.block.kind != other.block.kind:
            return False
        if one.text and other.text and max(len(one.text), len(other.text)) < short:
            return True
        return likeness.at_least(one, other, threshold)

    return by_relation(height, width, related, band)


def _certain(first: Sequence[Profile], second: Sequence[Profile]) -> list[Pair]:
    """Equal blocks, and those that have the same name."""
    keys = positions([one.key for one in first])
    names = positions([one.ident for one in first])
    names.pop("", None)
    masks = [keys.get(one.key, 0) | names.get(one.ident, 0) for one in second]
    return by_masks(masks, len(first))


def _pair_lonely(
    first: Sequence[Profile], second: Sequence[Profile], pairs: list[Pair]
) -> list[Pair]:
    """Pair what is left between: in order where both sides have the same kinds, else by words.

    So a heading with another name, or a paragraph written anew, is a changed one.
    """
    found: list[Pair] = []
    i0 = j0 = 0
    for i, j in [*pairs, (len(first), len(second))]:
        here = [k for k in range(i0, i) if not first[k].untouched]
        there = [k for k in range(j0, j) if not second[k].untouched]
        if not here or not there:  # nothing but what the course gave
            here, there = list(range(i0, i)), list(range(j0, j))
        if [_sort(first[a]) for a in here] == [_sort(second[b]) for b in there]:
            found += zip(here, there, strict=True)
        elif len(here) * len(there) <= MOST_PAIRS:
            found += _by_words(first, second, here, there)
        if i < len(first):
            found.append((i, j))
        i0, j0 = i + 1, j + 1
    return found


def _by_words(
    first: Sequence[Profile], second: Sequence[Profile], here: list[int], there: list[int]
) -> list[Pair]:
    """The pairs with the most words in common that do not cross."""
    shares = [
        (-share, a, b)
        for a in here
        for b in there
        if _sort(first[a]) == _sort(second[b])
        and (share := first[a].share_of_words(second[b])) >= LEAST_WORDS
    ]
    chosen: list[Pair] = []
    for _, a, b in sorted(shares):
        if all((a < c and b < d) or (a > c and b > d) for c, d in chosen):
            chosen.append((a, b))
    return sorted(chosen)


def _sort(one: Profile) -> Hashable:
    return one.block.kind, one.block.level if one.block.kind == "heading" else None


def moved(
    expected: Sequence[Profile],
    answer: Sequence[Profile],
    pairs: Sequence[Pair],
    likeness: Likeness,
) -> list[Pair]:
    """Blocks that stand elsewhere: equal ones, those with the same name, then those much alike."""
    taken_here, taken_there = {i for i, _ in pairs}, {j for _, j in pairs}
    here = [i for i in range(len(expected)) if i not in taken_here and expected[i].text]
    there = [j for j in range(len(answer)) if j not in taken_there and answer[j].text]
    found: list[Pair] = []
    keys: tuple[Callable[[Profile], Hashable], ...] = (
        lambda one: one.key,
        lambda one: one.ident or None,
    )
    for key in keys:
        places: dict[Hashable, list[int]] = {}
        for j in there:
            places.setdefault(key(answer[j]), []).append(j)
        places.pop(None, None)
        for i in list(here):
            if places.get(key(expected[i])):
                found.append((i, places[key(expected[i])].pop(0)))
        here, there = _without(here, there, found)
    if len(here) * len(there) <= MOST_PAIRS:
        for i in here:
            for j in there:
                same = expected[i].block.kind == answer[j].block.kind
                if same and likeness.at_least(expected[i], answer[j], LOOSE):
                    found.append((i, j))
                    there.remove(j)
                    break
    return found


def _without(
    here: list[int], there: list[int], found: Sequence[Pair]
) -> tuple[list[int], list[int]]:
    one, other = {i for i, _ in found}, {j for _, j in found}
    return [i for i in here if i not in one], [j for j in there if j not in other]
