"""The state of a site, reduced to what is equal on two servers installed from the same settings.

Secrets are made on each server: names stand for their values before anything is hashed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from world import paths
from world.images import digest
from world.target import Target

KEPT = paths.CACHE / "world" / "fingerprints"
SOURCES = ("files", "inventories", "playbooks", "plugins", "roles")
DEMO_LOCK = "demo-up"  # held while the demo comes up, for who waits for its state
LOOK = Path(__file__).with_name("inside") / "state.py"


def take(target: Target, own: dict[str, str]) -> dict[str, Any]:
    """Look at a server.

    Args:
        target: the server.
        own: the inventory's values that belong to this server alone, and names to replace them.
    """
    script = LOOK.read_text(encoding="utf-8")
    state: dict[str, Any] = json.loads(target.run("python3", "-c", script, stdin=json.dumps(own)))
    return state


def sources() -> str:
    """Hash what a site is installed from: fingerprints compare only between equal sources."""
    return digest(*(paths.ROOT / name for name in SOURCES))


def keep(name: str, state: dict[str, Any]) -> Path:
    """Write a fingerprint with the sources it belongs to."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{name}.json"
    path.write_text(json.dumps({"sources": sources(), "state": state}, indent=1, sort_keys=True))
    return path


def kept(name: str) -> dict[str, Any] | None:
    """Return the fingerprint kept under a name, if it belongs to the present sources."""
    path = KEPT / f"{name}.json"
    if not path.exists():
        return None
    known = json.loads(path.read_text())
    state: dict[str, Any] = known["state"]
    return state if known["sources"] == sources() else None


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Name every place where two fingerprints differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted({*one, *other})
            for line in differences(one.get(key), other.get(key), f"{where}/{key}")
        ]
    return [] if one == other else [f"{where}: {one!r} and {other!r}"]
