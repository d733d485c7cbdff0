"""What learners and teachers read, in each language that has a catalogue.

A catalogue is ``catalogues/<language>.po``; a sentence is looked up by its key (``msgid``), and
its placeholders are ``str.format`` fields. A language is added by its file. Catalogues are read
when they are first used, so there is nothing to compile. Pages escape what is put into sentences
(Jinja2 does it): nothing in a catalogue is HTML.

A sentence with a number has gettext's plural forms: ``msgid_plural`` repeats the key. The form is
chosen by the field ``count``, or by the field that a comment ``#. counts: <field>`` names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import polib

CATALOGUES = Path(__file__).parent / "catalogues"
LANGUAGES = tuple(sorted(path.stem for path in CATALOGUES.glob("*.po")))
DEFAULT = "en"
"""The language of those whose own has no catalogue, and of sentences not translated yet."""

Language: TypeAlias = str
"""One of :data:`LANGUAGES`."""


_COUNTS = re.compile(r"^counts: (\w+)$", re.MULTILINE)


@cache
def _file(lang: Language) -> polib.POFile:
    return polib.pofile(CATALOGUES / f"{lang}.po")


@cache
def catalogue(lang: Language) -> Mapping[str, str]:
    """A language's sentences by key, their placeholders not filled in; of plurals, the last."""
    translated = (one for one in _file(lang) if one.translated())
    return {one.msgid: one.msgstr or [*one.msgstr_plural.values()][-1] for one in translated}


@cache
def _counted(lang: Language) -> Mapping[str, str]:
    """The sentences with plural forms: by key, the field whose number chooses the form."""
    return {
        one.msgid: found[1] if (found := _COUNTS.search(one.comment)) else "count"
        for one in _file(lang)
        if one.msgid_plural and one.translated()
    }


@cache
def _plurals(lang: Language) -> GNUTranslations:
    """A language's plural forms, with the rule in its catalogue's header."""
    return GNUTranslations(BytesIO(_file(lang).to_binary()))


def _known(locale: str) -> Language | None:
    name = locale.strip().lower().replace("_", "-").partition("-")[0]
    return name if name in LANGUAGES else None


def language(locale: str | None) -> Language:
    """Language for a locale such as ``fr-FR`` or ``pt_BR``: the default where it has none."""
    return _known(locale or "") or DEFAULT


def accepted_language(header: str | None) -> Language:
    """Language for an ``Accept-Language`` header: the first it names that has a catalogue."""
    for part in (header or "").split(","):
        if found := _known(part.partition(";")[0]):
            return found
    return DEFAULT


def in_language(texts: object, lang: Language) -> str:
    """One of the texts that a course has by language, as attributes: a title, a hint."""
    return str(getattr(texts, lang, None) or getattr(texts, DEFAULT))


def say(key: str, lang: Language, **fields: object) -> str:
    """A sentence in one language, in the plural form for its number.

    Raises:
        KeyError: there is no sentence with that key.
    """
    known = lang if key in catalogue(lang) else DEFAULT
    text = catalogue(known)[key]
    if counted := _counted(known).get(key):
        text = _plurals(known).ngettext(key, key, int(str(fields[counted])))
    return text.format(**fields)


def knows(key: str) -> bool:
    """Whether there is a sentence with that key."""
    return key in catalogue(DEFAULT)
