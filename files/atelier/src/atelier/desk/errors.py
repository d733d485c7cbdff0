"""A request that is answered with a status and one reason."""

from __future__ import annotations

import math

from atelier.gitlab.errors import GitLabUnavailableError


class RefusedError(Exception):
    """What was asked is not done.

    Attributes:
        status: of the HTTP answer.
        reason: for a program, in English; or the key of a sentence, for a page.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def retry_after(error: GitLabUnavailableError) -> dict[str, str]:
    """The header that says when to try again (RFC 9110, section 10.2.3), where that is known."""
    return {"Retry-After": str(math.ceil(error.seconds))} if error.seconds else {}
