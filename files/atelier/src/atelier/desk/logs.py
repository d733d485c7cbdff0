"""The desk's log: one line an event, on standard error for journald, never with a token in it."""

from __future__ import annotations

import logging
import re
import sys

from atelier.limits.logs import Bounded

_TOKENS = re.compile(r"(glpat-|gloas-|token['\"]?[ =:]+['\"]?)[A-Za-z0-9_.\-]{6,}", re.IGNORECASE)


def scrub(text: str) -> str:
    """The text with anything that looks like a token hidden."""
    return _TOKENS.sub(r"\1[hidden]", text)


class ScrubbedFormatter(logging.Formatter):
    """Level, logger and message; tracebacks too go through :func:`scrub`."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        return scrub(super().format(record))


def set_up(level: str = "INFO") -> None:
    """Send all logs to standard error; chatty libraries only speak of problems."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Bounded())
    handler.setFormatter(ScrubbedFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("alembic", "asyncio", "gitlab", "httpcore", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
