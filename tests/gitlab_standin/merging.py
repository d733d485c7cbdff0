"""Merging a merge request."""

from gitlab_standin.git.writing import Person, commit_tree, merge_tree, update_ref
from gitlab_standin.models import MergeRequest, Project, User
from gitlab_standin.site import Site


class MergeError(Exception):
    """It cannot be merged; the text is GitLab's."""


def mergeable(site: Site, request: MergeRequest) -> bool:
    """Whether source and target merge without a conflict."""
    repository = site.repository(request.project_id)
    target = repository.resolve(f"refs/heads/{request.target_branch}")
    if target is None or request.sha is None:
        return False
    return merge_tree(repository, target, request.sha) is not None


def perform(
    site: Site,
    request: MergeRequest,
    project: Project,
    user: User,
    *,
    message: str | None,
    squash: bool,
    squash_message: str | None,
) -> None:
    """Move the target branch: a merge commit, or a fast-forward where the project wants that."""
    repository = site.repository(project.id)
    target = repository.refs().get(request.target_branch)
    if target is None or request.sha is None:
        raise MergeError("Branch cannot be merged")
    person = Person(user.name, user.profile.get("commit_email") or user.email)
    head = request.sha
    if squash:
        tree = merge_tree(repository, target, head)
        if tree is None:
            raise MergeError("Branch cannot be merged")
        head = commit_tree(
            repository, tree, [target], squash_message or request.title, person, person
        )
        request.squash_commit_sha = head
    if project.options.get("merge_method") == "ff":
        if not repository.is_ancestor(target, head):
            raise MergeError(
                "Fast-forward merge is not possible. To merge this request, first rebase locally."
            )
        update_ref(repository, request.target_branch, head, target)
        return
    tree = merge_tree(repository, target, head)
    if tree is None:
        raise MergeError("Branch cannot be merged")
    text = message or (
        f"Merge branch '{request.source_branch}' into "
        f"'{request.target_branch}'\n\n{request.title}\n\n"
        f"See merge request {project.full_path}!{request.iid}"
    )
    commit = commit_tree(repository, tree, [target, head], text, person, person)
    update_ref(repository, request.target_branch, commit, target)
    request.merge_commit_sha = commit
