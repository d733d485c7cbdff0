"""Flakes are seen where they happen, and tests/flaky.md says when, and why or what was tried."""

from __future__ import annotations

import ast
import datetime
import re

import pytest
from pytest_hooks.outcomes import BROWSERS
from world import flakes, paths

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NODEID = re.compile(r"tests/\S+\.py::\S.*")
FEWEST_WORDS = 4


def mistakes(page: str) -> list[str]:
    """What is missing, by entry."""
    found = []
    _, *entries = re.split(r"^## ", FENCED.sub("", page), flags=re.MULTILINE)
    for entry in entries:
        name, _, body = entry.partition("\n")
        told = dict(re.findall(r"^(date|cause):[ \t]*(.*)$", body, re.MULTILINE))
        if not NODEID.fullmatch(name.strip()):
            found.append(f"{name}: not the name of a test")
        try:
            datetime.date.fromisoformat(told.get("date", ""))
        except ValueError:
            found.append(f"{name}: no date")
        if len(told.get("cause", "").split()) < FEWEST_WORDS:
            found.append(f"{name}: no cause")
    return found


def test_every_entry_has_a_date_and_a_cause() -> None:
    assert mistakes((paths.ROOT / flakes.NOTES).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("entry", "refused_for"),
    [
        ("date: 2026-11-30\ncause: the browser asks before nginx has loaded", []),
        ("date: 2026-13-30\ncause: the browser asks before nginx has loaded", ["no date"]),
        ("cause: the browser asks before nginx has loaded", ["no date"]),
        ("date: 2026-11-30\ncause:\n", ["no cause"]),
        ("date: 2026-11-30\ncause: unknown", ["no cause"]),
        ("", ["no date", "no cause"]),
    ],
)
def test_an_entry_without_them_is_refused(entry: str, refused_for: list[str]) -> None:
    name = "tests/e2e/test_site.py::test_a[one two]"
    assert mistakes(f"# Flakes\n\n## {name}\n{entry}") == [f"{name}: {why}" for why in refused_for]


def test_an_entry_names_a_test() -> None:
    page = "## the site\ndate: 2026-11-30\ncause: the browser asks before nginx has loaded"
    assert mistakes(page) == ["the site: not the name of a test"]


def test_every_fixture_that_starts_a_browser_is_known() -> None:
    found = set()
    for path in (paths.ROOT / "tests").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "sync_playwright(" not in text:
            continue
        for function in ast.parse(text).body:
            if isinstance(function, ast.FunctionDef) and function.decorator_list:
                source = ast.get_source_segment(text, function) or ""
                found |= {function.name} if "sync_playwright(" in source else set()
    assert found == BROWSERS
