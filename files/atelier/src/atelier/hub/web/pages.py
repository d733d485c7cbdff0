"""What the hub's pages share: their language, and references to the log."""

from __future__ import annotations

import secrets
from typing import Any

from tornado.log import app_log

from atelier.i18n.translate import Language, accepted_language
from atelier.learner import learner_of


def request_language(handler: Any, state: dict[str, Any] | None = None) -> Language:
    """Language of a page: that of the last launch, else what the browser prefers."""
    learner = learner_of(state)
    if learner is not None and learner.locale:
        return learner.language
    return accepted_language(handler.request.headers.get("Accept-Language"))


def refusal_reference(log: Any, key: str, detail: str) -> str:
    """Log a refusal and return its reference.

    Args:
        log: the hub's.
        key: sentence the learner reads, see :mod:`atelier.i18n.translate`.
        detail: what must be corrected; without secrets.

    Returns:
        What the page shows for it, see ``atelier-diagnose``.
    """
    reference = secrets.token_hex(4)
    log.warning("launch refused [%s] %s: %s", reference, key, detail)
    return reference


def error_reference(what: str) -> str:
    """Log an error page and return its reference.

    Args:
        what: what failed and how; without secrets.

    Returns:
        What the page shows for it.
    """
    reference = secrets.token_hex(4)
    app_log.warning("page of an error [%s] %s", reference, what)
    return reference
