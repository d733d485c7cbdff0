"""`make test` asks the linters first, and pytest for what its arguments name."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from world import lints, suite
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
    monkeypatch.setattr(suite.demo, "is_of_another_checkout", lambda: False)
    monkeypatch.setattr(suite.engine, "ensure", lambda: False)
    monkeypatch.setattr(suite.venv, "ensure", lambda: False)
    monkeypatch.setattr(suite.venv, "program", lambda name: name)
    monkeypatch.setattr(suite.paths, "RESULTS", tmp_path)
    monkeypatch.setattr(suite, "_alone", io.StringIO)
    monkeypatch.setattr(suite, "_pytest", pytest_run)
    monkeypatch.setattr(suite, "beside", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(lints, "LINTS", {"content": ("true",), "strict": ("sh", "-c", "exit 0")})
    return made


def test_all_findings_are_said_and_no_test_runs(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        monkeypatch.setitem(lints.LINTS, name, ("sh", "-c", f"echo found by {name}; exit 2"))
    with pytest.raises(WorldError) as said:
        suite.test([])
    assert "found by one" in str(said.value)
    assert "found by two" in str(said.value)
    assert "see what one, two found above" in str(said.value)
    assert calls == []


def test_pytest_does_not_run_the_linters_again(calls: Calls) -> None:
    assert suite.test(["-x"]) == 0
    (arguments,) = calls
    assert arguments[arguments.index("-m") + 1] == "not lint"
    assert arguments[-2:] == ["-x", "tests"]


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
