"""What is known of weaknesses in the pinned packages: parts of `make soak`.

A registry that does not publish advisories answers like one that knows of none. So a package with
a weakness known for years is asked about first: what does not find that one has not looked.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from world import locks, npm, paths, venv
from world.run import WorldError

KNOWN = Path(__file__).with_name("advisories.toml")
SECONDS = 600
PYPI_CANARY = "jinja2==2.11.2\n"
"""CVE-2020-28493, since 2021."""
NPM_CANARY = ("minimist", "0.0.8")
"""CVE-2020-7598, since 2020."""


class NotRunError(WorldError):
    """A part could not look at what it is for."""


@dataclass(frozen=True, order=True)
class Finding:
    """A weakness of a package.

    Attributes:
        package: `pypi:name` or `npm:name`.
        version: the one that is pinned; empty where the registry does not say.
        id: of the advisory.
    """

    package: str
    version: str
    id: str


@dataclass(frozen=True)
class Known:
    """A finding that was looked at and left, with the reason and the day."""

    package: str
    version: str
    id: str
    date: str
    reason: str


def known() -> list[Known]:
    """Return the findings that were looked at and left."""
    with KNOWN.open("rb") as file:
        return [
            Known(**{key: str(value) for key, value in item.items()})
            for item in tomllib.load(file)["finding"]
        ]


def judge(found: Iterable[Finding], left: Iterable[Known]) -> None:
    """Compare what was found with what was left.

    Raises:
        WorldError: something is not in the list.
    """
    listed = {(item.package, item.id) for item in left}
    new = [item for item in sorted(set(found)) if (item.package, item.id) not in listed]
    if new:
        lines = "\n".join(f"   {item.package} {item.version}: {item.id}" for item in new)
        raise WorldError(
            f"{lines}\n   Upgrade (make pins ARGS=--renew), or list it in {KNOWN.name},"
            " with a reason."
        )


def _json(what: str, command: list[str], folder: Path) -> Any:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=venv.full_environment(npm.trust()),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return json.loads(done.stdout)
    except FileNotFoundError as error:
        raise NotRunError(f"{what} is not here ({error.filename})") from error
    except subprocess.TimeoutExpired as error:
        raise NotRunError(f"{what} did not answer within {SECONDS} s") from error
    except json.JSONDecodeError as error:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise NotRunError(f"{what} said: {said[:200]}") from error


def _pip_audit(requirements: Path) -> tuple[list[Finding], list[str]]:
    """Return what is known of a lock's packages, and what nothing could be learned of."""
    command = [venv.program("pip-audit"), "--requirement", str(requirements), "--no-deps"]
    command += ["--disable-pip", "--progress-spinner", "off", "--format", "json"]
    read = _json("pip-audit", command, requirements.parent)
    packages = read["dependencies"]
    return (
        [
            Finding(f"pypi:{locks.canonical(about['name'])}", about["version"], weakness["id"])
            for about in packages
            for weakness in about.get("vulns", [])
        ],
        [
            f"{about['name']}: {about['skip_reason']}"
            for about in packages
            if "skip_reason" in about
        ],
    )


def _npm_audit(folder: Path) -> list[Finding]:
    command = ["npm", "audit", "--json", "--package-lock-only"]
    read = _json("npm audit", command, folder)
    if "vulnerabilities" not in read:
        why = read.get("message") or read.get("error", {}).get("summary") or "an error"
        raise NotRunError(f"the registry's list of advisories is not to be had: {why}")
    return [
        Finding(f"npm:{name}", "", str(via["url"]).rpartition("/")[2])
        for name, about in read["vulnerabilities"].items()
        for via in about["via"]
        if isinstance(via, dict)
    ]


def python_set(item: locks.Lock) -> None:
    """Look at a lock of Python packages.

    Raises:
        NotRunError: the index publishes no advisories, or could not be asked.
        WorldError: there is one that is not in the list of those that were left.
    """
    with tempfile.TemporaryDirectory(prefix="atelier-audit-") as folder:
        canary = Path(folder) / "requirements.txt"
        canary.write_text(PYPI_CANARY, encoding="utf-8")
        if not _pip_audit(canary)[0]:
            name = PYPI_CANARY.strip()
            raise NotRunError(f"the index publishes no advisories (it knows of none for {name})")
    found, skipped = _pip_audit(item.lock)
    if skipped:
        raise NotRunError("not looked at: " + "; ".join(skipped))
    judge(found, known())


def npm_set(name: str) -> None:
    """Look at a lock of JavaScript packages, with what only its build needs.

    Raises:
        NotRunError: the registry publishes no advisories, or could not be asked.
        WorldError: there is one that is not in the list of those that were left.
    """
    with tempfile.TemporaryDirectory(prefix="atelier-audit-") as folder:
        package, version = NPM_CANARY
        lock = {
            "name": "canary",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "packages": {
                "": {"name": "canary", "version": "1.0.0", "dependencies": {package: version}},
                f"node_modules/{package}": {"version": version},
            },
        }
        root: Any = lock["packages"]
        (Path(folder) / "package.json").write_text(json.dumps(root[""]), encoding="utf-8")
        (Path(folder) / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
        if not _npm_audit(Path(folder)):
            raise NotRunError(
                f"the registry publishes no advisories (it knows of none for {package} {version})"
            )
    judge(_npm_audit(paths.ROOT / name), known())
