"""A request that is answered with a status and one reason."""

from __future__ import annotations


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
