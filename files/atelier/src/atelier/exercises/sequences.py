"""Longest common subsequences, exact and fast, for any relation, not only equality.

The recurrence is the bit-vector one of Hyyrö (Bit-parallel LCS-length computation revisited, 2004):
a row of the table is one integer, so two sequences of 1000 items take 1000 additions. Ties are
broken as in nbdime (nbdime/diffing/seq_bruteforce.py): from the end, and the first sequence is
shortened first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import isinf

Pair = tuple[int, int]
MOST_CELLS = 2 * 10**8
"""Largest table, in bits: 25 MB. Beyond, keys that are unique on both sides are matched first."""


def by_masks(masks: Sequence[int], width: int) -> list[Pair]:
    """Return a longest chain of pairs that increases in both sequences.

    Args:
        masks: for each item of the second sequence, the items of the first with which it may be
            paired, as bits.
        width: length of the first sequence.

    Returns:
        Pairs (index in the first, index in the second), in order.
    """
    full = (1 << width) - 1
    vector = full
    vectors = []
    for mask in masks:
        common = vector & mask
        vector = ((vector + common) | (vector - common)) & full
        vectors.append(vector)
    pairs: list[Pair] = []
    i, j = width, len(masks)
    while i and j:
        bit = 1 << (i - 1)
        if masks[j - 1] & bit:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif vectors[j - 1] & bit:
            i -= 1
        else:
            j -= 1
    pairs.reverse()
    return pairs


def by_relation(
    height: int, width: int, related: Callable[[int, int], bool], band: int | None = None
) -> list[Pair]:
    """Call :func:`by_masks` for a relation between indices of the first and second sequence.

    Args:
        height: length of the second sequence.
        width: length of the first.
        related: whether two items may be paired.
        band: greatest distance of pairs from the diagonal; None: no limit.
    """
    masks = []
    for j in range(height):
        middle = j * width // height
        start = 0 if band is None else max(middle - band, 0)
        end = width if band is None else min(middle + band + 1, width)
        mask = 0
        for i in range(start, end):
            if related(i, j):
                mask |= 1 << i
        masks.append(mask)
    return by_masks(masks, width)


def positions(keys: Sequence[Hashable]) -> dict[Hashable, int]:
    """Return the positions of each key as a bit mask."""
    places: dict[Hashable, list[int]] = {}
    for index, key in enumerate(keys):
        places.setdefault(key, []).append(index)
    found = {}
    for key, indices in places.items():
        bits = bytearray(indices[-1] // 8 + 1)
        for index in indices:
            bits[index >> 3] |= 1 << (index & 7)
        found[key] = int.from_bytes(bits, "little")
    return found


class Near:
    """Tolerance within which finite numbers count as equal.

    Args:
        absolute: greatest difference.
        relative: greatest difference as a share of the larger magnitude.
    """

    def __init__(self, absolute: float = 0.0, relative: float = 0.0) -> None:
        self.absolute = absolute
        self.relative = relative

    def __bool__(self) -> bool:
        return self.absolute > 0 or self.relative > 0

    def __call__(self, one: float, other: float) -> bool:
        """Return whether two numbers are within the tolerance."""
        largest = max(abs(one), abs(other))
        if isinf(largest):  # a share of infinity would allow every number
            return one == other
        allowed = max(self.absolute, self.relative * largest)
        # A millionth more, for decimal fractions that binary numbers cannot represent.
        return one == other or abs(one - other) <= allowed * (1 + 1e-6)


def match(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    near: Near | None = None,
    number: Callable[[Hashable], float | None] = lambda _: None,
) -> list[Pair]:
    """Return a longest common subsequence of two sequences of keys.

    Args:
        first: keys of the first sequence.
        second: keys of the second sequence.
        near: also pairs numbers within this tolerance.
        number: returns the number that a key represents; None if it is not a number.

    Returns:
        Pairs of indices, in order. For very long sequences the common subsequence may not be the
        longest.
    """
    tail = _common_tail(first, second)
    head = _common_head(first, second, tail)
    width, height = len(first) - tail - head, len(second) - tail - head
    middle: list[Pair] = []
    if width and height:
        one, other = first[head : head + width], second[head : head + height]
        if width * height <= MOST_CELLS:
            middle = _middle(one, other, near, number)
        else:
            middle = _coarse(one, other, near, number)
    return [
        *((k, k) for k in range(head)),
        *((i + head, j + head) for i, j in middle),
        *((head + width + k, head + height + k) for k in range(tail)),
    ]


def _common_tail(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    shorter = min(len(first), len(second))
    count = 0
    while count < shorter and first[-1 - count] == second[-1 - count]:
        count += 1
    return count


def _common_head(first: Sequence[Hashable], second: Sequence[Hashable], tail: int) -> int:
    shorter = min(len(first), len(second)) - tail
    count = 0
    while count < shorter and first[count] == second[count]:
        count += 1
    return count


def _middle(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    near: Near | None,
    number: Callable[[Hashable], float | None],
) -> list[Pair]:
    places = positions(first)
    masks: dict[Hashable, int] = {}
    numbers: list[tuple[float, int]] = []
    if near:
        valued = ((number(key), mask) for key, mask in places.items())
        numbers = sorted((value, mask) for value, mask in valued if value is not None)
    for key in set(second):
        mask = places.get(key, 0)
        value = number(key) if numbers else None
        if value is not None and near:
            mask |= _neighbours(value, numbers, near)
        masks[key] = mask
    if not any(masks.values()):
        return []
    return by_masks([masks[key] for key in second], len(first))


def _neighbours(value: float, numbers: list[tuple[float, int]], near: Near) -> int:
    start = bisect_left(numbers, (value, 0))
    mask = 0
    for index in range(start, len(numbers)):
        if not near(value, numbers[index][0]):
            break
        mask |= numbers[index][1]
    for index in range(start - 1, -1, -1):
        if not near(value, numbers[index][0]):
            break
        mask |= numbers[index][1]
    return mask


def _coarse(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    near: Near | None,
    number: Callable[[Hashable], float | None],
) -> list[Pair]:
    """Pair keys that are unique on both sides, then match the gaps that are small enough."""
    once_here, once_there = _once(first), _once(second)
    common = sorted((i, once_there[key]) for key, i in once_here.items() if key in once_there)
    anchors = _increasing(common)
    pairs: list[Pair] = []
    i0 = j0 = 0
    for i, j in [*anchors, (len(first), len(second))]:
        if (i - i0) and (j - j0) and (i - i0) * (j - j0) <= MOST_CELLS // 16:
            between = _middle(first[i0:i], second[j0:j], near, number)
            pairs += [(i0 + a, j0 + b) for a, b in between]
        if i < len(first):
            pairs.append((i, j))
        i0, j0 = i + 1, j + 1
    return pairs


def _once(keys: Sequence[Hashable]) -> dict[Hashable, int]:
    counts = Counter(keys)
    return {key: index for index, key in enumerate(keys) if counts[key] == 1}


def _increasing(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the longest part of pairs, sorted by the first, that increases in the second, too."""
    tops: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place = bisect_left(tops, j)
        before.append(at[place - 1] if place else -1)
        if place == len(tops):
            tops.append(j)
            at.append(index)
        else:
            tops[place] = j
            at[place] = index
    chain: list[Pair] = []
    index = at[-1] if at else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    chain.reverse()
    return chain
