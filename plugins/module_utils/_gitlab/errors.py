# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""What can go wrong with GitLab, named by what happened.

This file is shared: modules use it as ``module_utils`` and the desk includes it as
``atelier.gitlab.errors``.
"""

from __future__ import annotations


class SpaceError(Exception):
    """What was asked for cannot be done until somebody corrects something; the text says what."""


class GitLabRefusedError(SpaceError):
    """GitLab answered, and refused; the text has its status and its reason."""


class GitLabUnavailableError(Exception):
    """GitLab cannot be reached or answers 5xx; trying again later may help.

    Attributes:
        seconds: how long to wait before trying again, where that is known; else 0.
    """

    def __init__(self, text: str, seconds: float = 0.0) -> None:
        super().__init__(text)
        self.seconds = seconds


class GitLabRateLimitedError(GitLabUnavailableError):
    """GitLab answered 429: it takes no request for ``seconds``."""


class GitLabTokenMissingError(GitLabUnavailableError):
    """There is no administrator's token yet."""


class StillCopyingError(GitLabUnavailableError):
    """GitLab answers, but its copy of the template takes longer than allowed."""
