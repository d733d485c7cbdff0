"""The desk's log: one line for each event, on standard error for journald, without tokens."""

from __future__ import annotations

import logging
import re
import sys

from atelier.limits.logs import Bounded

_TOKENS = re.compile(r"(glpat-|gloas-|token['\"]?[ =:]+['\"]?)[A-Za-z0-9_.\-]{6,}", re.IGNORECASE)


def scrub(text: str) -> str:
    """Return the text with everything that looks like a token hidden."""
    return _TOKENS.sub(r"\1[hidden]", text)


class ScrubbedFormatter(logging.Formatter):
    """Formats records and hides tokens by :func:`scrub`, in tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as text."""
        return scrub(super().format(record))


def set_up(level: str = "INFO") -> None:
    """Send all logs to standard error; limit verbose libraries to warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Bounded())
    handler.setFormatter(ScrubbedFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("alembic", "asyncio", "gitlab", "httpcore", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
