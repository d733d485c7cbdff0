"""The module `units`: it asks systemd and the files, and has done what is missing, once."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.modules.units import started_ns
from kit.modules import Ran, run

Unit = dict[str, Any]
HOUR = 3600


class Systemd:
    """What the double of systemctl knows and was told."""

    def __init__(self, state: Path) -> None:
        self.state = state
        state.mkdir()

    def unit(self, name: str, *, started: float = 0, enabled: str = "enabled", **more: str) -> None:
        """Install a unit; `started` is a difference to now, in seconds, 0 for one that is not."""
        text = self.time(started)
        known = {
            "installed": "yes",
            "LoadState": "loaded",
            "UnitFileState": enabled,
            "ActiveState": "active" if started else "inactive",
            "ExecMainStartTimestamp": text if started else "",
            **more,
        }
        (self.state / name).mkdir()
        for key, value in known.items():
            (self.state / name / key.replace("_", "-")).write_text(value)

    @staticmethod
    def time(seconds: float) -> str:
        """The time so many seconds from now, as systemd writes it."""
        return time.strftime("%a %Y-%m-%d %H:%M:%S.000000 UTC", time.gmtime(time.time() + seconds))

    def told(self) -> list[str]:
        """What it was told since the last question, without what only asks or counts."""
        log = self.state / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if line.split()[0] not in ("show", "reset-failed")]


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    monkeypatch.setenv("PATH", f"{Path(__file__).parent / 'doubles'}:{os.environ['PATH']}")
    monkeypatch.setenv("STATE", str(tmp_path / "systemd"))
    return Systemd(tmp_path / "systemd")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file that was written a moment ago."""
    path = tmp_path / "settings"
    path.write_text("text")
    return path


def units(*given: Unit, check: bool = False, **options: str) -> Ran:
    return run("units", check=check, units=list(given), **options)


def test_a_unit_is_enabled_and_started_once(systemd: Systemd) -> None:
    systemd.unit("a.service", enabled="disabled")
    unit = {"name": "a.service", "check": ["false"]}
    assert units(unit | {"check": ["true"]}).result["done"] == {"a.service": ["enable", "start"]}
    assert systemd.told() == ["enable a.service", "start a.service"]
    assert not units(unit).changed
    assert systemd.told() == []


@pytest.mark.parametrize(("state", "told"), [
    ("static", []), ("alias", []), ("indirect", []), ("generated", []),
    ("disabled", ["enable a.service"]), ("enabled-runtime", ["enable a.service"]),
])  # fmt: skip
def test_it_is_enabled_where_the_next_boot_would_not_start_it(
    systemd: Systemd, state: str, told: list[str]
) -> None:
    systemd.unit("a.service", enabled=state, started=-HOUR)
    assert units({"name": "a.service", "check": ["false"]}).changed is bool(told)
    assert systemd.told() == told


@pytest.mark.parametrize("state", ["inactive", "failed", "deactivating"])
def test_what_does_not_run_is_started(systemd: Systemd, state: str) -> None:
    systemd.unit("a.service", started=-HOUR, ActiveState=state)
    assert units({"name": "a.service"}).changed
    assert systemd.told() == ["start a.service"]


def test_how_often_it_was_started_lately_does_not_count(systemd: Systemd) -> None:
    systemd.unit("a.service", ActiveState="failed")
    units({"name": "a.service"})
    lines = (systemd.state / "log").read_text().splitlines()
    assert lines[lines.index("start a.service") - 1] == "reset-failed a.service"


def test_one_that_is_older_than_an_input_is_restarted_once(systemd: Systemd, written: Path) -> None:
    systemd.unit("a.service", started=-HOUR)
    unit = {"name": "a.service", "inputs": [str(written), "/nowhere", "/nowhere/*"]}
    os.utime(written, (1, 1))  # the time of change counts: what was moved there may be old
    ran = units(unit)
    assert ran.result["done"] == {"a.service": ["restart"]}
    assert ran.result["diff"] == {
        "before": "a.service: enabled, active\n",
        "after": f"a.service: restart (newer: {written})\n",
    }
    time.sleep(0.01)  # the kernel's clock for files is some milliseconds late
    assert not units(unit).changed
    assert systemd.told() == ["restart a.service"]
    written.chmod(0o600)
    assert units(unit).changed


def test_one_that_is_younger_than_all_inputs_is_left_alone(systemd: Systemd, written: Path) -> None:
    systemd.unit("a.service", started=HOUR)
    assert not units({"name": "a.service", "inputs": [str(written)]}).changed


def test_patterns_folders_and_links_that_lead_nowhere_are_inputs(
    systemd: Systemd, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to("nowhere")
    systemd.unit("a.service", started=-HOUR)
    ran = units({"name": "a.service", "inputs": [str(folder), f"{folder}/l*"]}, check=True)
    assert ran.result["diff"]["after"].endswith(f"(newer: {folder}, newer: {folder}/link)\n")


@pytest.mark.parametrize(("active", "old"), [("2000", True), ("2100", False)])
def test_a_timer_has_only_the_time_when_it_became_active(
    systemd: Systemd, written: Path, active: str, old: bool
) -> None:
    systemd.unit("a.timer", started=-HOUR)
    (systemd.state / "a.timer/ExecMainStartTimestamp").write_text("")
    became = systemd.state / "a.timer/ActiveEnterTimestamp"
    became.write_text(f"Fri {active}-01-01 00:00:00.500000 UTC")
    assert units({"name": "a.timer", "inputs": [str(written)]}, check=True).changed is old


@pytest.mark.parametrize("day", ["Mon", "lun.", "月"])
def test_a_start_is_read_in_any_language(day: str) -> None:
    text = f"{day} 2026-11-30 07:01:49.123456 UTC"
    assert started_ns({"ExecMainStartTimestamp": text}) == 1796022109123456000


@pytest.mark.parametrize("text", ["", "n/a"])
def test_a_start_that_systemd_does_not_know_is_long_ago(text: str) -> None:
    assert started_ns({"ExecMainStartTimestamp": text, "ActiveEnterTimestamp": text}) == 0


def test_with_a_stamp_the_times_of_modification_count(
    systemd: Systemd, written: Path, tmp_path: Path
) -> None:
    stamp = tmp_path / "stamp"
    stamp.touch()
    os.utime(written, (1000, 1000))
    systemd.unit("a.service", started=-HOUR, stamp=str(stamp))
    unit = {"name": "a.service", "inputs": [str(written)], "stamp": str(stamp), "refresh": "reload"}
    assert not units(unit).changed
    os.utime(written)
    os.utime(stamp, (1000, 1000))
    assert units(unit).result["done"] == {"a.service": ["reload"]}
    assert systemd.told() == ["reload a.service"]
    assert not units(unit).changed


def test_without_its_stamp_a_unit_has_read_nothing(systemd: Systemd, tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    systemd.unit("a.service", started=HOUR, stamp=str(stamp))
    ran = units({"name": "a.service", "stamp": str(stamp)})
    assert ran.result["diff"]["after"] == f"a.service: restart (missing: {stamp})\n"
    assert not units({"name": "a.service", "stamp": str(stamp)}).changed


def test_a_reload_needs_a_stamp(systemd: Systemd, written: Path) -> None:
    systemd.unit("a.service", started=-HOUR)
    unit = {"name": "a.service", "inputs": [str(written)], "refresh": "reload"}
    assert "needs a stamp" in units(unit).failure


def test_a_probe_that_fails_refreshes_and_is_asked_in_check_mode(systemd: Systemd) -> None:
    systemd.unit("a.service", started=-HOUR)
    unit = {"name": "a.service", "probe": ["sh", "-c", "echo rules are gone; exit 1"]}
    ran = units(unit, check=True)
    assert ran.result["diff"]["after"] == "a.service: restart (sh: rules are gone)\n"
    assert systemd.told() == []
    assert units(unit).changed
    assert systemd.told() == ["restart a.service"]
    assert not units(unit | {"probe": ["true"]}).changed


def test_a_probe_that_is_not_there_fails(systemd: Systemd) -> None:
    systemd.unit("a.service", started=-HOUR)
    ran = units({"name": "a.service", "probe": ["/no/such/probe"]}, check=True)
    assert "/no/such/probe: [Errno 2]" in ran.result["diff"]["after"]


def test_a_probe_is_not_asked_where_something_else_decides(
    systemd: Systemd, written: Path, tmp_path: Path
) -> None:
    systemd.unit("old.service", started=-HOUR)
    systemd.unit("stopped.service")
    probe = ["touch", str(tmp_path / "asked")]
    units(
        {"name": "old.service", "inputs": [str(written)], "probe": probe},
        {"name": "stopped.service", "probe": probe},
    )
    assert systemd.told() == ["restart old.service", "start stopped.service"]
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("started", [-HOUR, 0])
def test_a_check_that_fails_leaves_the_unit_alone(
    systemd: Systemd, written: Path, started: float
) -> None:
    systemd.unit("first.service")
    systemd.unit("a.service", started=started)
    check = ["sh", "-c", "echo line 3 is wrong; exit 1"]
    ran = units(
        {"name": "first.service"},
        {"name": "a.service", "inputs": [str(written)], "check": check},
    )
    assert ran.failure.startswith("a.service was left as it is: sh -c")
    assert ran.failure.endswith("line 3 is wrong")
    assert ran.result["done"] == {"first.service": ["start"]}
    assert ran.result["changed"] is True
    assert systemd.told() == ["start first.service"]


def test_what_only_a_timer_starts_is_read_too(systemd: Systemd) -> None:
    systemd.unit("a.service", NeedDaemonReload="yes")
    systemd.unit("a.timer", started=-HOUR, Triggers="a.service")
    assert not units({"name": "a.timer"}).result["changed"]
    assert systemd.told() == ["daemon-reload"]


def test_a_unit_copied_with_its_times_is_read_though_systemd_sees_no_difference(
    systemd: Systemd, written: Path
) -> None:
    long_ago = time.time() - HOUR
    os.utime(written, (long_ago, long_ago))
    systemd.unit("a.service", started=-HOUR, FragmentPath=str(written))
    (systemd.state / "read").write_text(systemd.time(-60))
    assert not units({"name": "a.service"}).result["changed"]
    assert systemd.told() == ["daemon-reload"]
    (systemd.state / "read").write_text(systemd.time(60))
    units({"name": "a.service"})
    assert systemd.told() == []


def test_systemd_reads_its_units_again_once(systemd: Systemd) -> None:
    systemd.unit("a.service", started=-HOUR, NeedDaemonReload="yes")
    systemd.unit("b.service", started=-HOUR, NeedDaemonReload="yes")
    given = [{"name": "a.service"}, {"name": "b.service"}]
    assert not units(*given, check=True).changed
    assert systemd.told() == []
    units(*given)
    assert systemd.told() == ["daemon-reload"]
    units(*given)
    assert systemd.told() == []


def test_a_unit_that_was_just_written_is_read_first(systemd: Systemd) -> None:
    systemd.unit("new.service", enabled="disabled", LoadState="not-found")
    assert units({"name": "new.service"}).changed
    assert systemd.told() == ["daemon-reload", "enable new.service", "start new.service"]


def test_check_mode_does_nothing(systemd: Systemd, written: Path) -> None:
    systemd.unit("old.service", started=-HOUR)
    systemd.unit("stopped.service", enabled="disabled")
    ran = units(
        {"name": "old.service", "inputs": [str(written)], "check": ["false"]},
        {"name": "stopped.service"},
        {"name": "missing.service"},
        check=True,
    )
    assert ran.result["done"] == {
        "old.service": ["restart"],
        "stopped.service": ["enable", "start"],
        "missing.service": ["enable", "start"],
    }
    assert "missing.service: absent, inactive" in ran.result["diff"]["before"]
    assert systemd.told() == []


@pytest.mark.usefixtures("systemd")
def test_an_unknown_unit_is_named_with_a_hint() -> None:
    failure = units({"name": "no.service"}, hint="See %s's page.").failure
    assert failure == (
        "systemctl enable no.service: Failed to enable no.service: Unit no.service not found."
        " See no.service's page."
    )
    assert "journalctl -n 50 -u no.service" in units({"name": "no.service"}).failure


def test_a_unit_that_does_not_start_ends_the_task(systemd: Systemd) -> None:
    systemd.unit("a.service", enabled="disabled", refuses_start="yes")
    systemd.unit("b.service")
    ran = units({"name": "a.service"}, {"name": "b.service"})
    assert "Job for a.service failed." in ran.failure
    assert ran.result["done"] == {"a.service": ["enable"]}
    assert systemd.told() == ["enable a.service", "start a.service"]


def test_the_list_is_the_order(systemd: Systemd) -> None:
    names = ["c.service", "a.service", "b.service"]
    for name in names:
        systemd.unit(name)
    ran = units(*({"name": name} for name in names))
    assert list(ran.result["done"]) == names
    assert systemd.told() == [f"start {name}" for name in names]


def test_what_the_start_of_another_unit_has_stopped_is_started(systemd: Systemd) -> None:
    systemd.unit("a.service", stops="b.service")
    systemd.unit("b.service", started=-HOUR)
    units({"name": "a.service"}, {"name": "b.service"})
    assert systemd.told() == ["start a.service", "start b.service"]


def test_a_unit_comes_once_in_the_list(systemd: Systemd) -> None:
    systemd.unit("a.service")
    assert (
        units({"name": "a.service"}, {"name": "a.service"}).failure == "a.service is there twice."
    )
    assert systemd.told() == []


def test_an_empty_list_is_nothing_to_do(systemd: Systemd) -> None:
    assert not units().changed
    assert not (systemd.state / "log").exists()
