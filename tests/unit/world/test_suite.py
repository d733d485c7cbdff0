"""`make test` asks the linters first, and pytest for what its arguments name."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from world import demo, lints, suite
from world.run import WorldError

Calls = list[list[str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Calls:
    """A machine that lacks nothing. Returns the arguments of the runs of pytest there."""
    made: Calls = []

    def pytest_run(arguments: list[str]) -> int:
        made.append(arguments)
        return 0

    for name in ("common", "programs"):
        monkeypatch.setattr(suite.needs, name, lambda *_: None)
    for name in ("is_of_another_checkout", "remove_server", "look_again"):
        monkeypatch.setattr(suite.demo, name, lambda: False)
    monkeypatch.setattr(suite.demo, "look", lambda *_: None)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(suite.engine, "ensure", lambda: False)
    monkeypatch.setattr(suite.venv, "ensure", lambda: False)
    monkeypatch.setattr(suite.venv, "program", lambda name: name)
    for name in ("JUNIT", "OUTCOMES", "KEPT_DEMO"):
        monkeypatch.setattr(suite, name, tmp_path / name)
    monkeypatch.setattr(suite.paths, "RESULTS", tmp_path)
    monkeypatch.setattr(suite, "_alone", io.StringIO)
    monkeypatch.setattr(suite, "_pytest", pytest_run)
    monkeypatch.setattr(suite, "beside", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(lints, "LINTS", {"content": ("true",), "strict": ("sh", "-c", "exit 0")})
    return made


def test_all_findings_are_said_and_no_test_runs(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        monkeypatch.setitem(lints.LINTS, name, ("sh", "-c", f"echo found by {name}; exit 2"))
    assert suite.test([]) == 1
    said = capsys.readouterr()
    assert "found by one" in said.err
    assert "found by two" in said.err
    assert "see what one, two found above" in said.err
    assert " 2 failed in 0." in said.out.splitlines()[-1]
    assert calls == []


def test_pytest_does_not_run_the_linters_again(calls: Calls) -> None:
    assert suite.test(["-x"]) == 0
    (arguments,) = calls
    assert arguments[arguments.index("-m") + 1] == "not lint"
    assert arguments[-2:] == ["-x", "tests"]


CASE = '<testcase classname="tests.e2e.test_site" name="test_a" time="90" />'


def write_run(arguments: list[str], category: str) -> None:
    """Write what a run of one test of the browser leaves."""
    options = dict(word.partition("=")[::2] for word in arguments)
    test, failed = "tests/e2e/test_site.py::test_a", category == "failed"
    ended = {
        "counts": {category: 1},
        "tests": {test: {category: 1}},
        "may_be_flakes": [test] if failed else [],
        "whole": True,
    }
    Path(options["--outcomes"]).write_text(json.dumps(ended))
    Path(options["--junit-xml"]).write_text(f"<testsuite>{CASE}</testsuite>")


@pytest.mark.parametrize("again", ["passed", "failed"])
def test_the_end_tells_of_both_tries(
    again: str,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tries = iter((("failed", 1), (again, int(again == "failed"))))
    removed = []

    def pytest_run(arguments: list[str]) -> int:
        category, code = next(tries)
        calls.append(arguments)
        write_run(arguments, category)
        (tmp_path / "KEPT_DEMO").touch()
        return code

    monkeypatch.setattr(suite, "JUNIT", tmp_path / "junit.xml")
    monkeypatch.setattr(suite, "_pytest", pytest_run)
    monkeypatch.setattr(suite, "stream", lambda what, *_, **__: removed.append((what, len(calls))))

    assert suite.test(["tests/e2e"]) == (again == "failed")
    said = capsys.readouterr().out.splitlines()
    assert f" 1 {again} in 0." in said[-1]
    assert ("FLAKY tests/e2e/test_site.py::test_a" in said) == (again == "passed")
    assert "bench test_minutes_e2e ours=3.00 peer=- ratio=- unit=min" in said
    assert said[-2].startswith("bench test_minutes_whole ours=")
    assert removed == [("removing the demo", 2)]


@pytest.mark.parametrize("selection", [["tests/quality"], ["-k", "tidy"], ["-m", "docker"]])
def test_a_selection_is_not_linted_first(
    selection: list[str], calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lints.LINTS, "one", ("false",))
    assert suite.test(selection) == 0
    (arguments,) = calls
    assert "not lint" not in arguments
    assert [word for word in arguments if word in selection] == selection


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ([], []),
        (["tests/unit", "-x", "tests/e2e/test_site.py::test_a[b]"],
         ["tests/unit", "tests/e2e/test_site.py::test_a[b]"]),
        (["-k", "files", "-n", "0", "--durations=3"], []),
    ],
)  # fmt: skip
def test_paths_are_told_from_values_of_options(arguments: list[str], paths: list[str]) -> None:
    assert suite.named_paths(arguments) == paths


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], True),
        (["-k", "site"], True),
        (["tests"], True),
        (["tests/unit", "tests/e2e/test_site.py::test_a"], True),
        (["./tests/e2e/"], True),
        (["tests/unit", "tests/molecule"], False),
        (["tests/e2e_of_another"], False),
    ],
)
def test_who_names_tests_without_the_demo_does_not_need_it(
    arguments: list[str], expected: bool
) -> None:
    assert suite.needs_demo(arguments) == expected


def another_demo(found: suite.needs.Needs, _: str | None) -> None:
    """What `demo.look` finds where another checkout's demo runs."""
    found.problems.append(demo.NAME_TAKEN)


def test_a_demo_of_another_checkout_is_named_before_anything_starts(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(suite.demo, "look", another_demo)
    monkeypatch.setattr(suite.engine, "ensure", lambda: bool(started.append("engine")))
    with pytest.raises(WorldError, match="Run make demo-down there"):
        suite.test([])
    assert (calls, started) == ([], [])
    assert suite.test(["tests/unit"]) == 0


def test_in_ci_it_is_removed(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = []
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(suite.demo, "look", another_demo)
    monkeypatch.setattr(suite.demo, "is_of_another_checkout", lambda: True)
    monkeypatch.setattr(suite.demo, "remove_server", lambda: removed.append("demo"))
    assert suite.test([]) == 0
    assert (removed, len(calls)) == (["demo"], 1)


def test_an_engine_that_did_not_run_is_asked_when_it_does_and_stopped_again(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = []

    def taken() -> None:
        raise WorldError(demo.NAME_TAKEN)

    monkeypatch.setattr(suite.engine, "ensure", lambda: True)
    monkeypatch.setattr(suite.engine, "stop_own", lambda: stopped.append("engine"))
    monkeypatch.setattr(suite.demo, "look_again", taken)
    with pytest.raises(WorldError, match="another checkout's demo"):
        suite.test([])
    assert (calls, stopped) == ([], ["engine"])
