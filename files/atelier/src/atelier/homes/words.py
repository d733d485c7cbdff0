"""The message for a learner whose home is full."""

from __future__ import annotations

from atelier.homes.usage import Usage
from atelier.i18n.translate import Language, say


def size_in_words(size: int, lang: Language) -> str:
    """Format a size, such as ``1.0 GB``; from 100 on without a decimal."""
    units = say("size_units", lang).split()
    value, unit = float(size), 0
    while value >= 1024 and unit < len(units) - 1:
        value, unit = value / 1024, unit + 1
    digits = f"{value:.0f}" if unit == 0 or value >= 100 else f"{value:.1f}"
    return f"{digits.replace('.', say('decimal_separator', lang))}\u00a0{units[unit]}"


def full_sentence(usage: Usage | None, lang: Language) -> str:
    """Return a sentence that a home is full, with its largest files; empty if it is not full."""
    if usage is None or not (usage.full or usage.full_of_files):
        return ""
    if usage.full:
        sizes = {"used": usage.used, "size": usage.size}
        said = say("space_full", lang, **{k: size_in_words(v, lang) for k, v in sizes.items()})
    else:
        said = say("space_full_of_files", lang, most=usage.most_files)
    largest = say("separator", lang).join(
        f"{path} ({size_in_words(size, lang)})" for path, size in usage.largest
    )
    if largest:
        said = f"{said} {say('space_largest', lang, files=largest)}"
    return said
