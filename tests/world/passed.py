"""What is long and passed not long ago on what it is made from: `make test` need not repeat it.

CI starts from a clean checkout and repeats everything; so does `ATELIER_AGAIN=1`.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

from world import paths
from world.images import digest
from world.notes import read_json
from world.run import duration

KEPT = paths.CACHE / "world" / "passed"
GOOD_FOR_SECONDS = 24 * 3600.0
"""Packages that a scenario downloads change without a word: what passed yesterday runs again."""
COMMON = (
    ".config/molecule",
    "files",
    "galaxy.yml",
    "inventories",
    "meta",
    "molecule/_shared",
    "playbooks",
    "plugins",
    "requirements-dev.txt",
    "tests/gitlab_standin",
    "tests/molecule",
    "tests/world",
)
WHOLE_SITE = "default"
NAMED = re.compile(r"(?:mooc\.atelier\.|\broles/)([a-z_]+)")


def roles(scenario: str, root: Path = paths.ROOT) -> list[str]:
    """Return the roles that a scenario names, with those that they name; all for the whole site."""
    every = {path.name for path in (root / "roles").iterdir() if path.is_dir()}
    if scenario == WHOLE_SITE:
        return sorted(every)
    found: set[str] = set()
    waiting = {scenario, *_named(root / "molecule" / scenario)} & every
    while waiting:
        role = waiting.pop()
        found.add(role)
        waiting |= (_named(root / "roles" / role) & every) - found
    return sorted(found)


def _named(folder: Path) -> set[str]:
    return {
        name for path in folder.rglob("*.yml") for name in NAMED.findall(path.read_text("utf-8"))
    }


def inputs(scenario: str, root: Path = paths.ROOT) -> str:
    """Hash everything of the checkout that a scenario's outcome depends on, and the authorities."""
    parts = [f"molecule/{scenario}", *(f"roles/{role}" for role in roles(scenario, root))]
    return digest(*(root / name for name in (*COMMON, *parts)), *paths.ca_certificates())


def lately(name: str, wanted: str) -> str | None:
    """Tell that, and how long ago, it passed on these inputs; None: it has to run."""
    if os.environ.get("CI") or os.environ.get("ATELIER_AGAIN"):
        return None
    known = read_json(KEPT / f"{name}.json")
    if not known:
        return None
    age = time.time() - known["at"]
    good = known["inputs"] == wanted and 0 <= age < GOOD_FOR_SECONDS
    if not good:
        return None
    again = "ATELIER_AGAIN=1 runs it all the same"
    return f"passed {duration(age)} ago on the same sources; {again}"


def note(name: str, wanted: str) -> None:
    """Remember that it has passed on these inputs."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps({"inputs": wanted, "at": time.time()}))


def forget(name: str) -> None:
    """What runs has not passed, until it has."""
    (KEPT / f"{name}.json").unlink(missing_ok=True)
