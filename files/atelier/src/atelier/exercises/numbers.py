"""Finds numbers in sentences, written as in French or English.

The decimal sign is a comma or a point, thousands are parted by spaces, apostrophes, commas or
points. Where both readings are possible, as in ``1,234``, a number has both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isclose, isfinite

MINUS = "-\u2212\u2013"
_GAPS = " \u00a0\u202f\u2009'\u2019"
_NUMBER = re.compile(
    rf"""(?<!\w)(?<!\d[.,])
    (?P<sign>[{MINUS}+](?=[\d.,]))?
    (?P<body>\d{{1,3}}(?:[{_GAPS}]\d{{3}})+(?!\d)(?:[.,]\d+)? | \d+(?:[.,]\d+)* | [.,]\d+)
    (?!\d)
    (?:(?:[eE]|\s*(?:[\u00d7x\u00b7*]|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*\{{?)
       (?P<power>[{MINUS}+]?\d{{1,3}})\}}?(?![\w.,]\w))?
    (?!\s?(?:er|re|e|ème|nd|st|rd|th)\b)""",
    re.VERBOSE,
)
_LATEX = (("{,}", ","), ("\\,", "\u2009"), ("~", "\u00a0"), ("\\%", " %"))
_UNDERSCORES = re.compile(r"(?<!\w)_+|_+(?!\w)")
CLOSE = 1e-9
"""Relative difference that computing with decimal fractions may make."""


@dataclass(frozen=True)
class Number:
    """A number in a text: as it is written, and what it may mean."""

    written: str
    readings: tuple[float, ...]
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        """Whether it is written without a decimal sign."""
        return not any(sign in self.written for sign in ".,eE")

    def near(self, wanted: float, tolerance: float) -> bool:
        """Return whether one of its readings is within the tolerance."""
        return any(
            abs(one - wanted) <= tolerance * (1 + CLOSE) or isclose(one, wanted, rel_tol=CLOSE)
            for one in self.readings
        )


def plain(text: str) -> str:
    """Return a text without LaTeX's ways to write numbers and without emphasis."""
    for latex, sign in _LATEX:
        text = text.replace(latex, sign)
    return _UNDERSCORES.sub(" ", text)


def numbers_in(text: str) -> list[Number]:
    """Return the numbers of a text, in order; dates, versions and ordinals are none."""
    found = []
    for match in _NUMBER.finditer(text):
        power = match["power"]
        exponent = int(power.replace("\u2212", "-").replace("\u2013", "-")) if power else 0
        negative = (match["sign"] or "+") in MINUS
        scale = float(f"1e{exponent}")  # infinite where 10.0**exponent would raise
        readings = [(-value if negative else value) * scale for value in _readings(match["body"])]
        known = tuple(value for value in readings if isfinite(value))
        if known:
            found.append(Number(match[0].strip(), known, *match.span()))
    return found


def _readings(body: str) -> list[float]:
    """Return what digits with separators may mean; nothing if they are no number."""
    pieces = re.split(f"[{_GAPS}]", body)
    found = _parted("".join(pieces))
    if len(pieces) > 1 and found:  # "4 250" may be two numbers
        found += _parted(pieces[-1])
    return found


def _parted(digits: str) -> list[float]:
    signs = [sign for sign in digits if sign in ".,"]
    groups = re.split("[.,]", digits)
    by_thousands = all(len(group) == 3 for group in groups[1:]) and 1 <= len(groups[0]) <= 3
    if not signs:
        return [float(digits)]
    if len(signs) == 1:
        found = [float(f"{groups[0] or 0}.{groups[1]}")]
        if by_thousands and groups[0] != "0":
            found.append(float("".join(groups)))
        return found
    if len(set(signs)) == 1:
        return [float("".join(groups))] if by_thousands else []
    *most, last = groups
    if len(set(signs[:-1])) > 1 or not all(len(group) == 3 for group in most[1:]):
        return []
    return [float(f"{''.join(most)}.{last}")]
