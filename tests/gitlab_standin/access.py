"""Who may do what."""

import fnmatch
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from gitlab_standin.models import Member, Namespace, Project, ProtectedBranch, User, now

NO_ACCESS, GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 0, 10, 20, 30, 40, 50


def ancestors(namespace: Namespace | None) -> list[Namespace]:
    """The namespace and those above it."""
    chain = []
    while namespace is not None:
        chain.append(namespace)
        namespace = namespace.parent
    return chain


def _memberships(session: Session, user: User, kind: str, ids: Sequence[int]) -> int:
    today = now().date()
    levels = session.scalars(
        select(Member.access_level).where(
            Member.user_id == user.id,
            Member.source_type == kind,
            Member.source_id.in_(ids),
            or_(Member.expires_at.is_(None), Member.expires_at > today),
        )
    )
    return max(levels, default=NO_ACCESS)


def group_level(session: Session, user: User | None, group: Namespace) -> int:
    """Highest role in a namespace or above it, inherited ones included."""
    if user is None:
        return NO_ACCESS
    if group.kind == "user":
        return OWNER if group.owner_id == user.id else NO_ACCESS
    return _memberships(session, user, "Namespace", [n.id for n in ancestors(group)])


def project_level(session: Session, user: User | None, project: Project) -> int:
    """Highest role in a project; a personal namespace's owner is Owner."""
    if user is None:
        return NO_ACCESS
    inherited = group_level(session, user, project.namespace)
    return max(inherited, _memberships(session, user, "Project", [project.id]))


def visible(session: Session, user: User | None, project: Project) -> bool:
    """Whether the project exists for this person."""
    if project.visibility == "public" or (user is not None and user.is_admin):
        return True
    if user is None:
        return False
    if project.visibility == "internal" and not user.external:
        return True
    return project_level(session, user, project) >= GUEST


def can_read_code(session: Session, user: User | None, project: Project) -> bool:
    """Reading files: Reporter in a private project."""
    if not visible(session, user, project):
        return False
    if project.visibility == "public" or (user is not None and user.is_admin):
        return True
    if project.visibility == "internal" and user is not None and not user.external:
        return True
    return project_level(session, user, project) >= REPORTER


def administers(
    session: Session, user: User | None, project: Project, level: int = MAINTAINER
) -> bool:
    """Whether the role is at least this, an administrator having them all."""
    return user is not None and (user.is_admin or project_level(session, user, project) >= level)


def can_push(session: Session, user: User | None, project: Project) -> bool:
    """Pushing to some branch."""
    return not project.archived and administers(session, user, project, DEVELOPER)


def group_visible(session: Session, user: User | None, group: Namespace) -> bool:
    """Whether the group exists for this person."""
    if group.kind == "user" or group.visibility == "public" or (user is not None and user.is_admin):
        return True
    if user is None:
        return False
    if group.visibility == "internal" and not user.external:
        return True
    if group_level(session, user, group) >= GUEST:
        return True
    # A member of a project in a group sees the group.
    inside = select(Project.id).where(Project.namespace_id == group.id)
    mine = select(Member.id).where(
        Member.user_id == user.id, Member.source_type == "Project", Member.source_id.in_(inside)
    )
    return session.scalar(mine.limit(1)) is not None


def _level_allows(user: User, level: int, required: int) -> bool:
    return required != NO_ACCESS and (user.is_admin or level >= required)


def protections(session: Session, project: Project) -> list[ProtectedBranch]:
    """The project's rules."""
    query = select(ProtectedBranch).where(ProtectedBranch.project_id == project.id)
    return list(session.scalars(query.order_by(ProtectedBranch.id)))


def rules_for(session: Session, project: Project, branch: str) -> list[ProtectedBranch]:
    """The rules whose name or pattern covers a branch."""
    return [r for r in protections(session, project) if fnmatch.fnmatchcase(branch, r.name)]


def can_push_branch(session: Session, user: User | None, project: Project, branch: str) -> bool:
    """Pushing to this very branch."""
    if user is None or not can_push(session, user, project):
        return False
    rules = rules_for(session, project, branch)
    level = project_level(session, user, project)
    return not rules or any(_level_allows(user, level, rule.push_level) for rule in rules)


def can_merge_branch(session: Session, user: User | None, project: Project, branch: str) -> bool:
    """Merging into this very branch."""
    if user is None or not can_push(session, user, project):
        return False
    rules = rules_for(session, project, branch)
    level = project_level(session, user, project)
    return not rules or any(
        _level_allows(user, level, rule.push_level) or _level_allows(user, level, rule.merge_level)
        for rule in rules
    )


def push_rules(session: Session, user: User, project: Project) -> dict[str, object]:
    """What the pre-receive hook needs to know."""
    level = project_level(session, user, project)
    return {
        "default": project.default_branch or "",
        "branches": {
            rule.name: {
                "push": _level_allows(user, level, rule.push_level),
                "force": rule.allow_force_push,
            }
            for rule in protections(session, project)
        },
    }


def visible_projects(user: User | None) -> ColumnElement[bool] | None:
    """SQL condition for the projects that exist for this person; None for all of them."""
    if user is None:
        return Project.visibility == "public"
    if user.is_admin:
        return None
    levels = ["public"] if user.external else ["public", "internal"]
    return or_(Project.visibility.in_(levels), member_projects(user))


def member_projects(user: User) -> ColumnElement[bool]:
    """SQL condition for the projects this person is a member of, directly or by the namespace."""
    direct = select(Member.source_id).where(
        Member.user_id == user.id, Member.source_type == "Project"
    )
    groups = (
        select(Member.source_id.label("id"))
        .where(Member.user_id == user.id, Member.source_type == "Namespace")
        .cte("my_groups", recursive=True)
    )
    below = groups.union(select(Namespace.id).where(Namespace.parent_id == groups.c.id))
    return or_(
        Project.namespace_id == user.namespace_id,
        Project.id.in_(direct),
        Project.namespace_id.in_(select(below.c.id)),
    )


def owned_projects(user: User) -> ColumnElement[bool]:
    """SQL condition for the projects this person owns."""
    groups = select(Member.source_id).where(
        and_(
            Member.user_id == user.id,
            Member.source_type == "Namespace",
            Member.access_level == OWNER,
        )
    )
    return or_(Project.namespace_id == user.namespace_id, Project.namespace_id.in_(groups))
