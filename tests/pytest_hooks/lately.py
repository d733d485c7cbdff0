"""`--skip-passed`: what is long and passed lately on the same sources is skipped, and says when."""

from __future__ import annotations

import pytest
from world import passed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--skip-passed`."""
    parser.addoption(
        "--skip-passed",
        action="store_true",
        help="skip long tests that passed within a day on the same sources",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what need not run again."""
    if not config.getoption("skip_passed"):
        return
    said = passed.units_lately(item.nodeid for item in items)
    for item in items:
        if item.nodeid in said:
            item.add_marker(pytest.mark.skip(reason=said[item.nodeid]))
