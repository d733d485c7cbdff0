"""Where a launch may lead: this site only, courses the consumer may launch only."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from atelier.config.models import Consumer, Course, Site
from atelier.config.schema.paths import safe_path
from atelier.courses.destinations import (
    Destination,
    TargetError,
    choose,
    desk_path,
    gitlab_entry,
    local_next,
    notebook_path,
)
from atelier.lti.roles import has_teacher_role
from hypothesis import example, given
from hypothesis import strategies as st

HUB = "https://hub.mooc.example"


def course(slug: str, **values: object) -> Course:
    data = {
        "slug": slug,
        "title": {"fr": slug, "en": slug},
        "template": f"{slug}/template",
        "image": "image:tag",
        **values,
    }
    return Course.model_validate(data)


def consumer(key: str = "campus", **values: object) -> Consumer:
    return Consumer.model_validate(
        {"key": key, "secret": "a-secret" * 4, "platform": "campus", **values}
    )


COURSES = {"demo": course("demo"), "maths": course("maths", consumers=["other"])}


def test_the_only_course_needs_no_name() -> None:
    assert choose({}, consumer(), COURSES, HUB) == Destination("demo", "notebook")


def test_a_launch_may_lead_to_an_exercise() -> None:
    place = choose({"custom_target": "check", "custom_exercise": "pi-1"}, consumer(), COURSES, HUB)
    assert desk_path("/", place) == "/services/desk/courses/demo/exercises/pi-1"
    every = choose({"custom_target": "check"}, consumer(), COURSES, HUB)
    assert desk_path("/base/", every) == "/base/services/desk/courses/demo/exercises"
    with pytest.raises(TargetError):
        choose({"custom_target": "check", "custom_exercise": "../x"}, consumer(), COURSES, HUB)


def test_a_launch_may_lead_to_the_list_of_courses() -> None:
    place = choose({"custom_target": "home"}, consumer(), COURSES, HUB)
    assert (place.course, place.target) == ("demo", "home")


def test_several_courses_need_one() -> None:
    with pytest.raises(TargetError, match=r"custom_course is absent.*demo, maths"):
        choose({}, consumer("other"), COURSES, HUB)


@pytest.mark.parametrize("slug", ["maths", "nowhere", "Demo", "demo/../maths"])
def test_a_course_of_others_is_no_course(slug: str) -> None:
    with pytest.raises(TargetError) as refused:
        choose({"custom_course": slug}, consumer(), COURSES, HUB)
    assert refused.value.key == "course_unknown"


def test_a_consumer_may_be_limited_too() -> None:
    limited = consumer(courses=["demo"])
    assert choose({}, limited, {"demo": course("demo"), "b1": course("b1")}, HUB).course == "demo"
    with pytest.raises(TargetError):
        choose({"custom_course": "b1"}, limited, {"b1": course("b1")}, HUB)


@given(st.text())
@example("..")
@example("a/../b")
@example("/etc/passwd")
@example("a\\b")
@example(".git/config")
@example("a//b")
@example("a\nb")
@example("a\ud800")
def test_a_path_stays_in_the_repository(text: str) -> None:
    try:
        accepted = safe_path(text)
    except ValueError:
        return
    parts = accepted.split("/")
    assert accepted == text
    assert "" not in parts
    assert not {".", ".."} & set(parts)
    assert parts[0] != ".git"
    assert "\\" not in accepted


@pytest.mark.parametrize("half", ["\ud800", "a/\udc80.ipynb"])
def test_half_a_character_is_no_path_and_no_page(half: str) -> None:
    """JSON can hold one, so a token can; an address cannot."""
    with pytest.raises(TargetError) as refused:
        choose({"custom_path": half}, consumer(), COURSES, HUB)
    assert refused.value.key == "path_wrong"
    assert refused.value.detail.isascii()
    assert local_next(f"/hub/user-redirect/lab?{half}", HUB) is None


@given(st.text(min_size=1, max_size=80))
def test_an_accepted_path_survives_the_address(text: str) -> None:
    try:
        place = choose({"custom_path": text}, consumer(), COURSES, HUB)
    except TargetError:
        return
    path = notebook_path("/", "u" + "a" * 16, place, COURSES["demo"])
    prefix = "/user/uaaaaaaaaaaaaaaaa/demo/lab/tree/demo"
    assert path.isascii()
    assert unquote(urlsplit("https://x" + path).path) == prefix + (
        f"/{place.path}" if place.path else ""
    )


def test_gitlab_s_entrance_is_told_a_path_nginx_can_send_back_as_it_is() -> None:
    site = Site(hub_url="https://hub.x", gitlab_url="https://gitlab.x")
    address = gitlab_entry(site, "uaa/demo", "main", "notebooks/π & co.ipynb")
    assert address == (
        "https://gitlab.x/-/atelier/enter?to=/uaa/demo/-/blob/main/notebooks/"
        "%CF%80%20%26%20co.ipynb"
    )
    assert gitlab_entry(site, "uaa/demo", "main", None).endswith("?to=/uaa/demo")


def test_a_gitlab_without_the_entrance_is_opened_at_the_file_itself() -> None:
    site = Site(
        hub_url="https://hub.x", gitlab_url="https://gitlab.x/git", gitlab_session_paths=False
    )
    address = gitlab_entry(site, "uaa/demo", "main", "a b.md")
    assert address == "https://gitlab.x/git/uaa/demo/-/blob/main/a%20b.md"
    assert gitlab_entry(site, "uaa/demo", "main", None) == "https://gitlab.x/git/uaa/demo"


@given(st.text())
@example("https://hub.mooc.example/hub/user-redirect/x")
@example("https://hub.mooc.example.evil/hub/user-redirect/x")
@example("https://hub.mooc.example@evil/hub/user-redirect/x")
@example("/hub/user-redirect//evil.example")
@example("/hub/user-redirect/..%2f..%2flogout")
@example("/hub/user-redirect/%252e%252e/logout")
@example("/hub/user-redirect/x?next=//evil")
@example("/hub/user-redirect/a b")
@example("/hub/user-redirect/lab\r\nSet-Cookie: x=y")
def test_custom_next_only_leads_below_the_learner_s_server(text: str) -> None:
    rest = local_next(text, HUB)
    if rest is None:
        return
    place = Destination("demo", "notebook", next=rest)
    address = urlsplit(HUB + notebook_path("/", "uaa", place, COURSES["demo"]))
    assert (address.scheme, address.netloc) == ("https", "hub.mooc.example")
    assert address.path.startswith("/user/uaa/demo/")
    assert ".." not in unquote(unquote(address.path)).split("/")
    assert not any(char in rest for char in "\r\n\t \\")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("/hub/user-redirect/lab/tree/a.ipynb?reset", "lab/tree/a.ipynb?reset"),
        (f"{HUB}/hub/user-redirect/lab", "lab"),
        ("https://evil.example/hub/user-redirect/lab", None),
        ("//evil.example/hub/user-redirect/lab", None),
        ("https://hub.mooc.example.evil.example/hub/user-redirect/x", None),
        ("/hub/logout", None),
        ("", None),
    ],
)
def test_custom_next(text: str, rest: str | None) -> None:
    assert local_next(text, HUB) == rest


def test_a_hub_below_a_path_is_understood() -> None:
    assert local_next("/jupyter/hub/user-redirect/lab", "https://x.example/jupyter") == "lab"


def test_the_start_file_is_where_a_launch_without_path_leads() -> None:
    started = course("demo", start_file="README.md")
    path = notebook_path("/", "uaa", Destination("demo", "notebook"), started)
    assert path == "/user/uaa/demo/lab/tree/demo/README.md"


@pytest.mark.parametrize(
    ("roles", "staff"),
    [
        ("Instructor", True),
        ("Administrator", True),
        ("urn:lti:role:ims/lis/Instructor", True),
        ("urn:lti:role:ims/lis/Instructor/Lecturer", True),
        ("Instructor/PrimaryInstructor", True),
        ("Administrator/Support", True),
        # An assistant, in LTI 1.3 a sub-role of Instructor, which comes beside it.
        ("urn:lti:role:ims/lis/Instructor/TeachingAssistant", False),
        ("Instructor,Instructor/TeachingAssistant", False),
        ("Instructor/TeachingAssistantSection,Instructor", False),
        ("Instructor,Instructor/Grader", False),
        ("Instructor,Instructor/TeachingAssistant,Instructor/Lecturer", True),
        ("Instructor,Instructor/TeachingAssistant,Administrator", True),
        ("Instructor,TeachingAssistant", True),  # both by LTI 1.1, each in its own right
        ("TeachingAssistant/Grader", False),
        # Sub-roles are those that LTI has.
        ("Learner/Instructor", False),
        ("Learner/Instructor,Learner", False),
        ("Mentor/Tutor", False),
        ("Instructor/Anything", False),
        ("Instructor/", True),
        ("Instructor/Lecturer/More", False),
        ("Learner, urn:lti:role:ims/lis/TeachingAssistant", False),
        ("TeachingAssistant/TeachingAssistantSection", False),
        ("ContentDeveloper", False),
        ("ContentDeveloper/Instructor", False),
        ("Instructor/GuestInstructor", True),
        ("urn:lti:instrole:ims/lis/Administrator", False),  # of the institution, not the course
        ("Learner", False),
        ("Student,Instructors", False),
        ("", False),
    ],
)
def test_only_roles_in_the_course_make_staff(roles: str, staff: bool) -> None:
    assert has_teacher_role(roles) is staff
