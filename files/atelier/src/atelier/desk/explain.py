"""Which sentence a person reads when a request fails, in a page or in the notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from atelier.desk.credentials import HubUnavailableError
from atelier.desk.errors import RefusedError, retry_after
from atelier.gitlab.errors import GitLabRateLimitedError, GitLabUnavailableError, SpaceError

EXPLAINED = (RefusedError, HubUnavailableError, GitLabUnavailableError, SpaceError)
"""The errors that have a sentence."""


@dataclass(frozen=True)
class Explanation:
    """A status, the key of a sentence with its fields, and the answer's headers."""

    status: int
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def explain(error: Exception) -> Explanation:
    """Return what to answer to one of :data:`EXPLAINED`."""
    match error:
        case RefusedError():
            return Explanation(error.status, error.reason)
        case HubUnavailableError():
            return Explanation(503, "hub_down")
        case GitLabRateLimitedError():
            seconds = max(1, math.ceil(error.seconds))
            return Explanation(503, "page_gitlab_busy", {"seconds": seconds}, retry_after(error))
        case GitLabUnavailableError():
            return Explanation(503, "page_gitlab_down", headers=retry_after(error))
        case _:
            return Explanation(409, "page_gitlab_refuses")
