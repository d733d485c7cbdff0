"""Rate limits of the API: by person for requests with a valid token, else by address.

Settings ``throttle_authenticated_api_*`` and ``throttle_unauthenticated_api_*`` switch them on.
Requests are counted in windows that begin at multiples of the period. A refused request counts,
too.
"""

import email.utils
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from gitlab_standin import security
from gitlab_standin.api.core import Reply
from gitlab_standin.database import Database
from gitlab_standin.site import can_use_credentials, find_token

SETTINGS_SECONDS = 60.0
"""For how long the settings are remembered, as GitLab does; those set by the API act at once."""
_KINDS = ("authenticated", "unauthenticated")


@dataclass(frozen=True)
class Limit:
    """A limit that is switched on."""

    name: str
    requests: int
    period: int


def limits(settings: dict[str, Any]) -> dict[str, Limit]:
    """The limits that are switched on, by kind."""
    found = {}
    for kind in _KINDS:
        name = f"throttle_{kind}_api"
        if settings[f"{name}_enabled"]:
            found[kind] = Limit(
                name,
                settings[f"{name}_requests_per_period"],
                settings[f"{name}_period_in_seconds"],
            )
    return found


def person(session: Session, token: str | None) -> int | None:
    """The id of the user whose valid token this is."""
    found = find_token(session, security.token_digest(token)) if token else None
    if found is None or found.revoked or found.expired or not can_use_credentials(found.user):
        return None
    return found.user_id


class Throttle:
    """Counts requests."""

    def __init__(self, database: Database, settings: Callable[[Session], dict[str, Any]]) -> None:
        self._database = database
        self._settings = settings
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        self._limits: dict[str, Limit] = {}
        self._read_at = -math.inf

    def forget_settings(self) -> None:
        """Read the settings again at the next request."""
        self._read_at = -math.inf

    def _current(self) -> dict[str, Limit]:
        moment = time.monotonic()
        if moment - self._read_at > SETTINGS_SECONDS:
            self._read_at = moment
            with self._database.read() as session:
                self._limits = limits(self._settings(session))
        return self._limits

    def refusal(self, token: str | None, address: str) -> Reply | None:
        """Count a request; return the answer 429 if it is one too many."""
        current = self._current()
        if not current:
            return None
        with self._database.read() as session:
            user_id = person(session, token)
        kind, who = ("unauthenticated", address) if user_id is None else (_KINDS[0], str(user_id))
        limit = current.get(kind)
        return self._count(limit, who) if limit is not None else None

    def _count(self, limit: Limit, who: str) -> Reply | None:
        now = int(time.time())
        window = now // limit.period
        with self._lock:
            before, count = self._counts.get((limit.name, who), (window, 0))
            count = count + 1 if before == window else 1
            self._counts[limit.name, who] = (window, count)
        return None if count <= limit.requests else _reply(limit, count, now)


def _reply(limit: Limit, count: int, now: int) -> Reply:
    """The answer 429. ``RateLimit-Limit`` is always that of a minute."""
    wait = limit.period - now % limit.period
    headers = {
        "RateLimit-Name": limit.name,
        "RateLimit-Limit": str(math.ceil(limit.requests * 60 / limit.period)),
        "RateLimit-Observed": str(count),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(now + wait),
        "RateLimit-ResetTime": email.utils.formatdate(now + wait, usegmt=True),
        "Retry-After": str(wait),
    }
    return Reply(429, "Retry later\n", headers, media_type="text/plain")
