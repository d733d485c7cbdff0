"""Groups and namespaces."""

import re
from typing import Any

from sqlalchemy import func, or_, select

from gitlab_standin import access
from gitlab_standin.access import MAINTAINER, OWNER
from gitlab_standin.accounts import RESERVED, delete_namespace
from gitlab_standin.api import entities, pagination
from gitlab_standin.api.core import Call, Reply, fail, forbidden, invalid, not_found, route
from gitlab_standin.api.project_entities import PROJECT_ORDER, projects_json
from gitlab_standin.models import Member, Namespace, Project, now
from gitlab_standin.site import find_namespace

_VISIBILITY = ("private", "internal", "public")
_PATH = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_OPTIONS = {
    "share_with_group_lock": "bool",
    "require_two_factor_authentication": "bool",
    "two_factor_grace_period": "int",
    "project_creation_level": ("noone", "owner", "maintainer", "developer", "administrator"),
    "auto_devops_enabled": "bool",
    "subgroup_creation_level": ("owner", "maintainer"),
    "emails_disabled": "bool",
    "emails_enabled": "bool",
    "mentions_disabled": "bool",
    "lfs_enabled": "bool",
    "request_access_enabled": "bool",
    "default_branch": "str",
    "default_branch_protection": (0, 1, 2, 3, 4),
    "wiki_access_level": ("disabled", "private", "enabled"),
}
_BODY = {**_OPTIONS, "description": "str", "visibility": _VISIBILITY}
_LIST = {
    "order_by": ("name", "path", "id", "similarity"),
    "sort": ("asc", "desc"),
    "search": "str",
    "owned": "bool",
    "top_level_only": "bool",
    "all_available": "bool",
    "min_access_level": "int",
    "skip_groups": "list",
    "visibility": _VISIBILITY,
}


def _path_problem(path: str) -> str | None:
    if not _PATH.fullmatch(path) or path.endswith((".", ".git", ".atom")):
        return (
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end "
            "in '.', "
            "'.git' or '.atom'."
        )
    return None


@route("POST", "/groups", {**_BODY, "name": "str!", "path": "str!", "parent_id": "int"})
def create_group(call: Call) -> Any:
    """POST /groups."""
    parent = None
    if call["parent_id"] is not None:
        parent = call.session.get(Namespace, call["parent_id"])
        if parent is None or parent.kind != "group":
            not_found("Group")
        if not call.me.is_admin and access.group_level(call.session, call.me, parent) < MAINTAINER:
            forbidden()
    elif not call.me.is_admin and not call.me.can_create_group:
        forbidden()
    problem = _path_problem(call["path"])
    if problem:
        fail(400, {"path": [problem]})
    full_path = f"{parent.full_path}/{call['path']}" if parent else call["path"]
    if parent is None and call["path"].lower() in RESERVED:
        fail(400, {"path": [f"{call['path']} is a reserved name"]})
    if find_namespace(call.session, full_path) is not None and not full_path.isdigit():
        fail(400, 'Failed to save group {:path=>["has already been taken"]}')
    group = Namespace(
        kind="group",
        name=call["name"],
        path=call["path"],
        full_path=full_path,
        parent_id=parent.id if parent else None,
        parent=parent,
        visibility=call["visibility"]
        or call.site.setting(call.session, "default_group_visibility"),
        description=call["description"] or "",
        options={k: call[k] for k in _OPTIONS if call[k] is not None},
    )
    call.session.add(group)
    call.session.flush()
    call.session.add(
        Member(
            source_type="Namespace",
            source_id=group.id,
            user_id=call.me.id,
            access_level=OWNER,
            created_by_id=call.me.id,
        )
    )
    return entities.group(call.site, group)


def _list(call: Call, parent: Namespace | None = None) -> Reply:
    query = select(Namespace).where(Namespace.kind == "group")
    if parent is not None:
        query = query.where(Namespace.parent_id == parent.id)
    elif call["top_level_only"]:
        query = query.where(Namespace.parent_id.is_(None))
    if call["search"]:
        text = call["search"].lower()
        query = query.where(
            or_(
                func.lower(Namespace.name).contains(text, autoescape=True),
                Namespace.full_path_key.contains(text, autoescape=True),
            )
        )
    if call["visibility"]:
        query = query.where(Namespace.visibility == call["visibility"])
    if call["skip_groups"]:
        query = query.where(Namespace.id.not_in([int(i) for i in call["skip_groups"]]))
    column = getattr(Namespace, (call["order_by"] or "name").replace("similarity", "name"))
    descending = call["sort"] == "desc"
    query = query.order_by(column.desc() if descending else column, Namespace.id)
    groups = list(call.session.scalars(query))
    level = OWNER if call["owned"] else call["min_access_level"] or 0
    if level and call.user is not None:
        user = call.user
        groups = [g for g in groups if access.group_level(call.session, user, g) >= level]
    shown = [g for g in groups if access.group_visible(call.session, call.user, g)]
    return pagination.of_list(call, shown, lambda g: entities.group(call.site, g))


@route("GET", "/groups", _LIST, anonymous=True)
def list_groups(call: Call) -> Any:
    """GET /groups."""
    return _list(call)


@route("GET", "/groups/:id/subgroups", _LIST, anonymous=True)
def list_subgroups(call: Call) -> Any:
    """GET /groups/:id/subgroups."""
    return _list(call, call.group())


@route("GET", "/groups/:id", {"with_projects": "bool"}, anonymous=True)
def get_group(call: Call) -> Any:
    """GET /groups/:id."""
    group = call.group()
    detail = {
        **entities.group(call.site, group),
        "shared_with_groups": [],
        "prevent_sharing_groups_outside_hierarchy": False,
        "enabled_git_access_protocol": None,
    }
    if call["with_projects"] is not False:
        query = select(Project).where(Project.namespace_id == group.id).order_by(Project.id.desc())
        rows = [
            p for p in call.session.scalars(query) if access.visible(call.session, call.user, p)
        ]
        detail["projects"] = projects_json(call.site, call.session, call.user, rows)
        detail["shared_projects"] = []
    return detail


@route("PUT", "/groups/:id", {**_BODY, "name": "str", "path": "str"})
def update_group(call: Call) -> Any:
    """PUT /groups/:id."""
    group = call.group(OWNER)
    if call["path"] and call["path"] != group.path:
        problem = _path_problem(call["path"])
        if problem:
            fail(400, {"path": [problem]})
        base = f"{group.parent.full_path}/" if group.parent else ""
        if find_namespace(call.session, base + call["path"]) is not None:
            fail(400, {"path": ["has already been taken"]})
        group.path = call["path"]
        _move(call, group, base + call["path"])
    if call["name"]:
        group.name = call["name"]
    if "description" in call:
        group.description = call["description"] or ""
    if call["visibility"]:
        group.visibility = call["visibility"]
    group.options = {**group.options, **{k: call[k] for k in _OPTIONS if call[k] is not None}}
    call.session.flush()
    return entities.group(call.site, group)


def _move(call: Call, group: Namespace, full_path: str) -> None:
    group.full_path, group.full_path_key = full_path, full_path.lower()
    for project in call.session.scalars(select(Project).where(Project.namespace_id == group.id)):
        project.full_path_key = f"{full_path}/{project.path}".lower()
    for child in call.session.scalars(select(Namespace).where(Namespace.parent_id == group.id)):
        _move(call, child, f"{full_path}/{child.path}")


@route("DELETE", "/groups/:id", {"permanently_remove": "bool", "full_path": "str"})
def delete_group(call: Call) -> Any:
    """DELETE /groups/:id: marks it, removes it for good the second time."""
    group = call.group(OWNER)
    if call["permanently_remove"]:
        if group.marked_for_deletion_on is None:
            fail(400, "Group must be marked for deletion first.")
        if call["full_path"] != group.full_path:
            fail(400, "`full_path` is incorrect. You must enter the complete path for the group.")
        delete_namespace(call.site, call.session, group)
    else:
        group.marked_for_deletion_on = now().date()
    return Reply(202, {"message": "202 Accepted"})


@route(
    "GET",
    "/groups/:id/projects",
    {
        "order_by": PROJECT_ORDER,
        "sort": ("asc", "desc"),
        "visibility": _VISIBILITY,
        "search": "str",
        "simple": "bool",
        "owned": "bool",
        "include_subgroups": "bool",
        "archived": "bool",
        "with_shared": "bool",
        "min_access_level": "int",
    },
    anonymous=True,
)  # fmt: skip
def group_projects(call: Call) -> Any:
    """GET /groups/:id/projects."""
    group = call.group()
    ids = [group.id]
    if call["include_subgroups"]:
        prefix = group.full_path_key + "/"
        below = select(Namespace.id).where(
            Namespace.kind == "group", Namespace.full_path_key.startswith(prefix, autoescape=True)
        )
        ids += list(call.session.scalars(below))
    query = select(Project).where(Project.namespace_id.in_(ids))
    condition = access.visible_projects(call.user)
    if condition is not None:
        query = query.where(condition)
    if call["visibility"]:
        query = query.where(Project.visibility == call["visibility"])
    if call["archived"] is not None:
        query = query.where(Project.archived.is_(call["archived"]))
    if call["search"]:
        query = query.where(Project.name.icontains(call["search"], autoescape=True))
    names = {"similarity": "created_at", "star_count": "id"}
    order = call["order_by"] or "created_at"
    column = getattr(Project, names.get(order, order))
    query = query.order_by(column if call["sort"] == "asc" else column.desc(), Project.id.desc())
    simple = bool(call["simple"])
    return pagination.of_query(
        call,
        query,
        lambda rows: projects_json(call.site, call.session, call.user, rows, simple=simple),
    )


@route("GET", "/namespaces", {"search": "str", "owned_only": "bool"})
def list_namespaces(call: Call) -> Any:
    """GET /namespaces."""
    query = select(Namespace).order_by(Namespace.id)
    if not call.admin or call["owned_only"]:
        mine = select(Member.source_id).where(
            Member.user_id == call.me.id, Member.source_type == "Namespace"
        )
        query = query.where(or_(Namespace.owner_id == call.me.id, Namespace.id.in_(mine)))
    if call["search"]:
        query = query.where(
            Namespace.full_path_key.contains(call["search"].lower(), autoescape=True)
        )
    return pagination.of_query(
        call, query, lambda rows: [entities.namespace_basic(call.site, n) for n in rows]
    )


@route("GET", "/namespaces/:id")
def get_namespace(call: Call) -> Any:
    """GET /namespaces/:id."""
    namespace = find_namespace(call.session, call.route["id"])
    mine = namespace is not None and access.group_level(call.session, call.me, namespace) > 0
    if namespace is None or not (call.admin or mine):
        not_found("Namespace")
    return entities.namespace_basic(call.site, namespace)


@route("GET", "/namespaces/:id/exists", {"parent_id": "int"})
def namespace_exists(call: Call) -> Any:
    """GET /namespaces/:id/exists."""
    name = call.route["id"]
    if not name:
        invalid("id is empty")
    taken = call.session.scalar(
        select(Namespace.id).where(
            Namespace.full_path_key.endswith(name.lower(), autoescape=True),
            func.lower(Namespace.path) == name.lower(),
            Namespace.parent_id.is_(None)
            if call["parent_id"] is None
            else Namespace.parent_id == call["parent_id"],
        )
    )
    return {"exists": taken is not None, "suggests": [f"{name}1"] if taken is not None else []}
