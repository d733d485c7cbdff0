# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Protects a fork's default branch: its owner may push, and nobody may force-push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .calls import Calls, path_of
from .forks import Fork

MAINTAINER = 40
FULL = 2
"""GitLab's value for: maintainers push and merge, nobody force-pushes."""


def protected_by_gitlab(calls: Calls) -> bool:
    """Return whether GitLab's settings protect default branches of new forks as
    :func:`is_protected` demands, also if the process that asked for the fork was killed.
    """
    settings = calls.get("/application/settings")
    rule = settings.get("default_branch_protection_defaults") or {}
    levels = [
        {item.get("access_level") for item in rule.get(key, [])}
        for key in ("allowed_to_push", "allowed_to_merge")
    ]
    full = levels == [{MAINTAINER}, {MAINTAINER}] and not rule.get("allow_force_push")
    return full and settings.get("default_branch_protection", FULL) == FULL


def protection_of(calls: Calls, fork: Fork, branch: str) -> dict[str, Any] | None:
    """Return the protection rule of a branch, or ``None``."""
    found: dict[str, Any] | None = calls.find(
        path_of("projects", fork.id, "protected_branches", branch)
    )
    return found


def is_protected(rule: Mapping[str, Any] | None) -> bool:
    """Return whether only owner and maintainers may push, and nobody may force-push."""

    def levels(key: str) -> set[int]:
        return {int(item["access_level"]) for item in (rule or {}).get(key, [])}

    return (
        rule is not None
        and not rule.get("allow_force_push")
        and levels("push_access_levels") == levels("merge_access_levels") == {MAINTAINER}
    )


def protect(calls: Calls, fork: Fork, branch: str, rule: Mapping[str, Any] | None) -> None:
    """Protect the default branch: owner and maintainers may push, nobody may force-push.

    The free edition cannot change the levels of a rule: if they differ, the rule is recreated.
    """
    base = path_of("projects", fork.id, "protected_branches")
    one = base + path_of(branch)
    if rule is not None:
        if is_protected({**rule, "allow_force_push": False}):
            calls.patch(one, {"allow_force_push": False})
            return
        calls.remove(one)
    data = {
        "name": branch,
        "push_access_level": MAINTAINER,
        "merge_access_level": MAINTAINER,
        "allow_force_push": False,
    }
    calls.make(base, data, lambda: calls.find(one))
