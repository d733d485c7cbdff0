"""Making projects and forks: shared by the API, a first push and the background worker."""

import re
import unicodedata

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gitlab_standin.models import Namespace, Project, User, now
from gitlab_standin.site import Site, protect_default_branch

VISIBILITY = ("private", "internal", "public")
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
README_NAMES = (
    "README.md",
    "readme.md",
    "README.markdown",
    "README.org",
    "README.rst",
    "README.txt",
    "README",
)


class ProjectError(Exception):
    """A project that cannot be made; ``errors`` maps fields to GitLab's words."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


def path_from_name(name: str) -> str:
    """The path GitLab derives from a name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_.]+", "-", plain).strip("-.")


def lowest(*levels: str) -> str:
    """The most private of some visibilities."""
    return min(levels, key=VISIBILITY.index)


def personal_limit_reached(session: Session, user: User) -> bool:
    """Whether the person may have no further personal project."""
    mine = select(func.count()).where(Project.namespace_id == user.namespace_id)
    return (session.scalar(mine) or 0) >= user.projects_limit


def new_project(
    session: Session,
    *,
    namespace: Namespace,
    creator: User,
    name: str,
    path: str,
    visibility: str,
    description: str | None = None,
) -> Project:
    """A project without repository; ProjectError with the field's problem."""
    errors: dict[str, list[str]] = {}
    if not PATH.fullmatch(path) or path.endswith((".git", ".atom", ".")) or path == "-":
        errors["path"] = [
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in "
            "'.git' "
            "or end in '.atom'"
        ]
    if namespace.kind == "user" and personal_limit_reached(session, creator):
        limit = creator.projects_limit
        text = (
            "Personal project creation is not allowed. Please contact your administrator with "
            "questions"
            if limit == 0
            else f"Your project limit is {limit} projects! "
            "Please contact your administrator to increase it"
        )
        errors["limit_reached"] = [text]
    same_path = select(Project.id).where(
        Project.full_path_key == f"{namespace.full_path}/{path}".lower()
    )
    same_name = select(Project.id).where(Project.namespace_id == namespace.id, Project.name == name)
    if session.scalar(same_name) is not None:
        errors["name"] = ["has already been taken"]
    if session.scalar(same_path) is not None:
        errors["path"] = ["has already been taken"]
    if namespace.kind == "group" and VISIBILITY.index(visibility) > VISIBILITY.index(
        namespace.visibility
    ):
        errors["visibility_level"] = [
            f"{visibility} is not allowed in a {namespace.visibility} group."
        ]
    if errors:
        raise ProjectError(errors)
    project = Project(
        namespace_id=namespace.id,
        namespace=namespace,
        name=name,
        path=path,
        full_path_key=f"{namespace.full_path}/{path}".lower(),
        description=description,
        visibility=visibility,
        creator_id=creator.id,
        options={},
    )
    session.add(project)
    session.flush()
    return project


def note_readme(site: Site, project: Project) -> None:
    """Remember which file the project page shows below the tree."""
    if project.default_branch is None:
        return
    names = {entry.name for entry in site.repository(project.id).tree(project.default_branch) or []}
    readme = next((name for name in README_NAMES if name in names), None)
    if readme != project.options.get("readme"):
        project.options = {**project.options, "readme": readme}


def finish_import(site: Site, session: Session, project: Project) -> None:
    """After a fork's copy: default branch as upstream's (or the only one asked for), protected."""
    repository = site.repository(project.id)
    branches = repository.refs()
    upstream = session.get(Project, project.forked_from_id) if project.forked_from_id else None
    wanted = project.import_branch or (upstream.default_branch if upstream else None)
    if branches:
        project.default_branch = wanted if wanted in branches else next(iter(branches))
        repository.set_head(project.default_branch)
        protect_default_branch(site, session, project)
        note_readme(site, project)
    project.import_status = "finished"
    project.last_activity_at = project.updated_at = now()
