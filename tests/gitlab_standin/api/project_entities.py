"""What projects look like in answers."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gitlab_standin import access
from gitlab_standin.api.entities import day, moment, namespace_basic, user_basic
from gitlab_standin.models import Member, Project, User
from gitlab_standin.site import Site

PROJECT_ORDER = (
    "id",
    "name",
    "path",
    "created_at",
    "updated_at",
    "last_activity_at",
    "similarity",
    "star_count",
)

# Attributes that are kept and given back, with a new project's values.
OPTIONS: dict[str, Any] = {
    "packages_enabled": True,
    "resolve_outdated_diff_discussions": False,
    "issues_enabled": True,
    "merge_requests_enabled": True,
    "wiki_enabled": True,
    "jobs_enabled": True,
    "snippets_enabled": True,
    "container_registry_enabled": True,
    "service_desk_enabled": False,
    "issues_access_level": "enabled",
    "repository_access_level": "enabled",
    "merge_requests_access_level": "enabled",
    "forking_access_level": "enabled",
    "wiki_access_level": "enabled",
    "builds_access_level": "enabled",
    "snippets_access_level": "enabled",
    "pages_access_level": "private",
    "analytics_access_level": "enabled",
    "container_registry_access_level": "enabled",
    "security_and_compliance_access_level": "private",
    "releases_access_level": "enabled",
    "environments_access_level": "enabled",
    "feature_flags_access_level": "enabled",
    "infrastructure_access_level": "enabled",
    "monitor_access_level": "enabled",
    "model_experiments_access_level": "enabled",
    "model_registry_access_level": "enabled",
    "package_registry_access_level": "enabled",
    "emails_disabled": False,
    "emails_enabled": True,
    "show_diff_preview_in_email": True,
    "shared_runners_enabled": True,
    "lfs_enabled": True,
    "mr_default_target_self": False,
    "ci_default_git_depth": 20,
    "ci_forward_deployment_enabled": True,
    "keep_latest_artifact": True,
    "restrict_user_defined_variables": True,
    "group_runners_enabled": True,
    "auto_cancel_pending_pipelines": "enabled",
    "build_git_strategy": "fetch",
    "build_timeout": 3600,
    "auto_devops_enabled": False,
    "auto_devops_deploy_strategy": "continuous",
    "ci_config_path": None,
    "public_jobs": True,
    "only_allow_merge_if_pipeline_succeeds": False,
    "allow_merge_on_skipped_pipeline": None,
    "request_access_enabled": True,
    "only_allow_merge_if_all_discussions_are_resolved": False,
    "remove_source_branch_after_merge": True,
    "printing_merge_request_link_enabled": True,
    "merge_method": "merge",
    "squash_option": "default_off",
    "enforce_auth_checks_on_uploads": True,
    "suggestion_commit_message": None,
    "merge_commit_template": None,
    "squash_commit_template": None,
    "issue_branch_template": None,
    "warn_about_potentially_unwanted_characters": True,
    "autoclose_referenced_issues": True,
}


def _shared(site: Site, project: Project, counts: dict[int, int]) -> dict[str, Any]:
    base = site.url(f"/{project.full_path}")
    readme = project.options.get("readme")
    branch = project.default_branch
    return {
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": project.full_name,
        "path": project.path,
        "path_with_namespace": project.full_path,
        "created_at": moment(project.created_at),
        "default_branch": branch,
        "tag_list": project.options.get("topics", []),
        "topics": project.options.get("topics", []),
        "ssh_url_to_repo": f"git@{site.config.host}:{project.full_path}.git",
        "http_url_to_repo": f"{base}.git",
        "web_url": base,
        "readme_url": f"{base}/-/blob/{branch}/{readme}" if readme and branch else None,
        "forks_count": counts.get(project.id, 0),
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": moment(project.last_activity_at),
        "visibility": project.visibility,
        "namespace": namespace_basic(site, project.namespace),
    }


def _full(
    site: Site, session: Session, user: User, project: Project, shared: dict[str, Any]
) -> dict[str, Any]:
    api = site.url(f"/api/v4/projects/{project.id}")
    links = ("issues", "merge_requests", "labels", "events", "members", "cluster_agents")
    shown: dict[str, Any] = {
        **shared,
        "container_registry_image_prefix": None,
        "_links": {
            "self": api,
            "repo_branches": f"{api}/repository/branches",
            **{name: f"{api}/{name}" for name in links},
        },
        "marked_for_deletion_at": day(project.marked_for_deletion_on),
        "marked_for_deletion_on": day(project.marked_for_deletion_on),
        "empty_repo": project.default_branch is None,
        "archived": project.archived,
        "can_create_merge_request_in": access.can_read_code(session, user, project),
        "creator_id": project.creator_id,
        "import_url": None,
        "import_type": None,
        "import_status": project.import_status,
        "open_issues_count": 0,
        "description_html": "",
        "updated_at": moment(project.updated_at),
        "repository_object_format": "sha1",
        "shared_with_groups": [],
        **{name: project.options.get(name, default) for name, default in OPTIONS.items()},
    }
    if access.administers(session, user, project):
        shown["import_error"] = project.import_error
    owner_id = project.namespace.owner_id if project.namespace.kind == "user" else None
    owner = session.get(User, owner_id) if owner_id is not None else None
    if owner is not None:
        shown["owner"] = user_basic(site, owner)
    if project.forked_from_id is not None:
        upstream = session.get(Project, project.forked_from_id)
        if upstream is not None and access.visible(session, user, upstream):
            shown["forked_from_project"] = _shared(site, upstream, {})
    return shown


def projects_json(
    site: Site,
    session: Session,
    user: User | None,
    projects: Iterable[Project],
    *,
    simple: bool = False,
) -> list[dict[str, Any]]:
    """BasicProjectDetails for anonymous callers or on wish, Project for the others."""
    projects = list(projects)
    ids = [project.id for project in projects]
    query = (
        select(Project.forked_from_id, func.count())
        .where(Project.forked_from_id.in_(ids))
        .group_by(Project.forked_from_id)
    )
    counts = {
        number: count for number, count in session.execute(query).tuples() if number is not None
    }
    shown = []
    for project in projects:
        shared = _shared(site, project, counts)
        if user is None or simple:
            shown.append(shared)
        else:
            shown.append(_full(site, session, user, project, shared))
    return shown


def project_json(
    site: Site, session: Session, user: User | None, project: Project
) -> dict[str, Any]:
    """Project, without the caller's permissions."""
    return projects_json(site, session, user, [project])[0]


def project_with_access(
    site: Site, session: Session, user: User | None, project: Project
) -> dict[str, Any]:
    """ProjectsWithAccess: with the caller's roles."""
    shown = project_json(site, session, user, project)
    if user is None:
        return shown
    direct = session.scalar(
        select(Member.access_level).where(
            Member.source_type == "Project",
            Member.source_id == project.id,
            Member.user_id == user.id,
        )
    )
    if project.namespace.owner_id == user.id:
        direct = access.OWNER
    group = (
        access.group_level(session, user, project.namespace)
        if project.namespace.kind == "group"
        else 0
    )
    shown["permissions"] = {
        "project_access": {"access_level": direct, "notification_level": 3} if direct else None,
        "group_access": {"access_level": group, "notification_level": 3} if group else None,
    }
    return shown
