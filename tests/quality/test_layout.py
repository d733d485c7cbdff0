"""Where code of the tests lives: what several kinds of tests share is in ``tests/kit``."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from world import paths

TESTS = paths.ROOT / "tests"
KINDS = ("benchmarks", "e2e", "integration", "molecule", "quality", "soak", "unit")
MODULES = sorted(path for kind in KINDS for path in (TESTS / kind).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, as absolute names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_module_imports_tests_of_another_kind(path: Path) -> None:
    own = path.relative_to(TESTS).parts[0]
    others = {name for name in imported(path) if name.partition(".")[0] in {*KINDS} - {own}}
    assert not others, "what several kinds of tests share belongs in tests/kit"


@pytest.mark.parametrize("path", sorted((TESTS / "kit").rglob("*.py")), ids=lambda path: path.stem)
def test_the_kit_imports_no_tests(path: Path) -> None:
    assert not {name for name in imported(path) if name.partition(".")[0] in KINDS}
