"""Merge requests: create, list, edit, merge."""

from typing import Any

from sqlalchemy import Select, func, or_, select

from gitlab_standin import access
from gitlab_standin.access import DEVELOPER, OWNER
from gitlab_standin.api import pagination
from gitlab_standin.api.core import Call, fail, forbidden, invalid, not_found, route
from gitlab_standin.api.merge_request_entities import merge_request, merge_requests
from gitlab_standin.git.writing import ChangeError
from gitlab_standin.merging import MergeError, mergeable, perform
from gitlab_standin.models import MergeRequest, Project, now
from gitlab_standin.pushes import after_change, store_head

_FILTERS: dict[str, Any] = {
    "state": ("opened", "closed", "locked", "merged", "all"),
    "order_by": ("created_at", "title", "updated_at", "merged_at"),
    "sort": ("asc", "desc"),
    "scope": (
        "created-by-me",
        "assigned-to-me",
        "created_by_me",
        "assigned_to_me",
        "reviews_for_me",
        "all",
    ),
    "author_id": "int",
    "author_username": "str",
    "source_branch": "str",
    "target_branch": "str",
    "source_project_id": "int",
    "search": "str",
    "labels": "list",
    "iids": "list",
    "created_after": "datetime",
    "created_before": "datetime",
    "updated_after": "datetime",
    "updated_before": "datetime",
    "view": ("simple",),
}
_BODY: dict[str, Any] = {
    "description": "str",
    "labels": "list",
    "assignee_id": "int",
    "assignee_ids": "list",
    "reviewer_ids": "list",
    "milestone_id": "int",
    "remove_source_branch": "bool",
    "allow_collaboration": "bool",
    "squash": "bool",
}
_KEPT = ("labels", "remove_source_branch", "allow_collaboration", "squash")


def _filtered(call: Call, query: Select[Any]) -> Select[Any]:
    if call["state"] not in {None, "all"}:
        query = query.where(MergeRequest.state == call["state"])
    for name in ("author_id", "source_branch", "target_branch", "source_project_id"):
        if call[name] is not None:
            query = query.where(getattr(MergeRequest, name) == call[name])
    for name, column in (
        ("created", MergeRequest.created_at),
        ("updated", MergeRequest.updated_at),
    ):
        if call[f"{name}_after"]:
            query = query.where(column >= call[f"{name}_after"])
        if call[f"{name}_before"]:
            query = query.where(column <= call[f"{name}_before"])
    if call["iids"]:
        query = query.where(MergeRequest.iid.in_([int(i) for i in call["iids"]]))
    if call["search"]:
        text = call["search"]
        query = query.where(
            or_(
                MergeRequest.title.icontains(text, autoescape=True),
                MergeRequest.description.icontains(text, autoescape=True),
            )
        )
    column = getattr(MergeRequest, call["order_by"] or "created_at")
    return query.order_by(
        column if call["sort"] == "asc" else column.desc(), MergeRequest.id.desc()
    )


def _page(call: Call, query: Select[Any]) -> Any:
    return pagination.of_query(
        call, _filtered(call, query), lambda rows: merge_requests(call.site, call.session, rows)
    )


@route("GET", "/merge_requests", _FILTERS)
def list_all(call: Call) -> Any:
    """GET /merge_requests: one's own, unless ``scope=all``."""
    query = select(MergeRequest)
    scope = (call["scope"] or "created_by_me").replace("-", "_")
    if scope == "created_by_me":
        query = query.where(MergeRequest.author_id == call.me.id)
    elif scope != "all":
        query = query.where(MergeRequest.id < 0)  # nobody is assigned here
    condition = access.visible_projects(call.user)
    if condition is not None:
        query = query.where(MergeRequest.project_id.in_(select(Project.id).where(condition)))
    return _page(call, query)


@route("GET", "/projects/:id/merge_requests", _FILTERS, anonymous=True)
def list_of_project(call: Call) -> Any:
    """GET /projects/:id/merge_requests."""
    project = call.code_project()
    return _page(call, select(MergeRequest).where(MergeRequest.project_id == project.id))


def _find(call: Call) -> MergeRequest:
    project = call.code_project()
    wanted = call.route["iid"]
    row = None
    if wanted.isdigit():
        row = call.session.scalar(
            select(MergeRequest).where(
                MergeRequest.project_id == project.id, MergeRequest.iid == int(wanted)
            )
        )
    if row is None:
        not_found()
    return row


@route("GET", "/projects/:id/merge_requests/:iid", anonymous=True)
def get_one(call: Call) -> Any:
    """GET /projects/:id/merge_requests/:iid."""
    return merge_request(call.site, call.session, call.user, _find(call))


def _target(call: Call, source: Project) -> Project:
    number = call["target_project_id"]
    if number is None:
        number = source.id
    target = call.session.get(Project, number)
    if target is None or not access.can_read_code(call.session, call.user, target):
        not_found("Project")
    related = {source.id, source.forked_from_id}
    siblings = source.forked_from_id is not None and target.forked_from_id == source.forked_from_id
    if target.id not in related and target.forked_from_id != source.id and not siblings:
        fail(422, ["Source project is not a fork of the target project"])
    return target


@route(
    "POST",
    "/projects/:id/merge_requests",
    {
        **_BODY,
        "title": "str!",
        "source_branch": "str!",
        "target_branch": "str!",
        "target_project_id": "int",
    },
)
def create(call: Call) -> Any:
    """POST /projects/:id/merge_requests; the project of the address holds the source branch."""
    source = call.code_project()
    target = _target(call, source)
    if not access.administers(call.session, call.me, source, DEVELOPER):
        forbidden()
    heads = call.site.repository(source.id).refs()
    targets = call.site.repository(target.id).refs()
    if source.id == target.id and call["source_branch"] == call["target_branch"]:
        fail(422, ["You can't use same project/branch for source and target"])
    missing = []
    if call["source_branch"] not in heads:
        missing.append(f'Source branch "{call["source_branch"]}" does not exist')
    if call["target_branch"] not in targets:
        missing.append(f'Target branch "{call["target_branch"]}" does not exist')
    if missing:
        fail(400, {"base": missing})
    if not call["title"].strip():
        fail(400, {"title": ["can't be blank"]})
    twin = call.session.scalar(
        select(MergeRequest).where(
            MergeRequest.project_id == target.id,
            MergeRequest.source_project_id == source.id,
            MergeRequest.source_branch == call["source_branch"],
            MergeRequest.target_branch == call["target_branch"],
            MergeRequest.state == "opened",
        )
    )
    if twin is not None:
        fail(
            409, [f"Another open merge request already exists for this source branch: !{twin.iid}"]
        )
    highest = select(func.max(MergeRequest.iid)).where(MergeRequest.project_id == target.id)
    row = MergeRequest(
        iid=(call.session.scalar(highest) or 0) + 1,
        project_id=target.id,
        source_project_id=source.id,
        source_branch=call["source_branch"],
        target_branch=call["target_branch"],
        title=call["title"],
        description=call["description"],
        author_id=call.me.id,
        sha=heads[call["source_branch"]],
        options={k: call[k] for k in _KEPT if call[k] is not None},
    )
    call.session.add(row)
    call.session.flush()
    store_head(call.site, row)
    call.session.flush()
    return merge_request(call.site, call.session, call.user, row)


def _may_edit(call: Call, row: MergeRequest) -> None:
    project = call.session.get(Project, row.project_id)
    if project is None:
        not_found()
    if row.author_id != call.me.id and not access.administers(
        call.session, call.me, project, DEVELOPER
    ):
        forbidden()


@route(
    "PUT",
    "/projects/:id/merge_requests/:iid",
    {
        **_BODY,
        "title": "str",
        "target_branch": "str",
        "state_event": ("close", "reopen"),
        "discussion_locked": "bool",
    },
)
def update(call: Call) -> Any:
    """PUT /projects/:id/merge_requests/:iid."""
    row = _find(call)
    _may_edit(call, row)
    if not {*_BODY, "title", "target_branch", "state_event", "discussion_locked"} & set(
        call.params
    ):
        invalid("at least one parameter must be provided")
    if call["title"]:
        row.title = call["title"]
    if "description" in call:
        row.description = call["description"]
    if call["target_branch"]:
        if call["target_branch"] not in call.site.repository(row.project_id).refs():
            fail(422, [f'Target branch "{call["target_branch"]}" does not exist'])
        row.target_branch = call["target_branch"]
        store_head(call.site, row)
    if call["state_event"] == "close" and row.state == "opened":
        row.state, row.closed_at, row.closed_by_id = "closed", now(), call.me.id
    elif call["state_event"] == "reopen" and row.state == "closed":
        row.state, row.closed_at, row.closed_by_id = "opened", None, None
    row.options = {**row.options, **{k: call[k] for k in _KEPT if call[k] is not None}}
    row.updated_at = now()
    call.session.flush()
    return merge_request(call.site, call.session, call.user, row)


@route("DELETE", "/projects/:id/merge_requests/:iid")
def remove(call: Call) -> Any:
    """DELETE /projects/:id/merge_requests/:iid."""
    row = _find(call)
    project = call.session.get(Project, row.project_id)
    if project is None or not access.administers(call.session, call.me, project, OWNER):
        forbidden()
    call.session.delete(row)


@route(
    "PUT",
    "/projects/:id/merge_requests/:iid/merge",
    {
        "merge_commit_message": "str",
        "squash_commit_message": "str",
        "should_remove_source_branch": "bool",
        "merge_when_pipeline_succeeds": "bool",
        "auto_merge": "bool",
        "sha": "str",
        "squash": "bool",
    },
)
def merge(call: Call) -> Any:
    """PUT /projects/:id/merge_requests/:iid/merge."""
    row = _find(call)
    project = call.session.get(Project, row.project_id)
    if project is None:
        not_found()
    if not access.can_merge_branch(call.session, call.me, project, row.target_branch):
        fail(401, "401 Unauthorized")
    if row.state != "opened":
        fail(405, "405 Method Not Allowed")
    if call["sha"] and call["sha"] != row.sha:
        fail(409, f"SHA does not match HEAD of source branch: {row.sha}")
    if not mergeable(call.site, row):
        fail(422, "Branch cannot be merged")
    try:
        perform(
            call.site,
            row,
            project,
            call.me,
            message=call["merge_commit_message"],
            squash=bool(call["squash"] or (call["squash"] is None and row.options.get("squash"))),
            squash_message=call["squash_commit_message"],
        )
    except (MergeError, ChangeError) as error:
        fail(422, str(error))
    row.state, row.merged_at, row.merge_user_id, row.updated_at = "merged", now(), call.me.id, now()
    if call["should_remove_source_branch"]:
        _remove_source(call, row)
    after_change(call.site, call.session, project)
    call.session.flush()
    return merge_request(call.site, call.session, call.user, row)


def _remove_source(call: Call, row: MergeRequest) -> None:
    source = call.session.get(Project, row.source_project_id)
    if source is None or row.source_branch == source.default_branch:
        return
    if access.can_push_branch(call.session, call.me, source, row.source_branch):
        repository = call.site.repository(source.id)
        if row.source_branch in repository.refs():
            repository.git("update-ref", "-d", f"refs/heads/{row.source_branch}")
