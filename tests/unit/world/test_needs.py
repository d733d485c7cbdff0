"""`make demo` on a machine that lacks something says all of it at once and changes nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from world import demo, needs
from world.run import WorldError


def test_everything_missing_is_said_at_once_and_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(needs, "install", lambda _: pytest.fail("installed something"))
    found = needs.Needs(packages=["git"], problems=["12 GiB of free disk", "port 8443"])
    with pytest.raises(WorldError) as error:
        found.settle()
    assert "Nothing has been changed" in str(error.value)
    assert "12 GiB of free disk" in str(error.value)
    assert "port 8443" in str(error.value)


def test_a_taken_port_is_named_with_the_way_to_find_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = needs.Needs()
        needs.ports(found, [port], owner="no-such-container")
    assert f"port {port}" in found.problems[0]
    assert "ss -ltnp" in found.problems[0]


def test_without_root_a_missing_program_comes_with_the_command_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    found = needs.Needs()
    needs.programs(found, {"no-such-program": "its-package"})
    assert found.problems == ["the program no-such-program: sudo apt-get install its-package"]
    assert found.packages == []


def test_with_too_little_memory_the_amount_is_said() -> None:
    found = needs.Needs()
    needs.memory(found, 1 << 20)
    assert "GiB of memory (this machine has" in found.problems[0]


def test_a_user_without_docker_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(needs, "succeeds", lambda *_: False)
    monkeypatch.setattr(needs.shutil, "which", lambda _: None)
    found = needs.Needs()
    needs.common(found)
    assert any("apt-get install docker.io" in problem for problem in found.problems)


@pytest.mark.parametrize("there", [True, False])
def test_what_is_installed_for_its_programs_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: bool
) -> None:
    policy = tmp_path / "policy-rc.d"
    if there:
        policy.write_text("of the machine")
    said: list[str] = []

    def stream(what: str, *_: object, **__: object) -> None:
        if what.startswith("installing"):
            said.append(policy.read_text())

    monkeypatch.setattr(needs, "POLICY", policy)
    monkeypatch.setattr(needs, "stream", stream)
    monkeypatch.setattr(needs, "capture", lambda *words, **_: said.append(" ".join(words)))
    needs.install(["nginx"])
    assert said == [
        "of the machine" if there else needs.NOTHING_STARTS,
        "systemctl disable nginx",
    ]
    assert policy.exists() == there


def test_the_engine_s_client_comes_with_it_where_it_is_a_package_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(needs, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(needs, "stream", lambda what, *_, **__: said.append(what))
    # Known only once the lists of packages are there.
    monkeypatch.setattr(needs, "capture", lambda *_, **__: "docker-cli" if said else "")
    needs.install(["docker.io"])
    assert said[-1] == "installing docker.io docker-cli"


def test_a_policy_left_by_an_installation_that_was_killed_goes_with_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text(needs.NOTHING_STARTS)
    monkeypatch.setattr(needs, "POLICY", policy)
    monkeypatch.setattr(needs, "stream", lambda *_, **__: None)
    needs.install(["git"])
    assert not policy.exists()


def test_a_machine_without_docker_is_looked_at_to_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo, "VARS", tmp_path / "vars.yml")
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    assert not demo.is_of_another_checkout()
    with pytest.raises(WorldError, match=r"(?s)Nothing has been changed.*a Docker engine: "):
        demo.check(None)
