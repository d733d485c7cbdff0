"""Forks."""

from typing import Any

from gitlab_standin import access
from gitlab_standin.access import DEVELOPER, OWNER, REPORTER
from gitlab_standin.api.core import Call, Reply, fail, not_found, route
from gitlab_standin.api.entities import moment
from gitlab_standin.api.project_entities import project_json
from gitlab_standin.database import afterwards
from gitlab_standin.models import Namespace, Project
from gitlab_standin.projects import VISIBILITY, ProjectError, lowest, new_project
from gitlab_standin.site import find_namespace, find_project

_LABELS = {
    "path": "Path",
    "name": "Name",
    "limit_reached": "Limit reached",
    "visibility_level": "Visibility level",
}


def _may_fork(call: Call, source: Project) -> bool:
    if source.options.get("forking_access_level", "enabled") == "disabled":
        return False
    if call.me.is_admin or access.project_level(call.session, call.me, source) >= REPORTER:
        return True
    return source.visibility == "public" or (
        source.visibility == "internal" and not call.me.external
    )


def _target(call: Call) -> Namespace:
    wanted = call["namespace_id"] or call["namespace_path"] or call["namespace"]
    if wanted is None:
        return call.me.namespace
    namespace = find_namespace(call.session, str(wanted))
    if namespace is None:
        not_found("Target Namespace")
    level = access.group_level(call.session, call.me, namespace)
    if not call.me.is_admin and level < (OWNER if namespace.kind == "user" else DEVELOPER):
        not_found("Target Namespace")
    return namespace


@route(
    "POST",
    "/projects/:id/fork",
    {
        "namespace": "str",
        "namespace_id": "int",
        "namespace_path": "str",
        "path": "str",
        "name": "str",
        "description": "str",
        "visibility": VISIBILITY,
        "mr_default_target_self": "bool",
        "branches": "str",
    },
)
def fork_project(call: Call) -> Any:
    """POST /projects/:id/fork: answers before the copy is made."""
    source = call.project()
    if not _may_fork(call, source):
        not_found()
    namespace = _target(call)
    if call["branches"] and call["branches"] not in call.site.repository(source.id).refs():
        not_found("Source Branch")
    bounds = [source.visibility]
    if namespace.kind == "group":
        bounds.append(namespace.visibility)
    try:
        fork = new_project(
            call.session,
            namespace=namespace,
            creator=call.me,
            name=call["name"] or source.name,
            path=call["path"] or source.path,
            visibility=lowest(call["visibility"] or source.visibility, *bounds),
            description=call.params.get("description", source.description),
        )
    except ProjectError as error:
        messages = [
            f"{_LABELS[field]} {text}" for field, texts in error.errors.items() for text in texts
        ]
        fail(409, sorted(messages))
    fork.forked_from_id = source.id
    fork.import_branch = call["branches"]
    fork.options = {"topics": source.options.get("topics", [])}
    if call["mr_default_target_self"] is not None:
        fork.options = {**fork.options, "mr_default_target_self": call["mr_default_target_self"]}
    fork.import_status = "scheduled"
    call.session.flush()
    afterwards(call.session, call.site.import_scheduled)
    return project_json(call.site, call.session, call.user, fork)


@route("GET", "/projects/:id/import")
def import_status(call: Call) -> Any:
    """GET /projects/:id/import."""
    project = call.project()
    return {
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": project.full_name,
        "path": project.path,
        "path_with_namespace": project.full_path,
        "created_at": moment(project.created_at),
        "import_status": project.import_status,
        "import_type": None,
        "correlation_id": None,
        "failed_relations": [],
        "import_error": project.import_error,
        "stats": None,
    }


@route("POST", "/projects/:id/fork/:forked_from_id")
def relate_fork(call: Call) -> Any:
    """POST /projects/:id/fork/:forked_from_id."""
    project = call.project(OWNER)
    source = find_project(call.session, call.route["forked_from_id"])
    if source is None or not access.visible(call.session, call.user, source):
        not_found("Source Project")
    if project.forked_from_id is not None:
        fail(409, "Project already forked")
    if project.id == source.id:
        fail(400, "400 Bad request")
    project.forked_from_id = source.id
    call.session.flush()
    return project_json(call.site, call.session, call.user, project)


@route("DELETE", "/projects/:id/fork")
def unrelate_fork(call: Call) -> Any:
    """DELETE /projects/:id/fork."""
    project = call.project(OWNER)
    if project.forked_from_id is None:
        return Reply(304)
    project.forked_from_id = None
    return None
