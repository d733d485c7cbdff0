"""A learner's server asks the desk for a check, as the toolbar's panel does."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from kit.gitlab_beside import GitLabBeside
from kit.grade_service import GradeService
from kit.platform11 import Visitor
from kit.site import Site, until

from .test_check import EXPECTED, course, put

__all__ = ["course"]
"""The fixture of a course with exercises."""


@pytest.fixture
def site(course: GitLabBeside) -> Site:
    return course.site


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as one:
        yield one


def server_token(visitor: Visitor) -> str:
    """The token the hub gave to a learner's server, as that server sees it."""
    told = visitor.get(f"/user/{visitor.username}/demo/environment").json()
    token: str = told["JUPYTERHUB_API_TOKEN"]
    return token


def ask(
    address: str, token: str, transport: httpx.HTTPTransport | None = None, **values: Any
) -> httpx.Response:
    with httpx.Client(trust_env=False, transport=transport, timeout=60) as server:
        return server.post(
            f"{address}/checks",
            json={"course": "demo", "path": "pi.md", "language": "en", **values},
            headers={"Authorization": f"token {token}"},
        )


def checked(site: Site, token: str) -> httpx.Response:
    """The answer to a check, once the learner's space is there."""
    answer: httpx.Response = until(
        lambda: answer if (answer := ask(site.desk_api, token)).is_success else None,
        "the space is there",
    )
    return answer


def test_a_notebook_checks_what_was_saved_and_the_platform_gets_the_grade(
    course: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    grades = GradeService(site.consumer_secret)
    grades.start()
    try:
        visitor.launch(target="check", exercise="pi", outcome_url=grades.address)
        visitor.launch()
        token = server_token(visitor)
        put(course, f"{visitor.username}/demo", "pi.md", EXPECTED.replace("3.1416", "3.15"))
        first = ask(site.desk_api, token)
        assert first.status_code == 200, first.text
        assert first.json()["verdict"] != "expected"
        assert [part["state"] for part in first.json()["parts"]] == ["changed"]
        put(course, f"{visitor.username}/demo", "pi.md", EXPECTED)
        second = ask(site.desk_api, token).json()
        head = course.api.projects.get(f"{visitor.username}/demo").commits.list(get_all=False)[0]
        assert (second["verdict"], second["parts"], second["commit"]) == ("expected", [], head.id)
        assert second["grade"]["state"] in ("owed", "sent")
        until(lambda: grades.book.score(visitor.user_id, "pi") == 1, "the platform has the grade")
        # The link leads to the same result.
        page = visitor.follow(visitor.get(second["page"]))
        assert head.id[:8] in page.text
    finally:
        grades.stop()


def test_a_token_that_was_carried_elsewhere_checks_nothing(site: Site, visitor: Visitor) -> None:
    visitor.launch()
    token = server_token(visitor)
    assert ask(site.desk_api, "nonsense").status_code == 403
    assert ask(f"{site.hub_url}/services/desk/api", token).status_code == 403
    elsewhere = ask(site.desk_api, token, httpx.HTTPTransport(local_address="127.0.0.2"))
    assert elsewhere.status_code == 403
    assert "elsewhere" in elsewhere.json()["reason"]
    assert ask(site.desk_api, token, course="other").status_code == 403
    assert f"user={visitor.username} course=demo exercise" not in site.log("desk")
    assert checked(site, token).status_code == 200


def test_a_teachers_notebook_shows_what_learners_see(course: GitLabBeside, site: Site) -> None:
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as teacher:
        teacher.launch(locale="en", key="trusted", roles="Instructor")
        answer = checked(site, server_token(teacher))
        assert "rational" not in answer.text
        assert ask(site.desk_api, server_token(teacher), path="other.md").status_code == 404
    del course
