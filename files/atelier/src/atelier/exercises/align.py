"""Pairs the blocks of the answer with the expected blocks.

The algorithm is nbdime's for cells (nbdime/diffing/notebooks.py and snakes.py): levels of
similarity from the strictest to the loosest. Each level finds a longest chain of pairs, and looser
levels only look between the pairs of stricter levels. As in nbdime, the levels are a cell's id,
then difflib's ratio of characters of 0.95, then 0.7, and short texts may always be paired. Added
here: equal blocks are found by their hash, together with ids, and cheap upper bounds are checked
before difflib runs.
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
"""Share of common words from which a block counts as a rewritten version of another."""
SHORT = 10
"""Characters: two texts that are shorter may be paired whatever their content."""
MOST_PAIRS = 40_000
"""Most pairs compared between two certain pairs; beyond, only those near the diagonal."""
MOST_WORK, MOST_WORK_OF_ALL = 40_000, 4_000_000
"""Most pairs of equal characters for difflib: in two texts, and in one comparison of files.

difflib takes that many steps for each common piece, so long or repetitive texts would take minutes.
Beyond the limit, texts are compared by their words in order.
"""


class Profile:
    """A block with the values that the alignment compares.

    Args:
        block: the block.
        rule: says whether white space and case count.
        untouched: the block is unchanged from the template although the expected file differs
            there. Its id is ignored, as the learner may have answered in a new cell below.
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
        language = block.language if block.cell is None else None  # cells share one
        self.key: Hashable = (block.kind, text, options, block.level, language)

    @cached_property
    def letters(self) -> Counter[str]:
        """Number of occurrences of each character."""
        return Counter(self.text)

    @cached_property
    def words(self) -> Counter[str]:
        """Number of occurrences of each word."""
        return Counter(self.text.split())

    @cached_property
    def signs(self) -> list[str]:
        """Words and punctuation signs, in order."""
        return _SIGNS.findall(self.text)

    def share_of_words(self, other: Profile) -> float:
        """Return the share of common words, 0..1, regardless of their order."""
        total = self.words.total() + other.words.total()
        return 2 * sum((self.words & other.words).values()) / total if total else 1.0


class Likeness:
    """Compares the texts of blocks, within a budget of work."""

    def __init__(self) -> None:
        self.left = MOST_WORK_OF_ALL
        self.known: dict[tuple[str, str], float] = {}

    def at_least(self, one: Profile, other: Profile, threshold: float) -> bool:
        """Return whether difflib's ratio of two texts is above a threshold (0..1)."""
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
            return None  # unknown, but not above the threshold
        work = sum(count * there[sign] for sign, count in here.items())
        if work > min(MOST_WORK, self.left):
            common = len(match(one.signs, other.signs))
            return 2 * common / (len(one.signs) + len(other.signs))
        self.left -= work
        return difflib.SequenceMatcher(None, one.text, other.text, autojunk=False).ratio()


Related = Callable[[Profile, Profile], bool]


def align(expected: Sequence[Profile], answer: Sequence[Profile], likeness: Likeness) -> list[Pair]:
    """Return pairs (index of the expected block, index of the answer's block), in order.

    The result is symmetric: swapping the two files gives the same pairs.
    """
    here, there = [one.text for one in expected], [one.text for one in answer]
    if there < here:
        return [(b, a) for a, b in align(answer, expected, likeness)]
    return _pair_lonely(expected, answer, by_levels(expected, answer, likeness))


def by_levels(
    first: Sequence[Profile], second: Sequence[Profile], likeness: Likeness
) -> list[Pair]:
    """Return the pairs that nbdime finds, from certain to loosely similar ones."""
    return _between(first, second, (0, 0, len(first), len(second)), 2, likeness)


Box = tuple[int, int, int, int]


def _between(
    first: Sequence[Profile], second: Sequence[Profile], box: Box, level: int, likeness: Likeness
) -> list[Pair]:
    """Find pairs at one level, then in the gaps between them at the next level."""
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
    """Pair equal blocks and blocks with the same id."""
    keys = positions([one.key for one in first])
    names = positions([one.ident for one in first])
    names.pop("", None)
    masks = [keys.get(one.key, 0) | names.get(one.ident, 0) for one in second]
    return by_masks(masks, len(first))


def _pair_lonely(
    first: Sequence[Profile], second: Sequence[Profile], pairs: list[Pair]
) -> list[Pair]:
    """Pair the blocks left between pairs: in order if the kinds agree, else by common words.

    So a renamed heading or a rewritten paragraph counts as changed.
    """
    found: list[Pair] = []
    i0 = j0 = 0
    for i, j in [*pairs, (len(first), len(second))]:
        here = [k for k in range(i0, i) if not first[k].untouched]
        there = [k for k in range(j0, j) if not second[k].untouched]
        if not here or not there:  # one side has only unchanged template blocks
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
    """Return the pairs with the most common words that do not cross each other."""
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
    """Return pairs of moved blocks: equal ones, then those with the same id, then similar ones."""
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
