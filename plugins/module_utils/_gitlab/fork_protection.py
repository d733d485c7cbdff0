# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""The protection of a fork's default branch: its owner pushes, nobody forces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .calls import Calls, path_of
from .forks import Fork

MAINTAINER = 40
FULL = 2
"""GitLab's number for: maintainers push and merge, nobody forces."""


def protected_by_gitlab(calls: Calls) -> bool:
    """Whether this GitLab protects a fork's default branch by itself, as :func:`well_protected`
    wants it, when it has copied the repository; whoever asked for the copy and whatever became of
    them.
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
    """The rule that protects a branch, ``None`` when none does."""
    found: dict[str, Any] | None = calls.find(
        path_of("projects", fork.id, "protected_branches", branch)
    )
    return found


def well_protected(rule: Mapping[str, Any] | None) -> bool:
    """Whether owner and maintainers, and they only, may push, and nobody may force."""

    def levels(key: str) -> set[int]:
        return {int(item["access_level"]) for item in (rule or {}).get(key, [])}

    return (
        rule is not None
        and not rule.get("allow_force_push")
        and levels("push_access_levels") == levels("merge_access_levels") == {MAINTAINER}
    )


def protect(calls: Calls, fork: Fork, branch: str, rule: Mapping[str, Any] | None) -> None:
    """Protect the default branch: the owner and maintainers push, nobody forces.

    The free edition cannot change the levels of a rule: where they differ it is made anew.
    """
    base = path_of("projects", fork.id, "protected_branches")
    one = base + path_of(branch)
    if rule is not None:
        if well_protected({**rule, "allow_force_push": False}):
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
