# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Errors of GitLab.

This file is shared: modules use it as ``module_utils`` and the desk includes it as
``atelier.gitlab.errors``.
"""

from __future__ import annotations


class SpaceError(Exception):
    """The request cannot be fulfilled until somebody fixes the problem that the text names."""


class GitLabRefusedError(SpaceError):
    """GitLab refused a request; the text has the status and the reason."""


class GitLabUnavailableError(Exception):
    """GitLab cannot be reached or answers 5xx; a later retry may succeed.

    Attributes:
        seconds: time to wait before a retry, if known; else 0.
    """

    def __init__(self, text: str, seconds: float = 0.0) -> None:
        super().__init__(text)
        self.seconds = seconds


class GitLabRateLimitedError(GitLabUnavailableError):
    """GitLab answered 429: it accepts no requests for ``seconds``."""


class GitLabTokenMissingError(GitLabUnavailableError):
    """The administrator's token does not exist yet."""


class StillCopyingError(GitLabUnavailableError):
    """GitLab has not finished copying the template within the time limit."""
