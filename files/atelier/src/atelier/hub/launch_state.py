"""What the hub keeps of launches, and the place a learner goes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from atelier.config.models import Launcher
from atelier.courses.destinations import Destination, check_exercise, check_path, check_target
from atelier.learner import AuthState, LearnerInfo


def auth_state(
    learner: LearnerInfo,
    place: Destination,
    params: Mapping[str, str],
    consumer: Launcher,
    now: float,
    services: dict[str, Any] | None = None,
    *,
    staff: bool = False,
) -> AuthState:
    """The ``auth_state`` that is stored after a launch.

    Args:
        learner: who launched.
        place: the page that the launch opens.
        params: the launch's parameters.
        consumer: the platform's consumer or registration.
        now: present time, seconds since 1970.
        services: LTI 1.3: how the platform takes grades.
        staff: whether they teach the course.
    """
    return {
        "platform": consumer.platform,
        "consumer": consumer.key,
        "learner": asdict(learner),
        "last": place.course,
        "launches": {
            place.course: {
                **asdict(place),
                "at": int(now),
                "consumer": consumer.key,
                "lis_outcome_service_url": params.get("lis_outcome_service_url"),
                "lis_result_sourcedid": params.get("lis_result_sourcedid"),
                "lti13": services,
                "staff": staff,
            }
        },
    }


def requested_destination(state: AuthState | None, query: Mapping[str, str]) -> Destination | None:
    """The page that a query of ``/hub/atelier/go`` opens, in a course that the learner launched.

    Args:
        state: their ``auth_state``.
        query: ``course``, ``target``, ``path``, ``exercise``; without ``course``, the last
            launch as it was.

    Returns:
        None when they never launched that course.

    Raises:
        TargetError: the query names no place.
    """
    launches = (state or {}).get("launches", {})
    slug = query.get("course") or (state or {}).get("last", "")
    if slug not in launches:
        return None
    kept = launches[slug]
    if query.get("course"):
        return Destination(
            course=slug,
            target=check_target(query.get("target", "")),
            path=check_path(query.get("path", "")),
            exercise=check_exercise(query.get("exercise", "")),
            next=kept.get("next") if query.get("next") else None,
        )
    return Destination(**{name: kept.get(name) for name in Destination.__dataclass_fields__})


def launch_message(state: AuthState, course: str) -> dict[str, Any]:
    """The message to the desk about a learner's latest launch of a course.

    Args:
        state: their ``auth_state``.
        course: one of those they launched.
    """
    kept = state["launches"][course]
    services = kept.get("lti13") or {}
    return {
        "username": state["learner"]["username"],
        "name": state["learner"]["name"],
        "course": course,
        "exercise": kept.get("exercise") or "",
        "consumer": kept.get("consumer") or state["consumer"],
        "outcome_url": kept.get("lis_outcome_service_url") or "",
        "sourcedid": kept.get("lis_result_sourcedid") or "",
        "services": services if services.get("ags") else None,
        "staff": bool(kept.get("staff")),
        "at": kept["at"],
        "email": state["learner"]["email"],
        # A newcomer's space is prepared while the browser follows the redirect.
        "prepare": state.get("first", True),
    }
