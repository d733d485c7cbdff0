"""Real runs of pytest in a small project: a test in a browser fails first, then passes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from world import flakes, paths
from world.outcome import Outcome

pytestmark = pytest.mark.long

TESTS = {
    "tests/e2e/test_site.py": """
        import os, pathlib, pytest

        @pytest.fixture(scope="module", autouse=True)
        def demo():
            yield
            pathlib.Path("results/keep.log").write_text(os.environ.get("KEEP_DEMO", "no"))

        @pytest.mark.parametrize("word", ["a b", "sure"])
        def test_first_time_bad(word):
            log = pathlib.Path("results/demo.log")
            tries = log.read_text().count(word) if log.exists() else 0
            with log.open("a") as more:
                more.write(word + "\\n")
            assert tries or word == "sure"
    """,
    "tests/integration/test_window.py": """
        import pathlib, pytest

        @pytest.fixture
        def window():
            yield
            tried = pathlib.Path("results/tried.log")
            if not tried.exists():
                tried.touch()
                raise RuntimeError("the browser does not close")

        def test_with_a_browser(window):
            pass

        def test_without():
            pass
    """,
    "tests/unit/test_plain.py": """
        import pathlib

        def test_unit():
            bad = pathlib.Path("results/unit-is-bad")
            if bad.exists():
                bad.unlink()
                assert False
    """,
}
WINDOW = "tests/integration/test_window.py::test_with_a_browser"
SITE = "tests/e2e/test_site.py::test_first_time_bad[a b]"


class Project:
    """A project with a test folder, and runs of pytest in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results = root / "results"
        self.results.mkdir()
        (root / "pytest.ini").write_text("[pytest]\n")
        for name, text in TESTS.items():
            (root / name).parent.mkdir(parents=True)
            lines = text.strip("\n").splitlines()
            (root / name).write_text("\n".join(line[8:] for line in lines))
        self.runs: list[list[str]] = []

    def pytest(self, arguments: Sequence[str]) -> int:
        self.runs.append(list(arguments))
        plugins = ["-p", "xdist", "-p", "pytest_hooks.outcomes"]
        command = [sys.executable, "-m", "pytest", *plugins, *arguments]
        env = {
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(paths.ROOT / "tests"),
        }
        done = subprocess.run(command, cwd=self.root, env=env, capture_output=True, check=False)
        return done.returncode

    def first(self, *arguments: str) -> tuple[int, Outcome]:
        """The run that may have flakes."""
        report, outcomes = self.results / "junit.xml", self.results / "outcomes.json"
        code = self.pytest(
            ["-n", "2", f"--junit-xml={report}", f"--outcomes={outcomes}", *arguments, "tests"]
        )
        outcome = Outcome.read(outcomes)
        assert outcome is not None
        return code, outcome

    def second(self, first: Outcome) -> Outcome:
        """The second try of what the first gives reason to repeat."""
        repeated = first.to_repeat()
        return flakes.second_try(first, repeated, self.pytest, since=0, results=self.results)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_flakes_do_not_fail_the_run_and_both_tries_are_kept(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code, first = project.first()
    assert code == 1
    assert dict(first.counts) == {"failed": 1, "passed": 4, "error": 1}
    assert first.to_repeat() == [SITE, WINDOW]
    note = project.results / "demo-kept"
    assert (project.results / "keep.log").read_text() == str(note)  # when the demo is to be removed

    both = project.second(first)
    assert project.runs[1][-2:] == [SITE, WINDOW]
    assert dict(both.counts) == {"passed": 5}
    assert both.failed == set()
    said = capsys.readouterr().out.splitlines()
    assert said[-3:-1] == [f"FLAKY {SITE}", f"FLAKY {WINDOW}"]
    assert said[-1] == "An entry is owed in tests/flaky.md. Both tries: results/flaky/"

    kept = project.results / "flaky"
    assert (kept / "first/demo.log").read_text().count("a b") == 1
    assert (kept / "second/demo.log").read_text().count("a b") == 2
    assert suite(kept / "first/junit.xml")["failures"] == "1"
    assert suite(kept / "second/junit.xml")["tests"] == "2"
    whole = suite(project.results / "junit.xml")
    counted = {name: whole[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "5", "failures": "0", "errors": "0", "skipped": "0"}


def test_a_unit_test_that_fails_is_not_tried_again(project: Project) -> None:
    (project.results / "unit-is-bad").touch()
    _, first = project.first()
    both = project.second(first)
    assert both.failed == {"tests/unit/test_plain.py::test_unit"}
    assert dict(both.counts) == {"failed": 1, "passed": 4}
    assert suite(project.results / "junit.xml")["failures"] == "1"


def test_a_run_that_stops_at_its_first_failure_is_not_repeated(project: Project) -> None:
    _, first = project.first("-n0", "-x")
    assert first.failed
    assert first.to_repeat() == []


def suite(report: Path) -> dict[str, str]:
    """The attributes of a report's suite."""
    (found,) = ElementTree.parse(report).iter("testsuite")  # noqa: S314 - pytest wrote it
    return found.attrib
