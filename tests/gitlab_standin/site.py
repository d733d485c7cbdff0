"""The running site: settings, database, repositories; and what several rooms need of it."""

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from gitlab_standin import defaults
from gitlab_standin.config import Config
from gitlab_standin.database import Database
from gitlab_standin.git.repository import Repository
from gitlab_standin.models import Namespace, Project, ProtectedBranch, Setting, Token, User, now
from gitlab_standin.paths import Paths

log = logging.getLogger("gitlab_standin")

# How long an import takes on the machine being simulated, in seconds.
IMPORT_SECONDS_VARIABLE = "GITLAB_STANDIN_IMPORT_SECONDS"

# Asked with every request: composed once.
_TOKEN = select(Token).options(joinedload(Token.user)).where(Token.digest == bindparam("digest"))
_SETTINGS = select(Setting.__table__)
_NAMESPACE = select(Namespace).where(Namespace.full_path_key == bindparam("path"))


@dataclass
class Site:
    """Everything a request needs."""

    paths: Paths
    config: Config
    database: Database
    import_seconds: float = field(
        default_factory=lambda: float(os.environ.get(IMPORT_SECONDS_VARIABLE, "0.3"))
    )

    # Tells the background worker, where there is one, that it has something to do.
    import_scheduled: Callable[[], None] = lambda: None

    def repository(self, project_id: int) -> Repository:
        """The project's repository, in GitLab's hashed layout."""
        digest = hashlib.sha256(str(project_id).encode()).hexdigest()
        return Repository(
            self.paths.repositories / "@hashed" / digest[:2] / digest[2:4] / f"{digest}.git"
        )

    def url(self, path: str = "") -> str:
        """An absolute address; ``path`` begins with a slash."""
        return self.config.base_url + path

    def settings(self, session: Session) -> dict[str, Any]:
        """Application settings: the defaults, and what was changed."""
        changed = {name: value["value"] for name, value in session.connection().execute(_SETTINGS)}
        return {**defaults.application_settings(self.config), **changed}

    def setting(self, session: Session, name: str) -> Any:
        """One application setting."""
        row = session.get(Setting, name)
        return row.value["value"] if row else defaults.application_settings(self.config)[name]


def find_user(session: Session, reference: str) -> User | None:
    """By id or by user name."""
    if reference.isdigit():
        return session.get(User, int(reference))
    return session.scalar(select(User).where(User.username_key == reference.lower()))


def find_project(session: Session, reference: str) -> Project | None:
    """By id or by full path."""
    if reference.isdigit():
        return session.get(Project, int(reference))
    return session.scalar(select(Project).where(Project.full_path_key == reference.lower()))


def find_namespace(session: Session, reference: str) -> Namespace | None:
    """By id or by full path."""
    if reference.isdigit():
        return session.get(Namespace, int(reference))
    return session.scalar(_NAMESPACE, {"path": reference.lower()})


def find_group(session: Session, reference: str) -> Namespace | None:
    """A group, by id or by full path."""
    namespace = find_namespace(session, reference)
    return namespace if namespace is not None and namespace.kind == "group" else None


def find_token(session: Session, digest: str) -> Token | None:
    """A token by its digest, whatever its state."""
    return session.scalar(_TOKEN, {"digest": digest})


def can_use_credentials(user: User) -> bool:
    """Whether a token of this person works: active, and no expired password."""
    expires = user.password_expires_at
    return user.state == "active" and (expires is None or expires > now())


def protect_default_branch(site: Site, session: Session, project: Project) -> None:
    """Give the default branch the instance's default rule, unless it has one."""
    if not project.default_branch:
        return
    level = site.setting(session, "default_branch_protection")
    if level == 0:
        return
    present = session.scalar(
        select(ProtectedBranch.id).where(
            ProtectedBranch.project_id == project.id, ProtectedBranch.name == project.default_branch
        )
    )
    if present is None:
        push = 30 if level == 1 else 40
        merge = 30 if level in {1, 3} else 40
        session.add(
            ProtectedBranch(
                project_id=project.id,
                name=project.default_branch,
                push_level=push,
                merge_level=merge,
            )
        )


def adopt_first_branch(site: Site, session: Session, project: Project) -> None:
    """After a first push: the branch becomes the default one and is protected."""
    if project.default_branch:
        return
    repository = site.repository(project.id)
    branches = repository.refs()
    if not branches:
        return
    head = repository.head()
    project.default_branch = head if head in branches else next(iter(branches))
    repository.set_head(project.default_branch)
    protect_default_branch(site, session, project)
