"""The tables."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


def now() -> dt.datetime:
    """The present, in UTC."""
    return dt.datetime.now(dt.UTC)


class Utc(TypeDecorator[dt.datetime]):
    """A moment in UTC, stored as text that sorts."""

    impl = String(30)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: Any) -> str | None:
        """Text with milliseconds."""
        return None if value is None else iso(value)

    def process_result_value(self, value: str | None, _dialect: Any) -> dt.datetime | None:
        """Back to an aware datetime."""
        return None if value is None else dt.datetime.fromisoformat(value)


def iso(value: dt.datetime) -> str:
    """GitLab's form of a moment: ``2026-11-21T20:15:00.000Z``."""
    text = value.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Base(DeclarativeBase):
    """Declarative base: type annotations decide the columns."""

    # Ids are never used twice: repositories are named after them.
    __table_args__: Any = {"sqlite_autoincrement": True}  # noqa: RUF012
    type_annotation_map = {dt.datetime: Utc, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class User(Base):
    """A person. ``username_key`` and ``email_key`` are lower case.

    Both are compared without case.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    unconfirmed_email: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="active", index=True)
    is_admin: Mapped[bool] = mapped_column(default=False)
    external: Mapped[bool] = mapped_column(default=False)
    can_create_group: Mapped[bool] = mapped_column(default=True)
    projects_limit: Mapped[int] = mapped_column(default=100000)
    private_profile: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None]
    password_expires_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)
    created_by_id: Mapped[int | None]
    namespace_id: Mapped[int] = mapped_column(ForeignKey("namespaces.id"))
    last_sign_in_at: Mapped[dt.datetime | None]
    current_sign_in_at: Mapped[dt.datetime | None]
    last_activity_on: Mapped[str | None]
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    identities: Mapped[list["Identity"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", order_by="Identity.id"
    )
    namespace: Mapped["Namespace"] = relationship(foreign_keys=[namespace_id])

    def __init__(self, **values: Any) -> None:
        values.setdefault("username_key", values["username"].lower())
        values.setdefault("email_key", values["email"].lower())
        super().__init__(**values)


class Identity(Base):
    """A person at another service: unique per provider, whatever the case of the uid."""

    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("provider", "extern_uid_key"),
        UniqueConstraint("user_id", "provider"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[str]
    extern_uid: Mapped[str]
    extern_uid_key: Mapped[str]
    user: Mapped[User] = relationship(back_populates="identities")

    def __init__(self, **values: Any) -> None:
        values.setdefault("extern_uid_key", values["extern_uid"].lower())
        super().__init__(**values)


class Token(Base):
    """A personal access token; an impersonation token is one made by an administrator."""

    __tablename__ = "personal_access_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str | None]
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    expires_at: Mapped[dt.date | None]
    revoked: Mapped[bool] = mapped_column(default=False)
    impersonation: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_used_at: Mapped[dt.datetime | None]
    previous_id: Mapped[int | None]
    user: Mapped[User] = relationship()

    @property
    def expired(self) -> bool:
        """Dead from 00:00 UTC of the day it names."""
        return self.expires_at is not None and self.expires_at <= now().date()

    @property
    def active(self) -> bool:
        """Neither revoked nor expired."""
        return not self.revoked and not self.expired


class Namespace(Base):
    """A person's or a group's place: ``kind`` is ``user`` or ``group``."""

    __tablename__ = "namespaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    path: Mapped[str]
    full_path: Mapped[str]
    full_path_key: Mapped[str] = mapped_column(unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("namespaces.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(index=True)
    visibility: Mapped[str] = mapped_column(default="private")
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    marked_for_deletion_on: Mapped[dt.date | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parent: Mapped["Namespace | None"] = relationship(remote_side=[id])

    def __init__(self, **values: Any) -> None:
        values.setdefault("full_path_key", values["full_path"].lower())
        super().__init__(**values)

    @property
    def full_name(self) -> str:
        """Names from the top, joined as GitLab shows them."""
        return f"{self.parent.full_name} / {self.name}" if self.parent else self.name


class Member(Base):
    """A person's role in a group or a project."""

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("source_type", "source_id", "user_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_type: Mapped[str]
    source_id: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    access_level: Mapped[int]
    expires_at: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    created_by_id: Mapped[int | None]
    user: Mapped[User] = relationship()


class Project(Base):
    """A repository and what belongs to it. ``options`` holds the attributes that only are kept."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    namespace_id: Mapped[int] = mapped_column(ForeignKey("namespaces.id"), index=True)
    name: Mapped[str]
    path: Mapped[str]
    full_path_key: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    visibility: Mapped[str] = mapped_column(default="private", index=True)
    default_branch: Mapped[str | None]
    creator_id: Mapped[int]
    archived: Mapped[bool] = mapped_column(default=False)
    import_status: Mapped[str] = mapped_column(default="none", index=True)
    import_error: Mapped[str | None]
    import_branch: Mapped[str | None]
    forked_from_id: Mapped[int | None] = mapped_column(index=True)
    marked_for_deletion_on: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_activity_at: Mapped[dt.datetime] = mapped_column(default=now, index=True)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    namespace: Mapped[Namespace] = relationship()

    @property
    def full_path(self) -> str:
        """Path from the top, as in addresses."""
        return f"{self.namespace.full_path}/{self.path}"

    @property
    def full_name(self) -> str:
        """Name from the top, as GitLab shows it."""
        return f"{self.namespace.full_name} / {self.name}"


class ProtectedBranch(Base):
    """A rule; ``name`` may hold wildcards. Levels are 0 (nobody), 30, 40 or 60."""

    __tablename__ = "protected_branches"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    push_level: Mapped[int] = mapped_column(default=40)
    merge_level: Mapped[int] = mapped_column(default=40)
    allow_force_push: Mapped[bool] = mapped_column(default=False)


class MergeRequest(Base):
    """A request to merge; ``project_id`` is the target project."""

    __tablename__ = "merge_requests"
    __table_args__ = (
        UniqueConstraint("project_id", "iid"),
        Index("ix_mr_source", "source_project_id", "source_branch"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    iid: Mapped[int]
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    source_project_id: Mapped[int]
    source_branch: Mapped[str]
    target_branch: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="opened", index=True)
    author_id: Mapped[int]
    merge_user_id: Mapped[int | None]
    closed_by_id: Mapped[int | None]
    sha: Mapped[str | None]
    base_sha: Mapped[str | None]
    merge_commit_sha: Mapped[str | None]
    squash_commit_sha: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)
    merged_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Setting(Base):
    """An application setting changed from its default."""

    __tablename__ = "application_settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]


class PasswordReset(Base):
    """The last mail somebody was sent to choose a password."""

    __tablename__ = "password_resets"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(index=True)
    sent_at: Mapped[dt.datetime] = mapped_column(default=now)


class WebSession(Base):
    """A browser's session; only the digest of its cookie is kept."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(index=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    expires_at: Mapped[dt.datetime]
