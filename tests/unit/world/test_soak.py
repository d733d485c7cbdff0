"""`make soak` says a line for each part, and goes on with those that have not passed."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import soak
from world.run import WorldError


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A soak of three parts, the second of which fails; returns the names of those that ran."""
    names: list[str] = []

    def part(name: str) -> soak.Part:
        def run(_: Path) -> None:
            names.append(name)
            if name == "second":
                raise WorldError("the server did not answer")

        return soak.Part(name, f"what {name} proves", run)

    monkeypatch.setattr(soak, "PARTS", tuple(part(name) for name in ("first", "second", "third")))
    monkeypatch.setattr(soak, "KEPT", tmp_path)
    monkeypatch.setattr(soak.paths, "RESULTS", soak.paths.ROOT / "test-results")
    monkeypatch.setattr(soak.demo, "check", lambda _: None)
    monkeypatch.setattr(soak.engine, "ensure", lambda: False)
    monkeypatch.setattr(soak.venv, "ensure", lambda: False)
    answers = {"rev-parse": "0123456789ab", "status": ""}
    monkeypatch.setattr(soak, "capture", lambda *words: answers[words[3]])
    return names


def test_each_part_has_its_line_and_a_failure_stops_none_of_the_others(
    ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert soak.soak([]) == 1
    assert ran == ["first", "second", "third"]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("soak ")]
    assert [line.partition(" after")[0].partition(" in")[0] for line in lines] == [
        "soak first: passed",
        "soak second: FAILED",
        "soak third: passed",
    ]


def test_the_next_soak_of_the_same_commit_runs_what_has_not_passed(ran: list[str]) -> None:
    soak.soak([])
    ran.clear()
    assert soak.soak([]) == 1
    assert ran == ["second"]
    ran.clear()
    soak.soak(["--again"])
    assert ran == ["first", "second", "third"]


def test_with_changes_that_are_not_committed_nothing_is_remembered(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"rev-parse": "0123456789ab", "status": " M Makefile"}
    monkeypatch.setattr(soak, "capture", lambda *words: answers[words[3]])
    soak.soak([])
    ran.clear()
    soak.soak([])
    assert ran == ["first", "second", "third"]


def test_parts_are_chosen_by_a_word_and_a_wrong_one_names_them(ran: list[str]) -> None:
    assert soak.soak(["-k", "ir"]) == 0
    assert ran == ["first", "third"]
    with pytest.raises(WorldError, match="first, second, third"):
        soak.soak(["-k", "fourth"])


def test_a_part_that_could_not_look_has_neither_passed_nor_failed(
    ran: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_: Path) -> None:
        ran.append("audit")
        raise soak.audit.NotRunError("the index publishes no advisories")

    monkeypatch.setattr(soak, "PARTS", (soak.Part("audit", "no known weakness", run),))
    for _ in range(2):
        assert soak.soak([]) == 0
    assert ran == ["audit", "audit"], "not remembered as passed"
    said = "soak audit: not run: the index publishes no advisories\n"
    assert capsys.readouterr().out.count(said) == 2
