"""Making and removing accounts: shared by the API and the sign-in."""

import re
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from gitlab_standin.access import OWNER
from gitlab_standin.database import afterwards, insert_row
from gitlab_standin.models import Member, Namespace, Project, User, WebSession
from gitlab_standin.site import Site

_OWN = (
    update(Namespace.__table__)  # type: ignore[arg-type]
    .where(Namespace.__table__.c.id == bindparam("namespace"))
    .values(owner_id=bindparam("owner"))
)
USERNAME = re.compile(r"[A-Za-z0-9_.]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?")
RESERVED = frozenset(
    [
        "-",
        ".well-known",
        "404.html",
        "422.html",
        "500.html",
        "502.html",
        "503.html",
        "admin",
        "api",
        "assets",
        "dashboard",
        "deploy.html",
        "explore",
        "favicon.ico",
        "favicon.png",
        "files",
        "groups",
        "health_check",
        "help",
        "import",
        "jwt",
        "login",
        "oauth",
        "profile",
        "projects",
        "public",
        "robots.txt",
        "s",
        "search",
        "sitemap",
        "sitemap.xml",
        "sitemap.xml.gz",
        "slash-command-logo.png",
        "snippets",
        "unsubscribes",
        "uploads",
        "user",
        "users",
        "v2",
    ]
)
_WEAK = frozenset(
    [
        "password",
        "password1",
        "12345678",
        "123456789",
        "1234567890",
        "qwertyui",
        "qwertyuiop",
        "iloveyou",
        "11111111",
        "00000000",
        "abcd1234",
        "letmein1",
        "administrator",
        "password123",
    ]
)


def password_problem(password: str, username: str, email: str) -> str | None:
    """GitLab's objection to a password, None when there is none."""
    if len(password) < 8:
        return "is too short (minimum is 8 characters)"
    lowered = password.lower()
    parts = [p for p in re.split(r"[^a-z0-9]+", f"{username} {email}".lower()) if len(p) >= 4]
    if lowered in _WEAK or any(part in lowered for part in parts) or "gitlab" in lowered:
        return "must not contain commonly used combinations of words and letters"
    return None


def new_user(**values: Any) -> User:
    """An account with its personal namespace, not saved yet: see :func:`save_new`."""
    namespace = Namespace(
        kind="user", name=values["name"], path=values["username"], full_path=values["username"]
    )
    return User(namespace=namespace, **{"profile": {}, "identities": [], **values})


def save_new(session: Session, user: User) -> User:
    """Save what :func:`new_user` made, and what identities it was given since.

    The objects bear their ids then, and belong to no session.
    """
    namespace = user.namespace
    insert_row(session, namespace)
    user.namespace_id = namespace.id
    insert_row(session, user)
    session.connection().execute(_OWN, {"namespace": namespace.id, "owner": user.id})
    for identity in user.identities:
        identity.user_id = user.id
        insert_row(session, identity)
    return user


def _sole_owned_groups(session: Session, user: User) -> list[int]:
    mine = select(Member.source_id).where(
        Member.user_id == user.id, Member.source_type == "Namespace", Member.access_level == OWNER
    )
    owners = (
        select(Member.source_id)
        .where(
            Member.source_type == "Namespace",
            Member.access_level == OWNER,
            Member.source_id.in_(mine),
        )
        .group_by(Member.source_id)
        .having(func.count() == 1)
    )
    return list(session.scalars(owners))


def delete_project(site: Site, session: Session, project: Project) -> None:
    """Remove a project and its repository for good."""
    session.execute(
        delete(Member).where(Member.source_type == "Project", Member.source_id == project.id)
    )
    for fork in session.scalars(select(Project).where(Project.forked_from_id == project.id)):
        fork.forked_from_id = None
    afterwards(session, site.repository(project.id).remove)
    session.delete(project)
    session.flush()


def delete_namespace(site: Site, session: Session, namespace: Namespace) -> None:
    """Remove a namespace, those below it and their projects."""
    for child in session.scalars(
        select(Namespace).where(Namespace.parent_id == namespace.id)
    ).all():
        delete_namespace(site, session, child)
    for project in session.scalars(
        select(Project).where(Project.namespace_id == namespace.id)
    ).all():
        delete_project(site, session, project)
    session.execute(
        delete(Member).where(Member.source_type == "Namespace", Member.source_id == namespace.id)
    )
    session.delete(namespace)
    session.flush()


def delete_user(site: Site, session: Session, user: User, *, hard: bool) -> bool:
    """Remove an account and its personal projects.

    False for the sole owner of a group, unless ``hard``.
    """
    groups = _sole_owned_groups(session, user)
    if groups and not hard:
        return False
    for group_id in groups:
        group = session.get(Namespace, group_id)
        if group is not None:
            delete_namespace(site, session, group)
    namespace = user.namespace
    session.execute(delete(WebSession).where(WebSession.user_id == user.id))
    session.delete(user)
    session.flush()
    delete_namespace(site, session, namespace)
    return True
