"""Protected branches."""

from typing import Any

from sqlalchemy import select

from gitlab_standin import access
from gitlab_standin.access import MAINTAINER
from gitlab_standin.api import pagination
from gitlab_standin.api.core import Call, fail, not_found, route
from gitlab_standin.models import ProtectedBranch

_LEVELS = (0, 30, 40, 60)
_NAMES = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers", 60: "Instance admins"}


def _rule(row: ProtectedBranch) -> dict[str, Any]:
    def level(number: int, offset: int) -> dict[str, Any]:
        return {
            "id": row.id * 2 + offset,
            "access_level": number,
            "access_level_description": _NAMES.get(number, "Maintainers"),
            "deploy_key_id": None,
            "user_id": None,
            "group_id": None,
        }

    return {
        "id": row.id,
        "name": row.name,
        "push_access_levels": [level(row.push_level, 0)],
        "merge_access_levels": [level(row.merge_level, 1)],
        "allow_force_push": row.allow_force_push,
        "unprotect_access_levels": [],
        "code_owner_approval_required": False,
        "inherited": False,
    }


def _find(call: Call) -> ProtectedBranch:
    project = call.project(MAINTAINER)
    row = call.session.scalar(
        select(ProtectedBranch).where(
            ProtectedBranch.project_id == project.id, ProtectedBranch.name == call.route["name"]
        )
    )
    if row is None:
        not_found()
    return row


@route("GET", "/projects/:id/protected_branches", {"search": "str"})
def list_protected(call: Call) -> Any:
    """GET /projects/:id/protected_branches."""
    rows = access.protections(call.session, call.project(MAINTAINER))
    if call["search"]:
        rows = [row for row in rows if call["search"].lower() in row.name.lower()]
    return pagination.of_list(call, rows, _rule)


@route(
    "POST",
    "/projects/:id/protected_branches",
    {
        "name": "str!",
        "push_access_level": _LEVELS,
        "merge_access_level": _LEVELS,
        "unprotect_access_level": (30, 40, 60),
        "allow_force_push": "bool",
        "code_owner_approval_required": "bool",
    },
)
def protect(call: Call) -> Any:
    """POST /projects/:id/protected_branches."""
    project = call.project(MAINTAINER)
    present = select(ProtectedBranch.id).where(
        ProtectedBranch.project_id == project.id, ProtectedBranch.name == call["name"]
    )
    if call.session.scalar(present) is not None:
        fail(409, f"Protected branch '{call['name']}' already exists")
    if not call["name"].strip():
        fail(422, ["Name can't be blank"])
    push, merge = call["push_access_level"], call["merge_access_level"]
    row = ProtectedBranch(
        project_id=project.id,
        name=call["name"],
        push_level=MAINTAINER if push is None else push,
        merge_level=MAINTAINER if merge is None else merge,
        allow_force_push=bool(call["allow_force_push"]),
    )
    call.session.add(row)
    call.session.flush()
    return _rule(row)


@route("GET", "/projects/:id/protected_branches/*name")
def get_protected(call: Call) -> Any:
    """GET /projects/:id/protected_branches/:name."""
    return _rule(_find(call))


@route(
    "PATCH",
    "/projects/:id/protected_branches/*name",
    {
        "allow_force_push": "bool",
        "code_owner_approval_required": "bool",
        "allowed_to_push": "list",
        "allowed_to_merge": "list",
    },
)
def update_protected(call: Call) -> Any:
    """PATCH /projects/:id/protected_branches/:name."""
    row = _find(call)
    if call["allow_force_push"] is not None:
        row.allow_force_push = call["allow_force_push"]
    for name, column in (("allowed_to_push", "push_level"), ("allowed_to_merge", "merge_level")):
        for entry in call[name] or []:
            level = entry.get("access_level") if isinstance(entry, dict) else None
            if level not in _LEVELS:
                fail(422, ["Access level is not included in the list"])
            if not entry.get("_destroy"):
                setattr(row, column, level)
    return _rule(row)


@route("DELETE", "/projects/:id/protected_branches/*name")
def unprotect(call: Call) -> Any:
    """DELETE /projects/:id/protected_branches/:name."""
    call.session.delete(_find(call))
