"""Weaknesses are found or the part says that it could not look; what is left has its reason."""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from world import audit, locks, paths, soak
from world.run import WorldError

WEAK = {"name": "Jinja2", "version": "2.11.2", "vulns": [{"id": "PYSEC-2021-66"}]}
GOOD = {"name": "uv", "version": "1", "vulns": []}
UNKNOWN = {"name": "uv", "version": "1", "skip_reason": "not found on PyPI"}
ADVISORY = {"url": "https://github.com/advisories/GHSA-vh95-rmgr-6w4m", "title": "t"}


def pinned() -> dict[str, set[str]]:
    """The versions of each package in all locks."""
    found: dict[str, set[str]] = {}
    for item in locks.LOCKS:
        for name, version in locks.versions(item.lock.read_text(encoding="utf-8")).items():
            found.setdefault(f"pypi:{name}", set()).add(version)
    for folder in locks.NPM_FOLDERS:
        lock = json.loads((paths.ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
        for where, about in lock["packages"].items():
            if not where:
                continue
            name = about.get("name") or where.rpartition("node_modules/")[2]
            found.setdefault(f"npm:{name}", set()).add(about["version"])
    return found


def test_what_is_left_is_pinned_and_has_its_reason_and_day() -> None:
    with audit.KNOWN.open("rb") as file:
        listed = tomllib.load(file)["finding"]
    there = pinned()
    for item in listed:
        assert item.keys() == {"package", "version", "id", "date", "reason"}
        assert re.fullmatch(r"(GHSA(-\w{4}){3}|PYSEC-\d+-\d+|CVE-\d+-\d+)", item["id"])
        assert isinstance(item["date"], datetime.date)
        assert len(item["reason"].split()) >= 6, item["id"]
        versions = there.get(item["package"], set())
        assert item["version"] in versions, f"{item['id']} is history: remove it"
    assert len({(item["package"], item["id"]) for item in listed}) == len(listed)
    assert len(audit.known()) == len(listed)


def test_a_finding_has_to_be_in_the_list() -> None:
    found = audit.Finding("pypi:jinja2", "2.11.2", "PYSEC-2021-66")
    left = audit.Known("pypi:jinja2", "2.11.2", "PYSEC-2021-66", "2026-12-01", "why")
    audit.judge([found], [left])
    audit.judge([], [])
    with pytest.raises(WorldError, match=r"pypi:jinja2 2\.11\.2: PYSEC-2021-66"):
        audit.judge([found], [])


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the programs say, one after the other."""
    said: list[Any] = []
    monkeypatch.setattr(audit, "_json", lambda *_: said.pop(0))
    monkeypatch.setattr(audit, "known", list)
    return said


@pytest.mark.parametrize("canary", [GOOD, UNKNOWN])
def test_an_index_without_advisories_is_no_clean_bill(
    answers: list[Any], canary: dict[str, Any]
) -> None:
    answers += [{"dependencies": [canary]}]
    with pytest.raises(audit.NotRunError, match="publishes no advisories"):
        audit.python_set(locks.LOCKS[0])


def test_python_packages_are_looked_at(answers: list[Any]) -> None:
    weak = {"dependencies": [WEAK]}
    answers += [weak, {"dependencies": [GOOD]}]
    audit.python_set(locks.LOCKS[0])
    answers += [weak, weak]
    with pytest.raises(WorldError, match="PYSEC-2021-66"):
        audit.python_set(locks.LOCKS[0])
    answers += [weak, {"dependencies": [GOOD, UNKNOWN]}]
    with pytest.raises(audit.NotRunError, match="not looked at: uv"):
        audit.python_set(locks.LOCKS[0])


def test_javascript_packages_are_looked_at(answers: list[Any]) -> None:
    weak = {"vulnerabilities": {"minimist": {"via": [ADVISORY, "another-package"]}}}
    none: dict[str, Any] = {"vulnerabilities": {}}
    answers += [weak, none]
    audit.npm_set("files/toolbar")
    answers += [weak, weak]
    with pytest.raises(WorldError, match=r"npm:minimist .*GHSA-vh95-rmgr-6w4m"):
        audit.npm_set("files/toolbar")
    answers += [none]
    with pytest.raises(audit.NotRunError, match="publishes no advisories"):
        audit.npm_set("files/toolbar")
    answers += [{"message": "405 Method Not Allowed"}]
    with pytest.raises(audit.NotRunError, match="405 Method Not Allowed"):
        audit.npm_set("files/toolbar")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/nowhere/pip-audit"], "pip-audit is not here"),
        (["sh", "-c", "echo no network >&2; exit 1"], "pip-audit said: no network"),
        (["sh", "-c", "exit 1"], "pip-audit said: nothing"),
    ],
)
def test_a_program_that_does_not_answer_is_named(
    command: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(audit.NotRunError, match=said):
        audit._json("pip-audit", command, tmp_path)


def test_every_lock_has_its_part_of_the_soak() -> None:
    names = [part.name for part in soak.PARTS]
    assert len(set(names)) == len(names)
    audits = [name for name in names if name.startswith("audit")]
    assert len(audits) == len(locks.LOCKS) + len(locks.NPM_FOLDERS)
