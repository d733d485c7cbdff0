"""Importing this registers every operation."""

from gitlab_standin.api import (
    commits,
    files,
    forks,
    groups,
    instance,
    members,
    merge_requests,
    projects,
    protected,
    repository,
    tokens,
    user_states,
    users,
)

__all__ = [
    "commits",
    "files",
    "forks",
    "groups",
    "instance",
    "members",
    "merge_requests",
    "projects",
    "protected",
    "repository",
    "tokens",
    "user_states",
    "users",
]
