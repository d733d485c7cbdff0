"""The course platform's side of grades: Open edX's own LTI 1.1 outcome service and a grade book."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from django.conf import settings as django_settings

from lms.unit import PLATFORM_NAME

if not django_settings.configured:  # Open edX's code reads this one name from its platform
    django_settings.configure(PLATFORM_NAME=PLATFORM_NAME)


class GradeBook:
    """Scores by learner and link, and every change in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scores: dict[tuple[str, str], float] = {}
        self.changes: list[tuple[str, str, float]] = []

    def score(self, user_id: str, link: str) -> float | None:
        """A learner's score in a link, 0..1; None when there is none."""
        with self._lock:
            return self._scores.get((user_id, link))

    def set(self, user_id: str, link: str, score: float) -> None:
        """Write a score down."""
        with self._lock:
            self._scores[user_id, link] = score
            self.changes.append((user_id, link, score))


class _Block:
    """What Open edX's service asks of the course unit's LTI component."""

    accept_grades_past_due = True

    def __init__(self, book: GradeBook, link: str, secret: str, address: str) -> None:
        self._book = book
        self._link = link
        self._secret = secret
        self.outcome_service_url = address

    def is_past_due(self) -> bool:
        return False

    def get_lti_consumer(self) -> Any:
        return SimpleNamespace(oauth_secret=self._secret)

    def get_lti_1p1_user_from_user_id(self, user_id: str) -> str:
        return user_id

    def max_score(self) -> float:
        return 1.0

    def set_user_module_score(self, user: str, score: float, _most: float) -> None:
        self._book.set(user, self._link, score)


def answer(
    book: GradeBook, link: str, secret: str, address: str, headers: Mapping[str, str], body: bytes
) -> str:
    """Answer a request of the outcome service, in XML.

    Args:
        book: where scores go.
        link: the LTI component.
        secret: its consumer's.
        address: of the service, as the launch named it.
        headers: of the request.
        body: of the request.
    """
    from lti_consumer.outcomes import OutcomeService  # once Django has its settings
    from webob import Request  # type: ignore[import-untyped]

    asked = Request.blank(address, method="POST", body=body, headers=dict(headers))
    said: str = OutcomeService(_Block(book, link, secret, address)).handle_request(asked)
    return said
