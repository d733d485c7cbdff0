"""Translates the messages of a comparison."""

from __future__ import annotations

from atelier.exercises.model import Message
from atelier.i18n import translate as text
from atelier.i18n.translate import Language


def say(message: Message, lang: Language) -> str:
    """Return a message as a sentence; names of kinds of blocks in it are translated, too."""
    fields = dict(message["fields"])
    if isinstance(fields.get("kinds"), str):
        kinds = str(fields["kinds"]).split(", ")
        fields["kinds"] = ", ".join(text.say(f"check_kind_{kind}", lang) for kind in kinds)
    return text.say(message["key"], lang, **fields)
