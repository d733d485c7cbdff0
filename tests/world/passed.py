"""What is long and passed not long ago on what it is made from: `make test` need not repeat it.

CI starts from a clean checkout and repeats everything; so does `ATELIER_AGAIN=1`.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Mapping
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
PRODUCT = (
    "files",
    "galaxy.yml",
    "inventories",
    "meta",
    "molecule",
    "playbooks",
    "plugins",
    "roles",
)
DEPENDS = {
    "tests/e2e/": PRODUCT,
    "tests/gitlab_standin/": (),
    "tests/integration/modules/": ("galaxy.yml", "meta", "plugins"),
    "tests/integration/": PRODUCT,
    "tests/lms/": (),
}
"""Folders of long tests, with what of the product they try; the first that fits counts."""
TOOLS = (
    "Makefile",
    "pyproject.toml",
    "requirements-dev.txt",
    "tests/conftest.py",
    "tests/devsite",
    "tests/gitlab_standin",
    "tests/hostile",
    "tests/kit",
    "tests/lms",
    "tests/pytest_hooks",
    "tests/world",
)
"""What tests work with, wherever they are."""
TOGETHER = "tests/e2e/"
"""These tests share the demo: they pass together, or not at all."""
WHOLE_SITE = "default"
GOOD = frozenset({"passed", "skipped", "xfailed"})
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


def unit(nodeid: str) -> str | None:
    """Return what a long test passes with, its file or the demo's folder; None for a quick one."""
    if nodeid.startswith(TOGETHER):
        return TOGETHER
    return nodeid.partition("::")[0] if nodeid.startswith(tuple(DEPENDS)) else None


def units(root: Path = paths.ROOT) -> dict[str, str]:
    """Hash, for each file of long tests and for the demo's, all that its outcome depends on."""
    tools = digest(*(root / name for name in TOOLS), *paths.ca_certificates())
    product = {name: digest(root / name) for name in PRODUCT}
    found = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = unit(path.relative_to(root).as_posix())
        if name and name not in found:
            needed = next(parts for folder, parts in DEPENDS.items() if name.startswith(folder))
            own = [root / name] if name == TOGETHER else [path, *_helpers(path.parent)]
            found[name] = digest(tools, *(product[part] for part in needed), *own)
    return found


def _helpers(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    own = [path for path in files if not path.name.startswith("test_")]
    return sorted(path for path in own if "__pycache__" not in path.parts)


def note_units(before: Mapping[str, str], tests: Mapping[str, Mapping[str, int]]) -> None:
    """Remember which files passed in a whole run, and forget those that did not.

    Args:
        before: what `units` said when the run began.
        tests: for each test, how often it ended how, by pytest's category.
    """
    ended: dict[str, set[str]] = {}
    for nodeid, categories in tests.items():
        if name := unit(nodeid):
            ended.setdefault(name, set()).update(kind for kind, n in categories.items() if n)
    for name, kinds in ended.items():
        if kinds - GOOD:
            forget(_file(name))
        elif "passed" in kinds and name in before:
            note(_file(name), before[name])


def units_lately(nodeids: Iterable[str]) -> dict[str, str]:
    """Return, for tests that passed lately on the same sources, the sentence that says so."""
    said: dict[str, str] = {}
    if _everything():
        return said
    now = units()
    for nodeid in nodeids:
        name = unit(nodeid)
        if name in now and (sentence := lately(_file(name), now[name])):
            said[nodeid] = sentence
    return said


def _file(name: str) -> str:
    return name.strip("/").removesuffix(".py").replace("/", ".")


def _everything() -> bool:
    return bool(os.environ.get("CI") or os.environ.get("ATELIER_AGAIN"))


def lately(name: str, wanted: str) -> str | None:
    """Tell that, and how long ago, it passed on these inputs; None: it has to run."""
    if _everything():
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
