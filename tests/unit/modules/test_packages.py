"""The module `packages`: dpkg is asked first, and apt only for what is missing."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.action.packages import ActionModule
from ansible_collections.mooc.atelier.plugins.modules import packages
from kit.modules import Ran, run

HALF = "The following packages have been unpacked but not yet configured: half. configure them"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the doubles of dpkg and dpkg-query know; nobody waits."""
    monkeypatch.setenv("PATH", f"{Path(__file__).parent / 'doubles'}:{os.environ['PATH']}")
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.setattr(packages, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(packages, "LISTS", tmp_path / "lists")
    (tmp_path / "packages").write_text(
        "nginx amd64 installed\nlibc6 amd64 installed\nremoved all config-files\n"
        "gone all not-installed\nhalf all half-configured\n"
    )
    (tmp_path / "audit").touch()
    (tmp_path / "locked").write_text("0\n")
    return tmp_path


def ask(*names: str, check: bool = False) -> Ran:
    return run("packages", check=check, name=list(names))


def configured(state: Path) -> int:
    """How often dpkg was told to finish what was begun."""
    command = "dpkg --configure -a --force-confold (noninteractive)"
    return (state / "log").read_text().splitlines().count(command)


def test_installed_packages_are_nothing_to_do(state: Path) -> None:
    ran = ask("nginx", "libc6:amd64", "libc6")
    assert (ran.changed, ran.result["missing"], ran.result["usable"]) == (False, [], True)
    assert configured(state) == 0


@pytest.mark.usefixtures("state")
def test_what_is_unknown_removed_half_done_or_of_another_architecture_is_missing() -> None:
    names = ["removed", "unknown", "gone", "half", "libc6:i386"]
    ran = ask("nginx", *names)
    assert (ran.changed, ran.result["missing"], ran.result["usable"]) == (True, names, False)


@pytest.mark.usefixtures("state")
def test_no_name_is_nothing_to_do() -> None:
    assert ask().result["missing"] == []


def test_a_broken_database_is_not_taken_for_an_empty_one(state: Path) -> None:
    (state / "corrupt").touch()
    assert "parsing file" in ask("nginx").failure


@pytest.mark.parametrize("locked", [0, 1, packages.TRIES - 1])
def test_an_installation_that_was_cut_short_is_finished_first(state: Path, locked: int) -> None:
    (state / "audit").write_text(HALF)
    (state / "locked").write_text(f"{locked}\n")
    ran = ask("half")
    assert (ran.changed, ran.result["missing"]) == (True, [])
    assert configured(state) == locked + 1
    assert not ask("half").changed


def test_somebody_elses_lock_is_not_waited_for_without_end(state: Path) -> None:
    (state / "audit").write_text(HALF)
    (state / "locked").write_text(f"{packages.TRIES}\n")
    assert "locked by another process" in ask("half").failure
    assert configured(state) == packages.TRIES


def test_a_package_that_cannot_be_finished_is_soon_told(state: Path) -> None:
    (state / "audit").write_text(HALF)
    (state / "broken").touch()
    assert "its script failed" in ask("half").failure
    assert configured(state) == packages.TRIES_UNLOCKED


def test_what_dpkg_complains_of_and_cannot_finish_is_no_change(state: Path) -> None:
    (state / "audit").write_text("The following packages are missing the list control file: nginx")
    assert not ask("nginx").changed


def test_check_mode_finishes_nothing(state: Path) -> None:
    (state / "audit").write_text(HALF)
    ran = ask("half", check=True)
    assert (ran.changed, ran.result["missing"], configured(state)) == (True, ["half"], 0)


@pytest.mark.parametrize("there", [True, False])
def test_lists_were_fetched_where_one_is_there(state: Path, there: bool) -> None:
    (state / "lists/partial").mkdir(parents=True)
    (state / "lists/lock").touch()
    if there:
        (state / "lists/deb.example_dists_trixie_main_binary-amd64_Packages.lz4").touch()
    assert ask("nginx").result["lists_there"] is there


LOOKED = {"changed": True, "missing": ["nginx"], "usable": False}


def act(
    looked: dict[str, Any], installed: dict[str, Any], *, check: bool = False, **arguments: Any
) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """Run the controller's half with a target that answers so: its result, what it ran."""
    ran: list[tuple[str, dict[str, Any]]] = []

    class Action(ActionModule):
        def _execute_module(
            self, *, module_name: str, module_args: dict[str, Any], task_vars: Any
        ) -> dict[str, Any]:
            assert task_vars == {"known": True}
            ran.append((module_name, module_args))
            return dict(looked if module_name == "mooc.atelier.packages" else installed)

    task = SimpleNamespace(
        args={"name": ["nginx", "curl"], **arguments},
        check_mode=check,
        async_val=0,
        environment=[],
        diff=False,
    )
    shell = SimpleNamespace(tmpdir=None)
    connection = SimpleNamespace(_shell=shell, always_pipeline_modules=True, has_pipelining=True)
    action = Action(task, connection, SimpleNamespace(), None, None, None)
    return action.run(task_vars={"known": True}), ran


def test_apt_is_not_asked_where_nothing_is_missing() -> None:
    looked = {"changed": False, "missing": [], "usable": True}
    result, ran = act(looked | {"lists_there": True, "finished": False}, {})
    assert (result, len(ran)) == (looked, 1)


def test_a_look_that_fails_is_the_end() -> None:
    result, ran = act({"failed": True, "msg": "no dpkg"}, {})
    assert (result["msg"], len(ran)) == ("no dpkg", 1)


@pytest.mark.parametrize(("there", "age"), [(True, 86400), (False, 0)])
def test_apt_installs_what_is_missing_and_nothing_else(there: bool, age: int) -> None:
    result, ran = act(LOOKED | {"lists_there": there}, {"changed": True}, fail_on_autoremove=True)
    assert ran[1] == (
        "ansible.builtin.apt",
        {
            "name": ["nginx"],
            "state": "present",
            "install_recommends": False,
            "fail_on_autoremove": True,
            "update_cache": True,
            "cache_valid_time": age,
        },
    )
    assert result == LOOKED | {"usable": True}


@pytest.mark.parametrize("finished", [True, False])
def test_what_another_package_provides_is_no_change(finished: bool) -> None:
    """dpkg does not know a virtual package, apt does."""
    looked = LOOKED | {"lists_there": True, "finished": finished}
    assert act(looked, {"changed": False})[0]["changed"] is finished


def test_a_failure_of_apt_is_its_own() -> None:
    result, _ = act(LOOKED | {"lists_there": True, "finished": True}, {"failed": True, "msg": "x"})
    assert result == {"failed": True, "msg": "x", "changed": True}


def test_a_dry_run_without_lists_does_not_ask_apt() -> None:
    result, ran = act(LOOKED | {"lists_there": False}, {"failed": True}, check=True)
    assert (result, len(ran)) == (LOOKED, 1)


def test_a_dry_run_with_lists_asks_apt() -> None:
    result, ran = act(LOOKED | {"lists_there": True}, {"changed": True}, check=True)
    assert (result, len(ran)) == (LOOKED, 2)


@pytest.mark.parametrize("check", [True, False])
def test_what_old_lists_do_not_know_fails_only_where_they_are_fetched(check: bool) -> None:
    unknown = {"failed": True, "msg": "No package matching 'nginx' is available"}
    result, _ = act(LOOKED | {"lists_there": True}, unknown, check=check)
    assert bool(result.get("failed")) is not check
    other = {"failed": True, "msg": "Packages need to be removed"}
    assert act(LOOKED | {"lists_there": True}, other, check=check)[0]["failed"]
