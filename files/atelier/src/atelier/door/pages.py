"""What the door's pages share."""

from __future__ import annotations

from typing import Any

from atelier.learner import learner_of
from atelier.text import Language, accepted_language


def request_language(handler: Any, state: dict[str, Any] | None = None) -> Language:
    """Language of a page: that of the last launch, else what the browser prefers."""
    learner = learner_of(state)
    if learner is not None and learner.locale:
        return learner.language
    return accepted_language(handler.request.headers.get("Accept-Language"))
