"""Judges what learners write in their own words: a number, keywords, accepted texts, or a person.

A machine never fails a text that may be right: where it cannot tell, the result is pending, and a
person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from atelier.exercises.blocks import Document
from atelier.exercises.model import ExpectedError, Message, ProsePart, ProseShown, message
from atelier.exercises.numbers import Number, numbers_in
from atelier.exercises.prose_parts import Written, find, without_given, words_alone, words_of
from atelier.exercises.sequences import match

MOST_NUMBERS = 3
"""With more numbers in a text, one that is right is a guess."""
LONGEST_SHOWN = 40
_WORD = re.compile(r"[^\W_]+")
MOST_TEXTS = 3
"""Most paragraphs of which each may be an accepted text by itself, as in two languages."""
_OR = re.compile(r"\W*(?:ou|or|/)\W*", re.IGNORECASE)
_THAT_IS = re.compile(r"(?:^|\W)(?:soit|c'est[- ]à[- ]dire|i\.e\.|that is)\W*\Z", re.IGNORECASE)
LONGEST_LINK = 40
"""Most characters between two numbers of which the second says the first again, or another."""
_BRACKETS = re.compile(r"\([^()]*\)")
_COMPUTED = re.compile(r"`(?:r|\{\w+\}) [^`]*`")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "\u2019": "'"})


def judge(
    document: Document,
    given: Document | None,
    declared: Sequence[ProsePart],
    expected: Document | None = None,
) -> list[ProseShown]:
    """Return the result of each part, in the order of the declaration.

    Args:
        document: the learner's file.
        given: the file in the course's template, whose words are not the learner's.
        declared: the parts.
        expected: the expected file, for parts that take their number or text from it.

    Raises:
        ExpectedError: the expected file has no number or text in such a part.
    """
    names: Counter[str] = Counter()
    found = []
    for part in declared:
        name = str(part.part)
        names[name] += 1
        if names[name] > 1:
            name = f"{name} ({names[name]})"
        written = find(document, given, part)
        reached, pending, told = _judged(part, written, given, expected)
        shown: ProseShown = {
            "name": name,
            "kind": part.kind,
            "points": part.points,
            "reached": part.points * reached,
            "pending": pending,
            "message": told,
            "say": dict(part.say),
        }
        found.append(shown)
    return found


Judgement = tuple[float, bool, Message | None]
"""Share of the points, whether a person decides, and a sentence for the learner."""


def _judged(
    part: ProsePart, written: Written | None, given: Document | None, expected: Document | None
) -> Judgement:
    model = _model(part, given, expected)
    if part.kind == "person":
        nothing = written is None or not written.own.strip()
        return 0.0, True, message("check_prose_person_empty" if nothing else "check_prose_person")
    if written is None:
        return 0.0, False, message("check_prose_missing")
    if not written.own.strip():
        return 0.0, False, message("check_prose_empty")
    if part.kind == "keywords":
        return _by_keywords(part, written.own)
    if part.kind == "number":
        wanted = part.number if part.number is not None else _of(model)
        return _by_number(wanted, part.tolerance, written.own)
    accepted = tuple(map(words_alone, part.accepted))
    return _by_likeness(accepted or ((model.own, model.whole) if model else ()), written)


def _model(part: ProsePart, given: Document | None, expected: Document | None) -> Written | None:
    """Return the part in the expected file, if its number or text is to be taken from there."""
    if part.kind == "person" or part.keywords or part.accepted or part.number is not None:
        return None
    model = find(expected, given, part) if expected else None
    usable = model and (part.kind != "number" or numbers_in(model.own))
    if not model or not usable or not model.own.strip():
        raise ExpectedError(message("check_prose_no_expected", part=str(part.part)))
    return model


def _of(model: Written | None) -> float:
    return numbers_in(model.own)[-1].readings[0] if model else 0.0


def _by_number(wanted: float, tolerance: float, text: str) -> Judgement:
    """Judge the last number of a text, of those that count."""
    written = _COMPUTED.sub(" ", text)
    numbers = numbers_in(written)
    found = _said(numbers, written)
    if not float(wanted).is_integer() and not all(one.is_whole for one in found):
        found = [one for one in found if not one.is_whole]
    if not found and written != text:  # R Markdown computes it where the document is made
        return 0.0, True, message("check_prose_number_computed")
    if not found:
        return 0.0, False, message("check_prose_number_none")
    right = [one.near(wanted, tolerance) for one in found]
    last = found[-1]
    is_choice = any(
        right[-1] != right[k] and _OR.fullmatch(_between(found[k], found[k + 1], written))
        for k in range(len(found) - 1)
    )
    if right[-1] and not is_choice:
        return 1.0, False, None
    if len(numbers) <= MOST_NUMBERS and any(one.near(wanted, tolerance) for one in numbers):
        return 0.0, True, message("check_prose_number_several")
    return 0.0, False, message("check_prose_number_wrong", number=last.written[:LONGEST_SHOWN])


def _said(found: list[Number], text: str) -> list[Number]:
    """Return the numbers but those that say again, or explain, what a number before them says."""
    brackets = [one.span() for one in _BRACKETS.finditer(text)]
    outside = [one for one in found if not any(a < one.start < b for a, b in brackets)]
    found = outside or found
    return [
        one
        for k, one in enumerate(found)
        if k == 0 or not _THAT_IS.search(_between(found[k - 1], one, text))
    ]


def _between(one: Number, other: Number, text: str) -> str:
    """Return the last characters between two numbers."""
    return text[max(one.end, other.start - LONGEST_LINK) : other.start]


def _by_keywords(part: ProsePart, text: str) -> Judgement:
    words = _words(text)
    found = sum(any(_has(words, _words(one)) for one in group) for group in part.keywords)
    total = len(part.keywords)
    if found == total:
        return 1.0, False, None
    return found / total, False, message("check_prose_keywords", found=found, total=total)


def _words(text: str) -> list[str]:
    """Return a text's words without accents, in small letters."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return _WORD.findall("".join(sign for sign in letters if not unicodedata.combining(sign)))


def _has(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether a keyword is among the words; one of several words stands as it is said."""
    return bool(wanted) and any(
        all(
            _is_form(word, key)
            for word, key in zip(words[k : k + len(wanted)], wanted, strict=True)
        )
        for k in range(len(words) - len(wanted) + 1)
    )


def _is_form(word: str, key: str) -> bool:
    """Return whether a word is a keyword, with another ending perhaps.

    Words of up to three letters may only have an ``s`` more. Of others, the beginning has to be
    the same: all of it but the last letter, of seven letters and more but the last two.
    """
    if len(key) <= 3 or key.isdigit():
        return word in (key, f"{key}s")
    return word.startswith(key[: len(key) - (2 if len(key) > 6 else 1 if len(key) > 4 else 0)])


def _by_likeness(texts: Sequence[str], written: Written) -> Judgement:
    share = max((_gained(text, written) for text in texts), default=0.0)
    if share >= 1:
        return 1.0, False, None
    percent = int(share * 100)
    return share, False, message("check_prose_accepted", percent=percent)


def _gained(text: str, written: Written) -> float:
    """Return the likeness of a part to an accepted text, beyond that of the template, 0..1."""
    bare = without_given(text, written.given)
    own = max(_likeness(one, bare) for one in _whole_and_paragraphs(written.own))
    base = max(_likeness(one, text) for one in _whole_and_paragraphs(written.given))
    whole = max(_likeness(one, text) for one in _whole_and_paragraphs(written.whole))
    return max(own, (whole - base) / (1 - base) if base < 1 else 0.0, 0.0)


def _whole_and_paragraphs(text: str) -> list[str]:
    """Return a text, and if they are few its paragraphs or lines."""
    found = [one for one in re.split(r"\n\s*\n", text) if one.strip()]
    return [text, *found] if len(found) <= MOST_TEXTS else [text]


def _likeness(one: str, other: str) -> float:
    here, there = words_of(one), words_of(other)
    if not here or not there:
        return 0.0
    common = len(match([token.key for token in here], [token.key for token in there]))
    return 2 * common / (len(here) + len(there))
