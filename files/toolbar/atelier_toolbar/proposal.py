"""One line that says what a save saves."""

from __future__ import annotations

from pathlib import PurePosixPath

from atelier_toolbar.changes import Change, Kind

_VERBS: dict[str, dict[Kind, str]] = {
    "fr": {"new": "Ajoute", "modified": "Modifie", "deleted": "Supprime", "renamed": "Renomme"},
    "en": {"new": "Add", "modified": "Update", "deleted": "Delete", "renamed": "Rename"},
}
_MORE = {
    "fr": ("et un autre fichier", "et {n} autres fichiers"),
    "en": ("and one more file", "and {n} more files"),
}
_NOTHING = {"fr": "Enregistre mon travail", "en": "Save my work"}


def one_line(message: str) -> str:
    """Return a message as one line without characters that are not to be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())


def message(found: list[Change], path: str, lang: str) -> str:
    """Return the proposal, beginning with the open file's change when it has one.

    >>> message([Change("a.md", "new"), Change("b.md", "modified")], "b.md", "en")
    'Update b.md and one more file'
    """
    lang = lang if lang in _VERBS else "en"
    if not found:
        return _NOTHING[lang]
    first = next((change for change in found if change.path == path), found[0])
    name = PurePosixPath(first.path).name.encode("utf-8", "replace").decode()
    text = f"{_VERBS[lang][first.kind]} {name}"
    more = len(found) - 1
    if more:
        one, several = _MORE[lang]
        text += " " + (one if more == 1 else several.format(n=more))
    return one_line(text)
