"""Minutes by directory, and a report that has both tries of a flake."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import junit

REPORT = """<testsuites><testsuite name="pytest" tests="5" failures="1" errors="2" skipped="0">
<testcase classname="tests.unit.world.test_run" name="test_a" time="6" />
<testcase classname="tests.integration.modules.test_forks.TestMany" name="test_b[x.y]" time="90" />
<testcase classname="tests.e2e.test_site" name="test_c" time="120"><failure>no</failure></testcase>
<testcase classname="tests.e2e.test_site" name="test_c" time="30"><error>no</error></testcase>
<testcase classname="" name="pytest" time="60"><error>interrupted</error></testcase>
</testsuite></testsuites>"""
SECOND = """<testsuites><testsuite name="pytest" tests="1">
<testcase classname="tests.e2e.test_site" name="test_c" time="15" />
</testsuite></testsuites>"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "junit.xml"
    path.write_text(REPORT)
    return path


def test_minutes_are_added_up_by_directory_the_longest_first(report: Path) -> None:
    assert list(junit.minutes(report).items()) == [
        ("e2e", 2.5),
        ("integration_modules", 1.5),
        ("unit", 0.1),
    ]


def test_a_second_try_replaces_both_entries_of_the_first(report: Path, tmp_path: Path) -> None:
    (tmp_path / "second.xml").write_text(SECOND)
    junit.put_in(report, tmp_path / "second.xml")
    text = report.read_text()
    assert text.count("test_c") == 1
    assert "<failure>" not in text
    assert 'tests="4" failures="0" errors="1"' in text
    assert junit.minutes(report)["e2e"] == 2.75


def test_the_table_ends_with_the_whole_run() -> None:
    assert junit.table({"e2e": 12.345, "unit": 0.04}, 25.5).splitlines() == [
        "    12.3 min  e2e",
        "     0.0 min  unit",
        "    25.5 min  from beginning to end",
    ]
