"""Splits texts into words, numbers and signs, and compares two texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import NamedTuple

from atelier.exercises.blocks import Block, Style
from atelier.exercises.markup import Form, Normal, normal
from atelier.exercises.model import Rule
from atelier.exercises.sequences import Near, Pair, match

_WORD = r"(\w+|[^\w\s])"
_PROSE = re.compile(rf"(?:(\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)(?!\w)|{_WORD})(\s*)")
_CODE = re.compile(rf"(?:((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])|{_WORD})(\s*)")
_APOSTROPHES = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u00ad": None}
)
_OPENING, _CLOSING = "([{", ")]}"
LEAST_ALIKE = 0.34
"""Two lines with a smaller share in common are shown as one removed and one added."""
REWRAPPED = 0.8
"""Least share of a line's words on the other side if the line was only split or joined."""
LONGEST_NUMBER = 15
"""Most digits of a number: longer ones are identifiers, which floats could not distinguish."""
LONGEST_FRACTION = 30
"""Most characters of a number with a fraction or an exponent, in a table or with a tolerance,
where the last digits do not matter."""


class Token(NamedTuple):
    """A word, a number or a sign with the white space after it."""

    key: Hashable
    text: str
    space: str


Tokens = list[Token]


def number_of(key: Hashable) -> float | None:
    """Return the number that a token's key represents, or None."""
    return key[1] if isinstance(key, tuple) and key[0] == "number" else None


def tokens_of(text: str, style: Style, rule: Rule, form: Form = "") -> list[Token]:
    """Split one line (in prose: one paragraph) into tokens.

    The texts of the tokens are those that are written; their keys are without marks that may be
    written in several ways, as the line's form says.
    """
    known = normal(text, form)
    found = _tokens(text if known is None else known.text, style, rule)
    return found if known is None else _as_written(found, text, known)


def _as_written(tokens: list[Token], text: str, known: Normal) -> list[Token]:
    """Return tokens of the characters that are compared with the texts that are written."""
    found: list[Token] = []
    at = len(known.text) - sum(len(token.text) + len(token.space) for token in tokens)
    for token in tokens:
        end = at + len(token.text)
        following = end + len(token.space)
        stop = known.ends[end - 1]
        after = known.starts[following] if following < len(known.starts) else len(text)
        found.append(Token(token.key, text[known.starts[at] : stop], text[stop:after]))
        at = following
    return found


def _tokens(text: str, style: Style, rule: Rule) -> list[Token]:
    prose = style == "prose"
    exact = rule.whitespace == "exact"
    found: list[Token] = []
    lead = text[: len(text) - len(text.lstrip())]
    if exact and lead:
        found.append(Token(("space", lead), lead, ""))
    for number, word, space in (_PROSE if prose else _CODE).findall(text):
        key: Hashable = word
        if number:
            value = float(number.replace(",", "."))
            # Python prints up to 17 digits of a fraction, which a tolerance must allow.
            fraction = not number.isdigit() and bool(
                rule.tolerance_absolute or rule.tolerance_relative
            )
            longest = LONGEST_FRACTION if fraction else LONGEST_NUMBER
            # Numbers that are too large for a float would all be equal.
            told = len(number) <= longest and isfinite(value)
            key = ("number", value) if told else number
        elif prose and not word.isascii():
            key = word.translate(_APOSTROPHES)
        if rule.case == "ignored" and isinstance(key, str):
            key = key.casefold()
        found.append(Token(key, number or word, "" if exact else space))
        if exact and space:
            found.append(Token(("space", space), space, ""))
    return found


def depths(lines: Sequence[str]) -> list[int]:
    """Return the indentation level of each line of Python; 0 inside brackets."""
    found: list[int] = []
    steps = [0]
    brackets = 0
    for line in lines:
        code = line.strip()
        if not code or code.startswith("#") or brackets > 0:
            found.append(0)
        else:
            width = len(line.expandtabs(8)) - len(line.expandtabs(8).lstrip())
            while width < steps[-1]:
                steps.pop()
            if width > steps[-1]:
                steps.append(width)
            found.append(len(steps) - 1)
        brackets += sum(map(code.count, _OPENING)) - sum(map(code.count, _CLOSING))
        brackets = max(brackets, 0)
    return found


@dataclass
class Cut:
    """One side of a comparison of two texts: its lines as tokens."""

    lines: list[Tokens]
    keys: list[Hashable]
    """Keys of whole lines."""

    @property
    def size(self) -> int:
        """Number of tokens."""
        return sum(map(len, self.lines))

    def words(self) -> list[list[str]]:
        """Return the tokens' texts, which define the order of two sides in a comparison."""
        return [[token[1] for token in line] for line in self.lines]


Known = dict[tuple[Style, Form, str], list[Token]]
"""Lines that were split before."""


def cut(block: Block, rule: Rule, known: Known) -> Cut:
    """Split a block into lines and tokens.

    Args:
        block: the block.
        rule: says whether white space and case count.
        known: cache of lines that were split before; most lines are on both sides.
    """
    lines: list[list[Token]] = []
    for text, form in block.formed:
        tokens = known.get((block.style, form, text))
        if tokens is None:
            tokens = tokens_of(text, block.style, rule, form)
            known[block.style, form, text] = tokens
        lines.append(tokens.copy())
    if block.language == "python" and rule.whitespace == "ignored":
        for line, depth in zip(lines, depths(block.texts), strict=True):
            if line and depth:
                line.insert(0, Token(("depth", depth), "", ""))
    if rule.whitespace == "exact":
        for line in lines[:-1]:
            line.append(Token(("space", "\n"), "", ""))
    return Cut(lines, [tuple([token[0] for token in line]) for line in lines])


Place = tuple[int, int]
"""Position of a token: index of its line, and index within the line."""


@dataclass
class Difference:
    """Difference of two texts.

    ``rows``: lines to show side by side, without empty ones. ``left`` and ``right``: for each
    common token, its position on the other side. ``near``: number of common tokens that are numbers
    which differ within the tolerance. ``total``: number of tokens of both sides together.
    """

    total: int
    rows: list[tuple[int | None, int | None]] = field(default_factory=list)
    left: dict[Place, Place] = field(default_factory=dict)
    near: int = 0

    @property
    def common(self) -> int:
        """Number of tokens in common."""
        return len(self.left)

    @cached_property
    def right(self) -> dict[Place, Place]:
        """The inverse of ``left``."""
        return {there: here for here, there in self.left.items()}


def difference(first: Cut, second: Cut, near: Near) -> Difference:
    """Compare two texts; the result is symmetric.

    Whole lines are paired first, then the words of the lines between them. Empty lines are ignored.
    """
    if second.words() < first.words():
        other = difference(second, first, near)
        flipped = [(i, j) for j, i in other.rows]
        return Difference(other.total, flipped, other.right, other.near)
    result = Difference(first.size + second.size)
    here = [index for index, line in enumerate(first.lines) if line]
    there = [index for index, line in enumerate(second.lines) if line]
    whole = match([first.keys[i] for i in here], [second.keys[j] for j in there])
    i0 = j0 = 0
    for i, j in [*whole, (len(here), len(there))]:
        _between(first, second, (here[i0:i], there[j0:j]), near, result)
        if i < len(here):
            result.rows.append((here[i], there[j]))
            for place in range(len(first.lines[here[i]])):
                result.left[here[i], place] = (there[j], place)
        i0, j0 = i + 1, j + 1
    return result


def _between(
    first: Cut, second: Cut, lines: tuple[list[int], list[int]], near: Near, result: Difference
) -> None:
    """Pair the words of lines that differ, and the lines by their common words."""
    here, there = lines
    flat = [(i, k) for i in here for k in range(len(first.lines[i]))]
    other = [(j, k) for j in there for k in range(len(second.lines[j]))]
    if not flat or not other:
        result.rows += [(i, None) for i in here] + [(None, j) for j in there]
        return
    found = match(
        [first.lines[i][k].key for i, k in flat],
        [second.lines[j][k].key for j, k in other],
        near,
        number_of,
    )
    shared: dict[Pair, list[tuple[Place, Place]]] = {}
    for a, b in found:
        shared.setdefault((flat[a][0], other[b][0]), []).append((flat[a], other[b]))
    pairs, kept = _alike(first, second, shared)
    for pair in kept:
        for one, two in shared[pair]:
            result.left[one] = two
            here_key = first.lines[one[0]][one[1]].key
            result.near += here_key != second.lines[two[0]][two[1]].key
    i0 = j0 = 0
    for i, j in [*pairs, (None, None)]:
        a = len(here) if i is None else here.index(i, i0)
        b = len(there) if j is None else there.index(j, j0)
        result.rows += [(here[k], None) for k in range(i0, a)]
        result.rows += [(None, there[k]) for k in range(j0, b)]
        if i is not None:
            result.rows.append((i, j))
        i0, j0 = a + 1, b + 1


def _alike(
    first: Cut, second: Cut, shared: dict[Pair, list[tuple[Place, Place]]]
) -> tuple[list[Pair], list[Pair]]:
    """Choose the lines to show side by side, and the pairs of lines whose words count as common.

    In the first list each line occurs once, in order. The second list has all pairs with enough in
    common, and lines that were split or joined, whose words are nearly all on the other side.
    """
    of_left: Counter[int] = Counter()
    of_right: Counter[int] = Counter()
    for (i, j), places in shared.items():
        of_left[i] += len(places)
        of_right[j] += len(places)
    best: list[Pair] = []
    kept: list[Pair] = []
    for pair, places in shared.items():  # sorted, as words are paired in order
        here, there = len(first.lines[pair[0]]), len(second.lines[pair[1]])
        alike = 2 * len(places) >= LEAST_ALIKE * (here + there)
        rewrapped = min(of_left[pair[0]] / here, of_right[pair[1]] / there) >= REWRAPPED
        if alike or rewrapped:
            kept.append(pair)
            if best and (best[-1][0] == pair[0] or best[-1][1] == pair[1]):
                if len(places) > len(shared[best[-1]]):
                    best[-1] = pair
            else:
                best.append(pair)
    return best, kept
