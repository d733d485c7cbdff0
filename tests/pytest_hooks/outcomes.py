"""Write how a run ended to the file of `--outcomes`: `make test` repeats what may be a flake."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

ON_A_SERVER = ("tests/e2e/", "tests/molecule/")
BROWSERS = frozenset({"chromium", "window"})
"""Fixtures that start a browser."""
KEPT_DEMO = "demo-kept"
"""The file beside that of `--outcomes` that says that the demo was left for a second try."""


def may_be_a_flake(nodeid: str, fixtures: frozenset[str]) -> bool:
    """Tell whether a failed test is worth a second try: it works on a server or in a browser."""
    return nodeid.startswith(ON_A_SERVER) or bool(BROWSERS & fixtures)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--outcomes`."""
    parser.addoption("--outcomes", metavar="FILE", help="write how each test ended, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Collect outcomes where they are wanted: not in the workers, which report to their parent."""
    file = config.getoption("outcomes")
    if file and not hasattr(config, "workerinput") and not config.getoption("collectonly"):
        config.pluginmanager.register(_Writer(Path(file)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note in the report of a failure whether a second try may be worth it."""
    report = yield
    outcomes = item.config.getoption("outcomes")
    if report.failed and outcomes:
        fixtures = frozenset(getattr(item, "fixturenames", ()))
        report.may_be_a_flake = may_be_a_flake(item.nodeid, fixtures)  # type: ignore[attr-defined]
        if item.nodeid.startswith("tests/e2e/"):  # `demo down` reads it when these tests have ended
            os.environ["KEEP_DEMO"] = str(Path(outcomes).with_name(KEPT_DEMO).absolute())
    return report


class _Writer:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.may_be_flakes: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # a worker that died in a test reports it without our note
        if report.failed and getattr(
            report, "may_be_a_flake", may_be_a_flake(report.nodeid, frozenset())
        ):
            self.may_be_flakes.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        stats = session.config.pluginmanager.getplugin("terminalreporter").stats
        counts: Counter[str] = Counter()
        tests: dict[str, Counter[str]] = {}
        for category, reports in stats.items():
            for report in reports:
                if not category or not getattr(report, "count_towards_summary", True):
                    continue
                counts[category] += 1
                if isinstance(report, (pytest.TestReport, pytest.CollectReport)):
                    tests.setdefault(report.nodeid, Counter())[category] += 1
        known = {
            "counts": counts,
            "tests": tests,
            "may_be_flakes": sorted(self.may_be_flakes),
            "whole": not (session.shouldfail or session.shouldstop),
        }
        self.file.write_text(json.dumps(known, indent=1))
