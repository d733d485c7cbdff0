"""`make role` names what there is, and touches no other checkout's server."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml
from world import needs, paths, role, venv
from world.run import WorldError
from world.target import Target


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """molecule is not run: these are the words it would have been given.

    The scenario's lock is not taken: the scenario itself may be at work in the same run.
    """
    given: list[list[str]] = []

    def molecule(step: str, scenario: str, *, quiet: bool = False) -> int:
        del quiet
        given.append([step, scenario])
        return 3 if step == "verify" else 0

    monkeypatch.setattr(role, "_molecule", molecule)
    monkeypatch.setattr(role.images, "lock", nullcontext)
    monkeypatch.setattr(role.engine, "ensure", lambda: False)
    monkeypatch.setattr(role.engine, "stop_own", lambda: None)
    monkeypatch.setattr(needs, "common", lambda _: None)
    monkeypatch.setattr(venv, "ensure", lambda: False)
    monkeypatch.setattr(Target, "state", lambda _: "running")
    monkeypatch.setattr(Target, "checkout", lambda _: paths.ROOT)
    return given


@pytest.mark.parametrize(
    ("scenario", "step", "said"),
    [
        ("", "", "Which scenario?"),
        ("", "verify", "Which scenario?"),
        ("ngnix", "", "There is no scenario ngnix"),
        ("nginx", "convergence", "There is no step convergence"),
    ],
)
def test_what_is_unknown_is_answered_with_what_there_is(
    scenario: str, step: str, said: str, steps: list[list[str]]
) -> None:
    with pytest.raises(WorldError, match=f"(?s){said}.*scenarios: .*nginx.*steps: .*converge"):
        role.run(scenario, step)
    assert steps == []


@pytest.mark.parametrize("scenario", role.scenarios())
def test_the_servers_of_a_scenario_are_those_of_its_platforms(scenario: str) -> None:
    settings = yaml.safe_load((role.FOLDER / scenario / "molecule.yml").read_text())
    assert role.server_names(scenario) == [one["name"] for one in settings["platforms"]]


def test_without_a_step_the_role_is_installed_and_looked_at(
    steps: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert role.run("nginx") == 3  # as verify ended
    assert steps == [["converge", "nginx"], ["verify", "nginx"]]
    assert "make role R=nginx STEP=destroy" in capsys.readouterr().out


def test_one_step_is_one_step(steps: list[list[str]]) -> None:
    assert role.run("nginx", "side-effect") == 0
    assert steps == [["side-effect", "nginx"]]


def test_a_server_that_is_gone_is_forgotten_first(
    steps: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Target, "state", lambda _: "")
    role.run("nginx", "converge")
    assert steps == [["reset", "nginx"], ["converge", "nginx"]]


def test_a_server_that_was_stopped_is_started_first(
    steps: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(Target, "state", lambda _: "exited")
    monkeypatch.setattr(Target, "up", lambda server: started.append(server.name))
    role.run("nginx", "converge")
    assert started == ["atelier-mol-nginx"]
    assert steps == [["converge", "nginx"]]


@pytest.mark.parametrize("step", ["", "destroy", "login"])
def test_another_checkouts_server_is_left_alone(
    step: str, steps: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Target, "checkout", lambda _: Path("/another"))
    with pytest.raises(WorldError, match="make -C /another role R=nginx STEP=destroy"):
        role.run("nginx", step)
    assert steps == []
