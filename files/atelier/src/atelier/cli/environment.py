"""Settings that the commands read from the environment."""

from __future__ import annotations

import os

from atelier.i18n.translate import Language, language


def environment_language(asked: str | None) -> Language:
    """Return the requested language; by default that of the environment."""
    if asked:
        return language(asked)
    environment = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return language(next(filter(None, environment), None))
