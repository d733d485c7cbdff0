# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""The result of the module for forks."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .._run.changes import Changes
from . import fork_sync
from . import session as _session
from .bulk import Outcome
from .fork_sync import ABSENT, NONE, PRESENT, ForkSync, Plan

IDLE = frozenset({"unchanged", "failed", "untried"})


def result_of(
    session: _session.Session, plan: Plan, keeper: ForkSync, changes: Changes, outcome: Outcome,
    total: int, confirmed: bool,
) -> dict[str, Any]:  # fmt: skip
    """Return the module's result."""
    if plan.state == ABSENT and not confirmed:
        for entry in keeper.entries.values():
            entry.done = "unchanged"
    for name in outcome.failed:
        keeper.entries[name].done = "failed"
    for name in outcome.untried:
        keeper.entries.setdefault(name, fork_sync.Entry(name)).done = "untried"
    entries = [entry for _, entry in sorted(keeper.entries.items())]
    result: dict[str, Any] = {
        "changed": any(entry.done not in IDLE for entry in entries),
        "forks": [entry.result() for entry in entries],
        "summary": dict(Counter(entry.done for entry in entries)),
        "requests": session.requests(),
        "diff": changes.diff(),
    }
    if plan.update != NONE and plan.state == PRESENT:
        result["updates"] = dict(Counter(entry.update for entry in entries if entry.update))
    result |= _session.failure(outcome, total, session.explain)
    lost = [entry.lost for entry in entries if entry.lost is not None]
    if lost:
        result["lost"] = lost
    if lost and not confirmed:
        touched = sum(item["own_commits"] for item in lost)
        result["failed"] = True
        result["msg"] = (
            f"Deleting {len(lost)} forks would delete {touched} that hold learners' own commits, "
            "see `lost`. Nothing was deleted: set confirm_absent to true if that is meant. "
            f"{result.get('msg', '')}"
        ).strip()
    return result
