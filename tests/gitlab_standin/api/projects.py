"""Projects."""

from typing import Any

from sqlalchemy import func, or_, select

from gitlab_standin import access
from gitlab_standin.access import DEVELOPER, MAINTAINER, OWNER
from gitlab_standin.accounts import delete_project
from gitlab_standin.api import pagination
from gitlab_standin.api.core import Call, Reply, fail, forbidden, invalid, not_found, route
from gitlab_standin.api.project_entities import (
    OPTIONS,
    PROJECT_ORDER,
    project_json,
    project_with_access,
    projects_json,
)
from gitlab_standin.git.writing import Action, Person, commit_actions
from gitlab_standin.models import Namespace, Project, User, now
from gitlab_standin.projects import (
    PATH,
    VISIBILITY,
    ProjectError,
    new_project,
    note_readme,
    path_from_name,
)
from gitlab_standin.site import find_user, protect_default_branch

_KINDS: dict[type, Any] = {bool: "bool", int: "int", str: "str", type(None): "str"}
_OPTIONS: dict[str, Any] = {
    name: ("disabled", "private", "enabled", "public")
    if name.endswith("_access_level")
    else _KINDS[type(value)]
    for name, value in OPTIONS.items()
}
_OPTIONS["merge_method"] = ("ff", "rebase_merge", "merge")
_BODY: dict[str, Any] = {
    **_OPTIONS,
    "name": "str",
    "path": "str",
    "default_branch": "str",
    "description": "str",
    "visibility": VISIBILITY,
    "topics": "list",
    "tag_list": "list",
}
_LIST: dict[str, Any] = {
    "order_by": PROJECT_ORDER,
    "sort": ("asc", "desc"),
    "visibility": VISIBILITY,
    "search": "str",
    "search_namespaces": "bool",
    "id_after": "int",
    "id_before": "int",
    "archived": "bool",
    "owned": "bool",
    "membership": "bool",
    "simple": "bool",
    "starred": "bool",
    "statistics": "bool",
    "min_access_level": "int",
    "topic": "list",
    "active": "bool",
}  # fmt: skip


def listing(call: Call, condition: Any = None) -> Reply:
    """A page of projects the caller sees, filtered and sorted as asked."""
    query = select(Project)
    seen = access.visible_projects(call.user)
    for part in (condition, seen):
        if part is not None:
            query = query.where(part)
    if call.user is not None and call["membership"]:
        query = query.where(access.member_projects(call.user))
    if call.user is not None and call["owned"]:
        query = query.where(access.owned_projects(call.user))
    if call["starred"]:
        query = query.where(Project.id < 0)  # nobody can star here
    if call["visibility"]:
        query = query.where(Project.visibility == call["visibility"])
    if call["archived"] is not None:
        query = query.where(Project.archived.is_(call["archived"]))
    if call["id_after"] is not None:
        query = query.where(Project.id > call["id_after"])
    if call["id_before"] is not None:
        query = query.where(Project.id < call["id_before"])
    if call["search"]:
        text = call["search"].lower()
        found = [
            func.lower(Project.name).contains(text, autoescape=True),
            func.lower(Project.path).contains(text, autoescape=True),
            func.lower(Project.description).contains(text, autoescape=True),
        ]
        if call["search_namespaces"]:
            found.append(Project.full_path_key.contains(text, autoescape=True))
        query = query.where(or_(*found))
    order = {"similarity": "created_at", "star_count": "id"}.get(
        call["order_by"] or "", call["order_by"]
    )
    column = getattr(Project, order or "created_at")
    query = query.order_by(column if call["sort"] == "asc" else column.desc(), Project.id.desc())
    if call["min_access_level"] and call.user is not None:
        user, level = call.user, call["min_access_level"]
        rows = [
            p
            for p in call.session.scalars(query)
            if access.project_level(call.session, user, p) >= level
        ]
        shown = projects_json(call.site, call.session, user, rows, simple=bool(call["simple"]))
        return pagination.of_list(call, shown, lambda item: item)
    simple = bool(call["simple"])
    return pagination.of_query(
        call,
        query,
        lambda rows: projects_json(call.site, call.session, call.user, rows, simple=simple),
        key=Project.id,
        keyset_name="id_after",
    )


@route("GET", "/projects", _LIST, anonymous=True)
def list_projects(call: Call) -> Any:
    """GET /projects."""
    return listing(call)


@route("GET", "/users/:user_id/projects", _LIST, anonymous=True)
def user_projects(call: Call) -> Any:
    """GET /users/:user_id/projects."""
    user = find_user(call.session, call.route["user_id"])
    if user is None:
        not_found("User")
    return listing(call, Project.namespace_id == user.namespace_id)


@route("GET", "/projects/:id/forks", _LIST, anonymous=True)
def list_forks(call: Call) -> Any:
    """GET /projects/:id/forks."""
    return listing(call, Project.forked_from_id == call.project().id)


def _namespace_for(call: Call, owner: User) -> Namespace:
    if call["namespace_id"] is None:
        return owner.namespace
    namespace = call.session.get(Namespace, call["namespace_id"])
    if namespace is None:
        fail(400, {"namespace": ["is not valid"]})
    level = access.group_level(call.session, call.me, namespace)
    needed = {"owner": OWNER, "maintainer": MAINTAINER, "noone": 100, "administrator": 100}
    required = needed.get(namespace.options.get("project_creation_level", ""), DEVELOPER)
    if not call.me.is_admin and level < required:
        fail(400, {"namespace": ["is not valid"]})
    return namespace


def _create(call: Call, owner: User) -> Any:
    if not call["name"] and not call["path"]:
        invalid("name, path are missing, at least one parameter must be provided")
    namespace = _namespace_for(call, owner)
    name = call["name"] or call["path"]
    settings = call.site.settings(call.session)
    wanted = call["visibility"] or settings["default_project_visibility"]
    if not call["visibility"] and namespace.kind == "group":
        wanted = min(wanted, namespace.visibility, key=VISIBILITY.index)
    try:
        project = new_project(
            call.session,
            namespace=namespace,
            creator=owner,
            name=name,
            path=call["path"] or path_from_name(name),
            visibility=wanted,
            description=call["description"],
        )
    except ProjectError as error:
        fail(400, error.errors)
    features = {f"{k}_enabled": v for k, v in call.site.config.project_features.items() if not v}
    _set_options(call, project, features)
    repository = call.site.repository(project.id)
    branch = call["default_branch"] or settings["default_branch_name"] or "main"
    repository.create(branch)
    if call["initialize_with_readme"]:
        person = Person(call.me.name, call.me.email)
        content = f"# {name}\n\n{call['description'] or ''}".rstrip() + "\n"
        commit_actions(
            repository,
            branch=branch,
            base=None,
            old=None,
            actions=[Action("create", "README.md", content.encode())],
            message="Initial commit",
            author=person,
            committer=person,
        )
        project.default_branch = branch
        protect_default_branch(call.site, call.session, project)
        note_readme(call.site, project)
    call.session.flush()
    return project_json(call.site, call.session, call.user, project)


def _set_options(call: Call, project: Project, more: dict[str, Any]) -> None:
    given = {k: call[k] for k in _OPTIONS if k in call}
    topics = call["topics"] if "topics" in call else call["tag_list"]
    if topics is not None:
        given["topics"] = topics
    project.options = {
        **project.options,
        **{k: v for k, v in more.items() if k in OPTIONS},
        **given,
    }


_CREATE = {**_BODY, "namespace_id": "int", "initialize_with_readme": "bool", "import_url": "str"}


@route("POST", "/projects", _CREATE)
def create_project(call: Call) -> Any:
    """POST /projects."""
    if call["import_url"]:
        fail(403, "403 Forbidden - Repository by URL import is disabled")
    return _create(call, call.me)


@route("POST", "/projects/user/:user_id", {**_CREATE, "name": "str!"})
def create_project_for(call: Call) -> Any:
    """POST /projects/user/:user_id."""
    call.require_admin()
    return _create(call, call.some_user("user_id"))


@route("GET", "/projects/:id", {"statistics": "bool", "license": "bool"}, anonymous=True)
def get_project(call: Call) -> Any:
    """GET /projects/:id."""
    project = call.project()
    shown = project_with_access(call.site, call.session, call.user, project)
    if call["statistics"] and access.administers(call.session, call.user, project, 20):
        repository = call.site.repository(project.id)
        size = sum(f.stat().st_size for f in repository.path.rglob("*") if f.is_file())
        commits = repository.count(project.default_branch) if project.default_branch else 0
        others = (
            "wiki_size",
            "lfs_objects_size",
            "job_artifacts_size",
            "packages_size",
            "snippets_size",
        )
        shown["statistics"] = {
            "commit_count": commits,
            "storage_size": size,
            "repository_size": size,
            **dict.fromkeys(others, 0),
        }
    return shown


@route("PUT", "/projects/:id", _BODY)
def update_project(call: Call) -> Any:
    """PUT /projects/:id."""
    project = call.project(MAINTAINER)
    if not any(name in call for name in _BODY):
        invalid("at least one parameter must be provided")
    if call["path"] and call["path"] != project.path:
        if not PATH.fullmatch(call["path"]):
            fail(400, {"path": ["is invalid"]})
        key = f"{project.namespace.full_path}/{call['path']}".lower()
        if call.session.scalar(select(Project.id).where(Project.full_path_key == key)) is not None:
            fail(400, {"path": ["has already been taken"]})
        project.path, project.full_path_key = call["path"], key
    if call["name"]:
        project.name = call["name"]
    if "description" in call:
        project.description = call["description"]
    if call["visibility"] and call["visibility"] != project.visibility:
        if not access.administers(call.session, call.me, project, OWNER):
            forbidden()
        group = project.namespace
        if group.kind == "group" and VISIBILITY.index(call["visibility"]) > VISIBILITY.index(
            group.visibility
        ):
            text = f"{call['visibility']} is not allowed in a {group.visibility} group."
            fail(400, {"visibility_level": [text]})
        project.visibility = call["visibility"]
    if call["default_branch"] and call["default_branch"] != project.default_branch:
        repository = call.site.repository(project.id)
        if call["default_branch"] not in repository.refs():
            fail(
                400,
                {
                    "base": [
                        f"Could not change HEAD: branch '{call['default_branch']}' does not exist"
                    ]
                },
            )
        repository.set_head(call["default_branch"])
        project.default_branch = call["default_branch"]
    _set_options(call, project, {})
    project.updated_at = now()
    call.session.flush()
    return project_json(call.site, call.session, call.user, project)


@route("POST", "/projects/:id/archive")
def archive_project(call: Call) -> Any:
    """POST /projects/:id/archive."""
    project = call.project(OWNER)
    project.archived = True
    return project_json(call.site, call.session, call.user, project)


@route("POST", "/projects/:id/unarchive")
def unarchive_project(call: Call) -> Any:
    """POST /projects/:id/unarchive."""
    project = call.project(OWNER)
    project.archived = False
    return project_json(call.site, call.session, call.user, project)


@route("POST", "/projects/:id/restore")
def restore_project(call: Call) -> Any:
    """POST /projects/:id/restore."""
    project = call.project(OWNER)
    if project.marked_for_deletion_on is None:
        fail(400, "Project has not been marked for deletion")
    suffix = f"-deletion_scheduled-{project.id}"
    path = project.path.removesuffix(suffix)
    key = f"{project.namespace.full_path}/{path}".lower()
    if call.session.scalar(select(Project.id).where(Project.full_path_key == key)) is not None:
        fail(400, "Path has already been taken")
    project.path, project.name, project.full_path_key = path, project.name.removesuffix(suffix), key
    project.archived, project.marked_for_deletion_on = False, None
    return project_json(call.site, call.session, call.user, project)


@route("DELETE", "/projects/:id", {"permanently_remove": "bool", "full_path": "str"})
def remove_project(call: Call) -> Any:
    """DELETE /projects/:id: schedules; with ``permanently_remove`` purges what was scheduled."""
    project = call.project(OWNER)
    if call["permanently_remove"]:
        if project.marked_for_deletion_on is None:
            fail(400, "Project must be marked for deletion first.")
        if call["full_path"] != project.full_path:
            fail(400, "`full_path` is incorrect. You must enter the complete path for the project.")
        delete_project(call.site, call.session, project)
    else:
        if project.marked_for_deletion_on is not None:
            fail(400, "Project has already been marked for deletion")
        suffix = f"-deletion_scheduled-{project.id}"
        project.name += suffix
        project.path += suffix
        project.full_path_key = project.full_path.lower()
        project.archived, project.marked_for_deletion_on = True, now().date()
    return Reply(202, {"message": "202 Accepted"})
