"""Pairs the blocks of the answer with the expected blocks.

The algorithm is nbdime's for cells (nbdime/diffing/notebooks.py and snakes.py): levels of
similarity from the strictest to the loosest. Each level finds a longest chain of pairs, and looser
levels only look between the pairs of stricter levels. As in nbdime, the levels are a cell's id,
then difflib's ratio of characters of 0.95, then 0.7, and short texts may always be paired. Added
here: equal blocks come first, found by their hash, so that an answer in another cell than the one
that was meant for it is found; and cheap upper bounds are checked before difflib runs.
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


def compared(text: str, block: Block, rule: Rule) -> str:
    """Return the text of a block without what the rule ignores."""
    if rule.case == "ignored":
        text = text.casefold()
    if rule.whitespace == "exact":
        return text
    if block.style == "prose":
        return " ".join(text.split())
    return "\n".join([line.rstrip() for line in text.split("\n") if line.strip()])


class Profile:
    """A block with the values that the alignment compares.

    Args:
        block: the block.
        rule: says whether white space and case count.
        untouched: the block is unchanged from the template although the expected file differs
            there. Its id is ignored, as the learner may have answered in a new cell below.
        nameless: the block's id is ignored, as another block of its file has the same.
        text: the block's text as :func:`compared` returns it, if it is known.
    """

    def __init__(
        self,
        block: Block,
        rule: Rule,
        *,
        untouched: bool = False,
        nameless: bool = False,
        text: str | None = None,
    ) -> None:
        self.block = block
        self.untouched = untouched
        self.ident = "" if untouched or nameless else block.ident
        self.text = text = compared(block.plain, block, rule) if text is None else text
        options = tuple(sorted(block.options.items())) if block.options else ()
        language = block.language if block.cell is None else None  # cells share one
        self.key: Hashable = (block.sort, text, options, block.level, language)

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


def align(
    expected: Sequence[Profile],
    answer: Sequence[Profile],
    likeness: Likeness,
    *,
    equal_anywhere: bool = False,
) -> list[Pair]:
    """Return pairs (index of the expected block, index of the answer's block), in order.

    The result is symmetric: swapping the two files gives the same pairs.

    Args:
        expected: the expected blocks.
        answer: the answer's blocks.
        likeness: compares texts.
        equal_anywhere: leave out blocks whose text stands elsewhere in the other file, so that
            they are not paired with a draft that was left in their place.
    """
    here, there = [one.text for one in expected], [one.text for one in answer]
    if there < here:
        flipped = align(answer, expected, likeness, equal_anywhere=equal_anywhere)
        return [(b, a) for a, b in flipped]
    equal: list[Pair] | None = _equal(expected, answer)
    one, other = list(range(len(expected))), list(range(len(answer)))
    if equal_anywhere and equal is not None:
        elsewhere = first_come(expected, answer, without(one, other, equal), _key)
        if elsewhere:
            one, other = without(one, other, elsewhere)
            equal = None  # to be found again, with the new indices
    first, second = [expected[i] for i in one], [answer[j] for j in other]
    pairs = _pair_lonely(first, second, by_levels(first, second, likeness, equal))
    return [(one[i], other[j]) for i, j in pairs]


def _key(one: Profile) -> Hashable:
    return one.key if one.text else None


EQUAL, SAME_TEXT, SAME_NAME, ALMOST, ALIKE = 4, 3, 2, 1, 0
"""The levels: equal blocks, the same text with other options, the same id, similar texts."""
Box = tuple[int, int, int, int]


def by_levels(
    first: Sequence[Profile],
    second: Sequence[Profile],
    likeness: Likeness,
    equal: list[Pair] | None = None,
) -> list[Pair]:
    """Return the pairs from certain to loosely similar ones, as nbdime finds them.

    Args:
        first: one side.
        second: the other.
        likeness: compares texts.
        equal: the pairs of equal blocks, if they are known.
    """
    found = _equal(first, second) if equal is None else equal
    return _between(first, second, (0, 0, len(first), len(second)), (EQUAL, found), likeness)


def _between(
    first: Sequence[Profile],
    second: Sequence[Profile],
    box: Box,
    done: tuple[int, list[Pair]],
    likeness: Likeness,
) -> list[Pair]:
    """Return the pairs found at one level, with those that the next levels find in the gaps."""
    i0, j0, i1, j1 = box
    level, found = done
    if level == ALIKE:
        return found
    pairs: list[Pair] = []
    for i, j in [*found, (i1, j1)]:
        if i > i0 and j > j0:
            inner = _at(first[i0:i], second[j0:j], level - 1, likeness)
            inner = [(i0 + a, j0 + b) for a, b in inner]
            pairs += _between(first, second, (i0, j0, i, j), (level - 1, inner), likeness)
        if i < i1:
            pairs.append((i, j))
        i0, j0 = i + 1, j + 1
    return pairs


def _at(
    first: Sequence[Profile], second: Sequence[Profile], level: int, likeness: Likeness
) -> list[Pair]:
    if level == SAME_TEXT:
        return _same(first, second, lambda one: (one.block.sort, one.text) if one.text else None)
    if level == SAME_NAME:
        return _same(first, second, lambda one: one.ident or None)
    threshold = STRICT if level == ALMOST else LOOSE
    short = SHORT if level == ALIKE else 0
    width, height = len(first), len(second)
    few = width * height <= MOST_PAIRS
    band = None if few else max(MOST_PAIRS // (2 * height), 1)

    def related(i: int, j: int) -> bool:
        one, other = first[i], second[j]
        if one.block.sort != other.block.sort:
            return False
        if one.text and other.text and max(len(one.text), len(other.text)) < short:
            return True
        return likeness.at_least(one, other, threshold)

    return by_relation(height, width, related, band)


def _same(
    first: Sequence[Profile], second: Sequence[Profile], key: Callable[[Profile], Hashable]
) -> list[Pair]:
    """Pair blocks with the same key; None is the key of none."""
    places = positions([key(one) for one in first])
    places.pop(None, None)
    if not places:
        return []
    return by_masks([places.get(key(one), 0) for one in second], len(first))


def _equal(first: Sequence[Profile], second: Sequence[Profile]) -> list[Pair]:
    """Pair equal blocks; where a text stands several times, those with the same id."""
    pairs = _same(first, second, lambda one: one.key)
    if len({one.key for one in first}) == len(first):
        return pairs
    named = _same(first, second, lambda one: (one.key, one.ident) if one.ident else None)
    found: list[Pair] = []
    i0 = j0 = 0
    for i, j in [*named, (len(first), len(second))]:
        between = _same(first[i0:i], second[j0:j], lambda one: one.key)
        found += [(i0 + a, j0 + b) for a, b in between]
        found += [(i, j)] if i < len(first) else []
        i0, j0 = i + 1, j + 1
    return found if len(found) == len(pairs) else pairs


def first_come(
    first: Sequence[Profile],
    second: Sequence[Profile],
    left: tuple[Sequence[int], Sequence[int]],
    key: Callable[[Profile], Hashable],
) -> list[Pair]:
    """Pair blocks with the same key, regardless of their order; None is the key of none."""
    places: dict[Hashable, list[int]] = {}
    for j in reversed(left[1]):
        places.setdefault(key(second[j]), []).append(j)
    places.pop(None, None)
    return [(i, places[key(first[i])].pop()) for i in left[0] if places.get(key(first[i]))]


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
            found += by_words(first, second, here, there)
        if i < len(first):
            found.append((i, j))
        i0, j0 = i + 1, j + 1
    return found


def by_words(
    first: Sequence[Profile],
    second: Sequence[Profile],
    here: Sequence[int],
    there: Sequence[int],
    least: float = LEAST_WORDS,
    *,
    any_kind: bool = False,
) -> list[Pair]:
    """Return the pairs with the most common words that do not cross each other.

    Args:
        first: one side.
        second: the other.
        here: indices of the blocks of the first side to pair.
        there: those of the second.
        least: least share of common words.
        any_kind: whether blocks of different kinds may be paired.
    """
    shares = [
        (-share, a, b)
        for a in here
        for b in there
        if (any_kind or _sort(first[a]) == _sort(second[b]))
        and (share := first[a].share_of_words(second[b])) >= least
    ]
    chosen: list[Pair] = []
    for _, a, b in sorted(shares):
        if all((a < c and b < d) or (a > c and b > d) for c, d in chosen):
            chosen.append((a, b))
    return sorted(chosen)


def _sort(one: Profile) -> Hashable:
    return one.block.sort, one.block.level if one.block.kind == "heading" else None


def without(
    here: list[int], there: list[int], found: Sequence[Pair]
) -> tuple[list[int], list[int]]:
    """Return the indices that are in none of the pairs."""
    one, other = {i for i, _ in found}, {j for _, j in found}
    return [i for i in here if i not in one], [j for j in there if j not in other]
