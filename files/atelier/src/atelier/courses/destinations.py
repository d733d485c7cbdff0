"""Destinations of launches: only addresses of this site, in courses that the launcher may open.

All functions are pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import quote, unquote, urlsplit

from atelier.config.models import Course, Launcher, Site, may_launch
from atelier.config.schema.kinds import is_writable
from atelier.config.schema.paths import safe_path

Target = Literal["notebook", "gitlab", "check", "home"]
MAX_PATH_LENGTH = 1024
_EXERCISE = re.compile(r"[A-Za-z0-9._-]{1,128}")


class TargetError(Exception):
    """A launch names an invalid destination.

    Attributes:
        key: key of the sentence for the learner, see :mod:`atelier.i18n.translate`.
        detail: what the course's author must correct, for the log.
    """

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(detail)
        self.key = key
        self.detail = detail


@dataclass(frozen=True)
class Destination:
    """A page of a course (notebook, GitLab space or exercise), or the learner's list of courses."""

    course: str
    target: Target
    path: str | None = None
    exercise: str | None = None
    next: str | None = None
    """Path and query below the learner's server, from ``custom_next``; overrides ``path``."""


def check_path(value: str) -> str | None:
    """Return a valid path of a file in the course repository; None if the value is empty.

    Raises:
        TargetError: the path is outside the repository, or too long.
    """
    value = value.strip()
    if not value:
        return None
    try:
        if len(value) > MAX_PATH_LENGTH:
            raise ValueError(f"longer than {MAX_PATH_LENGTH} characters")
        return safe_path(value)
    except ValueError as error:
        raise TargetError("path_wrong", f"custom_path={value[:200]!r}: {error}") from None


def check_target(value: str) -> Target:
    """Return a valid target; ``notebook`` if the value is empty.

    Raises:
        TargetError: there is no such target.
    """
    value = value.strip() or "notebook"
    for known in get_args(Target):
        if value == known:
            target: Target = known
            return target
    raise TargetError(
        "target_unknown",
        f"custom_target={value[:80]!r}: must be one of {', '.join(get_args(Target))}",
    )


def check_exercise(value: str) -> str | None:
    """Return a valid exercise id; None if the value is empty.

    Raises:
        TargetError: the value is not a valid id.
    """
    value = value.strip()
    if value and not _EXERCISE.fullmatch(value):
        raise TargetError("target_unknown", f"custom_exercise={value[:80]!r}: not an identifier")
    return value or None


def local_next(value: str, hub_url: str) -> str | None:
    """Return the part of ``custom_next`` below the learner's own server, if it is safe.

    Links made for ltiauthenticator have ``/hub/user-redirect/<rest>``. The rest is used if the
    address is on this site and no browser can read it as another address; others are ignored.

    Args:
        value: the parameter.
        hub_url: the hub's public address, without trailing slash.

    Returns:
        The rest (``lab/tree/x.ipynb?reset``), without leading slash, or None.
    """
    if value.startswith(hub_url + "/"):
        value = value[len(hub_url) :]
    else:
        base = urlsplit(hub_url).path
        if base and value.startswith(base + "/"):
            value = value[len(base) :]
    prefix = "/hub/user-redirect/"
    if not value.startswith(prefix) or len(value) > 2 * MAX_PATH_LENGTH:
        return None
    if any(ord(char) <= 32 or ord(char) == 127 for char in value) or "\\" in value:
        return None
    if not is_writable(value):
        return None
    rest = value[len(prefix) :]
    path = unquote(unquote(urlsplit(rest).path)) if "//" not in rest.split("?")[0] else ".."
    if any(part in (".", "..") for part in path.replace("\\", "/").split("/")):
        return None
    return rest


def choose(
    params: Mapping[str, str], consumer: Launcher, courses: Mapping[str, Course], hub_url: str
) -> Destination:
    """Return the destination of a launch.

    Args:
        params: the launch's parameters; ``custom_course``, ``custom_target``, ``custom_path``,
            ``custom_exercise`` and ``custom_next`` are read.
        consumer: the consumer or registration that launches.
        courses: the site's courses by slug.
        hub_url: the hub's public address.

    Raises:
        TargetError: a parameter is invalid, or the launcher may not open the course.
    """
    allowed = {slug: course for slug, course in courses.items() if may_launch(consumer, course)}
    slug = params.get("custom_course", "").strip()
    if slug:
        if slug not in allowed:
            known = "not for this consumer" if slug in courses else "no such course"
            raise TargetError("course_unknown", f"custom_course={slug[:80]!r}: {known}")
    elif len(allowed) == 1:
        slug = next(iter(allowed))
    elif not allowed:
        raise TargetError("course_unknown", f"consumer {consumer.key!r} may launch no course")
    else:
        raise TargetError(
            "course_needed",
            f"custom_course is absent and consumer {consumer.key!r} may launch several:"
            f" {', '.join(sorted(allowed))}",
        )
    return Destination(
        course=slug,
        target=check_target(params.get("custom_target", "")),
        path=check_path(params.get("custom_path", "")),
        exercise=check_exercise(params.get("custom_exercise", "")),
        next=local_next(params.get("custom_next", ""), hub_url),
    )


def notebook_path(base_url: str, username: str, place: Destination, course: Course) -> str:
    """Return the path of a file on the learner's server.

    Args:
        base_url: the hub's base path, with leading and trailing slash.
        username: the learner.
        place: the destination.
        course: the course, for its start file.
    """
    server = f"{base_url}user/{quote(username)}/{place.course}/"
    if place.next is not None:
        return server + place.next
    path = place.path or course.start_file
    return f"{server}lab/tree/{place.course}" + (f"/{quote(path)}" if path else "")


def desk_path(base_url: str, place: Destination) -> str:
    """Return the path of the desk's page for an exercise, or for the list of exercises.

    Args:
        base_url: the hub's base path, with leading and trailing slash.
        place: the destination.
    """
    page = f"{base_url}services/desk/courses/{place.course}/exercises"
    return page + (f"/{quote(place.exercise)}" if place.exercise else "")


def gitlab_leave(gitlab_url: str, query: str) -> str:
    """Return the address that ends the browser's GitLab session, then redirects to the hub.

    Args:
        gitlab_url: GitLab's address for browsers.
        query: the encoded query of ``/hub/atelier/go``; it cannot change the redirect's host.
    """
    return f"{gitlab_url}/-/atelier/leave?{query}"


def gitlab_entry(site: Site, project: str, branch: str, path: str | None) -> str:
    """Return the address that ends the browser's GitLab session, then shows the learner's fork.

    The parameter ``to`` is a path that is percent-encoded once, except for slashes, so that nginx
    can use it unchanged in the redirect. If GitLab's host cannot end sessions, return the fork's
    address.
    """
    to = f"/{quote(project)}" + (f"/-/blob/{quote(branch)}/{quote(path)}" if path else "")
    entry = "/-/atelier/enter?to=" if site.gitlab_session_paths else ""
    return f"{site.gitlab_url}{entry}{to}"
