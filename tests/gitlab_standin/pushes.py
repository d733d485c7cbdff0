"""What happens after a repository changed, by git or by the API."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from gitlab_standin.models import MergeRequest, Project, now
from gitlab_standin.projects import note_readme
from gitlab_standin.site import Site, adopt_first_branch


def after_change(site: Site, session: Session, project: Project) -> None:
    """Default branch of a first push, activity, README, and merge requests."""
    project.last_activity_at = project.updated_at = now()
    catch_up(site, session, project)


def catch_up(site: Site, session: Session, project: Project) -> None:
    """Make the database agree with the repository; changes nothing when it does."""
    adopt_first_branch(site, session, project)
    note_readme(site, project)
    branches = site.repository(project.id).refs()
    outgoing = select(MergeRequest).where(
        MergeRequest.source_project_id == project.id, MergeRequest.state == "opened"
    )
    for request in session.scalars(outgoing):
        head = branches.get(request.source_branch)
        if head is not None and head != request.sha:
            request.sha = head
            request.updated_at = now()
            store_head(site, request)
    incoming = select(MergeRequest).where(
        MergeRequest.project_id == project.id, MergeRequest.state == "opened"
    )
    repository = site.repository(project.id)
    for request in session.scalars(incoming):
        target = branches.get(request.target_branch)
        contained = target and request.sha and repository.is_ancestor(request.sha, target)
        # What was pushed straight to the target counts as merged, once there was something
        # to merge.
        if contained and request.base_sha != request.sha:
            request.state, request.merged_at = "merged", now()
            request.updated_at = now()


def store_head(site: Site, request: MergeRequest) -> None:
    """Bring the source branch's commits into the target project, as GitLab keeps them."""
    target = site.repository(request.project_id)
    source = site.repository(request.source_project_id)
    ref = f"refs/merge-requests/{request.iid}/head"
    if request.sha is None:
        return
    if source.path != target.path:
        target.git(
            "fetch",
            "--quiet",
            "--no-write-fetch-head",
            str(source.path),
            f"+refs/heads/{request.source_branch}:{ref}",
        )
    target.git("update-ref", ref, request.sha)
    base = target.resolve(request.target_branch)
    request.base_sha = target.merge_base(base, request.sha) if base else None
