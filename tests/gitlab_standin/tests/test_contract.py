"""The table of entities, and what the checker does with it."""

import pytest
from gitlab_standin.api import all_operations  # noqa: F401  (registers them)
from gitlab_standin.api.core import ROUTES
from gitlab_standin.contract import entity_of, unknown_fields

# Answers without a body, with a bare value, a file, or GitLab's own odd shape.
WITHOUT_ENTITY = {"raw", "archive", "archive.zip", "archive.tar.gz", "block", "unblock", "approve"}
WITHOUT_ENTITY |= {"activate", "deactivate"}


def test_a_field_that_gitlab_lacks_is_found_wherever_it_is() -> None:
    user = {"id": 1, "shoe_size": 42}
    assert unknown_fields("UserBasic", user) == ["UserBasic.shoe_size"]
    merge_request = {"author": user, "assignees": [user], "user": {"can_merge": True, "may": 1}}
    assert unknown_fields("MergeRequest", merge_request) == [
        "MergeRequest.author.shoe_size",
        "MergeRequest.assignees.shoe_size",
        "MergeRequest.user.may",
    ]


@pytest.mark.parametrize(
    ("method", "path", "entity"),
    [
        ("GET", "/users/3/impersonation_tokens", "ImpersonationToken"),
        ("GET", "/projects/3/repository/files/a%2Fb", "File"),
        ("GET", "/groups/3/members/all", "Member"),
        ("GET", "/projects/3/repository/branches/a/b", "Branch"),
        ("GET", "/nowhere", None),
    ],
)
def test_an_operation_is_found_by_its_address(method: str, path: str, entity: str | None) -> None:
    assert entity_of(method, path) == entity


def test_every_operation_is_in_the_table() -> None:
    missing = [
        f"{route.method} /{'/'.join(route.segments)}"
        for route in ROUTES
        if route.method != "DELETE"
        and route.segments[-1] not in WITHOUT_ENTITY
        and entity_of(route.method, "/".join(route.segments)) is None
    ]
    assert missing == []
