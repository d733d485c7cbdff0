"""What people, tokens, groups and members look like in answers."""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from gitlab_standin.models import Member, Namespace, Token, User, iso
from gitlab_standin.site import Site

PROFILE_FIELDS = (
    "bio",
    "location",
    "linkedin",
    "twitter",
    "discord",
    "website_url",
    "github",
    "job_title",
    "pronouns",
    "organization",
)


def moment(value: Any) -> str | None:
    """A time as GitLab writes it."""
    return None if value is None else iso(value)


def day(value: Any) -> str | None:
    """A date."""
    return None if value is None else value.isoformat()


def avatar_url(email: str) -> str:
    """Gravatar's address, as every GitLab answers by default."""
    digest = hashlib.sha256(email.lower().encode()).hexdigest()
    return f"https://www.gravatar.com/avatar/{digest}?s=80&d=identicon"


def user_basic(site: Site, user: User) -> dict[str, Any]:
    """UserBasic."""
    return {
        "id": user.id,
        "username": user.username,
        "public_email": user.profile.get("public_email") or None,
        "name": user.name,
        "state": user.state,
        "locked": False,
        "avatar_url": avatar_url(user.email),
        "web_url": site.url(f"/{user.username}"),
    }


def user_profile(site: Site, user: User) -> dict[str, Any]:
    """User and UserProfile."""
    profile = {name: user.profile.get(name) or "" for name in PROFILE_FIELDS}
    return {
        **user_basic(site, user),
        "created_at": moment(user.created_at),
        **profile,
        "work_information": None,
        "followers": 0,
        "following": 0,
        "is_followed": False,
        "local_time": None,
        "bot": False,
    }


def user_public(site: Site, user: User) -> dict[str, Any]:
    """UserPublic: what people see of themselves."""
    return {
        **user_profile(site, user),
        "last_sign_in_at": moment(user.last_sign_in_at),
        "confirmed_at": moment(user.confirmed_at),
        "last_activity_on": user.last_activity_on,
        "email": user.email,
        "theme_id": user.profile.get("theme_id") or site.config.default_theme,
        "color_scheme_id": user.profile.get("color_scheme_id") or 1,
        "projects_limit": user.projects_limit,
        "current_sign_in_at": moment(user.current_sign_in_at),
        "identities": [
            # No more in the Community Edition (lib/api/entities/identity.rb).
            {"provider": i.provider, "extern_uid": i.extern_uid}
            for i in user.identities
        ],
        "can_create_group": user.can_create_group,
        "can_create_project": user.projects_limit > 0 and not user.external,
        "two_factor_enabled": False,
        "external": user.external,
        "private_profile": user.private_profile,
        "commit_email": user.profile.get("commit_email") or user.email,
        "preferred_language": "en",
        "shared_runners_minutes_limit": None,
        "extra_shared_runners_minutes_limit": None,
        "scim_identities": [],
    }


def users_with_admin(site: Site, session: Session, users: Iterable[User]) -> list[dict[str, Any]]:
    """UserWithAdmin, for a page of people at once."""
    users = list(users)
    creators = {u.created_by_id for u in users if u.created_by_id is not None}
    found = (session.get(User, number) for number in creators)
    by_id = {user.id: user_basic(site, user) for user in found if user is not None}
    return [
        {
            **user_public(site, user),
            "is_admin": user.is_admin,
            "note": user.profile.get("note") or None,
            "namespace_id": user.namespace_id,
            "created_by": by_id.get(user.created_by_id) if user.created_by_id else None,
        }
        for user in users
    ]


def user_with_admin(site: Site, session: Session, user: User) -> dict[str, Any]:
    """UserWithAdmin, for one person."""
    return users_with_admin(site, session, [user])[0]


def token(row: Token) -> dict[str, Any]:
    """PersonalAccessToken."""
    return {
        "id": row.id,
        "name": row.name,
        "revoked": row.revoked,
        "created_at": moment(row.created_at),
        "description": row.description,
        "scopes": list(row.scopes),
        "user_id": row.user_id,
        "last_used_at": moment(row.last_used_at),
        "active": row.active,
        "expires_at": day(row.expires_at),
    }


def impersonation_token(row: Token) -> dict[str, Any]:
    """ImpersonationToken."""
    return {**token(row), "impersonation": True}


def namespace_basic(site: Site, namespace: Namespace) -> dict[str, Any]:
    """NamespaceBasic."""
    group = namespace.kind == "group"
    return {
        "id": namespace.id,
        "name": namespace.name,
        "path": namespace.path,
        "kind": namespace.kind,
        "full_path": namespace.full_path,
        "parent_id": namespace.parent_id,
        "avatar_url": None,
        "web_url": site.url(
            f"/groups/{namespace.full_path}" if group else f"/{namespace.full_path}"
        ),
    }


GROUP_DEFAULTS: dict[str, Any] = {
    "share_with_group_lock": False,
    "require_two_factor_authentication": False,
    "two_factor_grace_period": 48,
    "project_creation_level": "developer",
    "auto_devops_enabled": None,
    "subgroup_creation_level": "maintainer",
    "emails_disabled": False,
    "emails_enabled": True,
    "show_diff_preview_in_email": True,
    "mentions_disabled": None,
    "lfs_enabled": True,
    "math_rendering_limits_enabled": True,
    "lock_math_rendering_limits_enabled": False,
    "default_branch": None,
    "default_branch_protection": 2,
    "request_access_enabled": True,
    "wiki_access_level": "enabled",
    "shared_runners_setting": "enabled",
}


def group(site: Site, row: Namespace) -> dict[str, Any]:
    """Group."""
    options = {name: row.options.get(name, default) for name, default in GROUP_DEFAULTS.items()}
    return {
        "id": row.id,
        "web_url": site.url(f"/groups/{row.full_path}"),
        "name": row.name,
        "path": row.path,
        "description": row.description,
        "visibility": row.visibility,
        **options,
        "avatar_url": None,
        "full_name": row.full_name,
        "full_path": row.full_path,
        "created_at": moment(row.created_at),
        "parent_id": row.parent_id,
        "organization_id": 1,
        "marked_for_deletion_on": day(row.marked_for_deletion_on),
    }


def member(site: Site, row: Member, creator: User | None = None) -> dict[str, Any]:
    """Member."""
    shown = {
        **user_basic(site, row.user),
        "access_level": row.access_level,
        "created_at": moment(row.created_at),
        "expires_at": day(row.expires_at),
        "membership_state": "active",
    }
    if creator is not None:
        shown["created_by"] = user_basic(site, creator)
    return shown
