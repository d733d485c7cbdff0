"""Who is enrolled in the course, and which pages their ready links open."""

from __future__ import annotations

from dataclasses import dataclass

from lms.unit import LEARNERS, Learner, Link
from lms.unit import link as link_of_the_unit

COURSE = "demo"
PLATFORM = "dev-lms"
TEACHER = Learner("claire", "Claire Exemple", "Instructor")
PEOPLE = {person.slug: person for person in (*LEARNERS, TEACHER)}


@dataclass(frozen=True)
class Place:
    """A page that a ready link opens.

    Attributes:
        link: the LTI link that is launched.
        text: what the page is, for the list that `make dev` prints.
        page: path on the hub's host to go to once signed in; empty: where the launch leads.
    """

    link: Link
    text: str
    page: str = ""


def _link(slug: str, **custom: str) -> Link:
    return Link(slug, {}, {}, {}, custom)


def _known(slug: str) -> Link:
    found = link_of_the_unit(slug)
    assert found is not None
    return found


_EXERCISES = _link("exercises", target="check")
PLACES = {
    "notebook": Place(_known("notebook-python"), "notebook"),
    "exercises": Place(_EXERCISES, "exercises"),
    "exercise": Place(_known("exercise"), "check an answer"),
    "gitlab": Place(_known("gitlab"), "GitLab space"),
    "access": Place(_EXERCISES, "access from their own computer", "/services/desk/"),
    "answers": Place(_EXERCISES, "everybody's answers", f"/services/desk/courses/{COURSE}/answers"),
}
LISTED = {
    "ada": ("notebook", "exercises", "exercise", "gitlab", "access"),
    TEACHER.slug: ("answers", "exercises", "notebook"),
}
"""The links that `make dev` prints; any person and place together make one."""


def address(lms_url: str, person: str, place: str) -> str:
    """Return the ready link of a person to a place."""
    return f"{lms_url}/as/{person}/{place}"
