"""LTI 1.3 scores (Assignment and Grade Services 2.0, section 3.4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from atelier.config.registrations import is_platform_url
from atelier.lti.access_tokens import SCORE_SCOPE

CONTENT_TYPE = "application/vnd.ims.lis.v1.score+json"


@dataclass(frozen=True)
class ScorePlace:
    """Address and user for the scores of one link.

    Attributes:
        registration: its key.
        client_id: the one of the launch.
        user_id: the learner's id there.
        lineitem: address of the column of the grade book.
    """

    registration: str
    client_id: str
    user_id: str
    lineitem: str

    @classmethod
    def of(cls, services: Mapping[str, Any]) -> Self | None:
        """Read from a launch's ``services``; None if the platform takes no scores from this link.

        Args:
            services: see :func:`atelier.lti.claims13.services`.
        """
        claim = services.get("ags")
        if not isinstance(claim, Mapping):
            return None
        lineitem, scopes = claim.get("lineitem"), claim.get("scope")
        if not isinstance(lineitem, str) or not is_platform_url(lineitem):
            return None
        if not isinstance(scopes, list) or SCORE_SCOPE not in scopes:
            return None
        return cls(
            str(services["registration"]),
            str(services["client_id"]),
            str(services["sub"]),
            lineitem,
        )

    @property
    def url(self) -> str:
        """Where scores are posted: the line item's path with ``/scores``, its query kept."""
        parts = urlsplit(self.lineitem)
        return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/scores"))

    def message(self, score: float, now: datetime | None = None) -> bytes:
        """The score as JSON.

        Args:
            score: 0..1.
            now: when it was given; platforms ignore one older than what they have.
        """
        at = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")
        data = {
            "userId": self.user_id,
            "scoreGiven": round(score, 4),
            "scoreMaximum": 1,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "timestamp": at.replace("+00:00", "Z"),
        }
        return json.dumps(data).encode()
