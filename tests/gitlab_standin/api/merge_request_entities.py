"""What merge requests look like in answers."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from gitlab_standin import access
from gitlab_standin.api.entities import moment, user_basic
from gitlab_standin.merging import mergeable
from gitlab_standin.models import MergeRequest, Project, User
from gitlab_standin.site import Site


def _person(site: Site, session: Session, number: int | None) -> dict[str, Any] | None:
    user = session.get(User, number) if number is not None else None
    return user_basic(site, user) if user is not None else None


def _basic(site: Site, session: Session, row: MergeRequest) -> dict[str, Any]:
    project = session.get(Project, row.project_id)
    path = project.full_path if project is not None else ""
    works = row.state == "opened" and mergeable(site, row)
    status = "can_be_merged" if works or row.state == "merged" else "cannot_be_merged"
    detailed = "mergeable" if works else "not_open" if row.state != "opened" else "conflict"
    merger = _person(site, session, row.merge_user_id)
    draft = row.title.lower().startswith(("draft:", "[draft]", "(draft)"))
    return {
        "id": row.id,
        "iid": row.iid,
        "project_id": row.project_id,
        "title": row.title,
        "description": row.description,
        "state": row.state,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "merged_by": merger,
        "merge_user": merger,
        "merged_at": moment(row.merged_at),
        "merge_after": None,
        "prepared_at": moment(row.created_at),
        "closed_by": _person(site, session, row.closed_by_id),
        "closed_at": moment(row.closed_at),
        "target_branch": row.target_branch,
        "source_branch": row.source_branch,
        "user_notes_count": 0,
        "upvotes": 0,
        "downvotes": 0,
        "author": _person(site, session, row.author_id),
        "assignees": [],
        "assignee": None,
        "reviewers": [],
        "source_project_id": row.source_project_id,
        "target_project_id": row.project_id,
        "labels": row.options.get("labels", []),
        "draft": draft,
        "imported": False,
        "imported_from": "none",
        "work_in_progress": draft,
        "milestone": None,
        "merge_when_pipeline_succeeds": False,
        "merge_status": status,
        "detailed_merge_status": "draft_status" if draft and works else detailed,
        "sha": row.sha,
        "merge_commit_sha": row.merge_commit_sha,
        "squash_commit_sha": row.squash_commit_sha,
        "discussion_locked": None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": row.options.get("remove_source_branch"),
        "reference": f"!{row.iid}",
        "references": {
            "short": f"!{row.iid}",
            "relative": f"!{row.iid}",
            "full": f"{path}!{row.iid}",
        },
        "web_url": site.url(f"/{path}/-/merge_requests/{row.iid}"),
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "squash": bool(row.options.get("squash")),
        "squash_on_merge": bool(row.options.get("squash")),
        "task_completion_status": {"count": 0, "completed_count": 0},
        "has_conflicts": row.state == "opened" and not works,
        "blocking_discussions_resolved": True,
    }


def merge_requests(
    site: Site, session: Session, rows: Iterable[MergeRequest]
) -> list[dict[str, Any]]:
    """MergeRequestBasic."""
    return [_basic(site, session, row) for row in rows]


def merge_request(
    site: Site, session: Session, user: User | None, row: MergeRequest
) -> dict[str, Any]:
    """MergeRequest."""
    project = session.get(Project, row.project_id)
    repository = site.repository(row.project_id)
    changes = repository.diff(row.base_sha, row.sha) if row.base_sha and row.sha else []
    can_merge = project is not None and access.can_merge_branch(
        session, user, project, row.target_branch
    )
    return {
        **_basic(site, session, row),
        "subscribed": user is not None and user.id == row.author_id,
        "changes_count": str(len(changes)),
        "latest_build_started_at": None,
        "latest_build_finished_at": None,
        "first_deployed_to_production_at": None,
        "pipeline": None,
        "head_pipeline": None,
        "diff_refs": {"base_sha": row.base_sha, "head_sha": row.sha, "start_sha": row.base_sha},
        "merge_error": None,
        "first_contribution": False,
        "user": {"can_merge": can_merge},
    }
