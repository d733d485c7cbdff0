"""Errors that the desk answers with a status and one reason."""

from __future__ import annotations

import math

from atelier.gitlab.errors import GitLabUnavailableError


class RefusedError(Exception):
    """The desk refuses a request.

    Attributes:
        status: HTTP status of the answer.
        reason: an English text for the API's clients, or the key of a page's sentence.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def retry_after(error: GitLabUnavailableError) -> dict[str, str]:
    """Return the header ``Retry-After`` (RFC 9110, section 10.2.3) if the delay is known."""
    return {"Retry-After": str(math.ceil(error.seconds))} if error.seconds else {}
