"""A consumer's secret is replaced: both are accepted for a while, then the new one alone."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.modules import lti_consumers
from atelier.config.models import Consumers, load
from kit.modules import Ran, run

SECRET = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
START = datetime(2027, 1, 10, 8, 0, 0, tzinfo=UTC)


class Clock(datetime):
    """The module's clock, set by hand."""

    present = START

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return cls.present.astimezone(tz)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(lti_consumers, "datetime", Clock)
    monkeypatch.setattr(Clock, "present", START)
    return Clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "consumers.yml"


def keep(file: Path, check: bool = False, **values: Any) -> Ran:
    wanted = [{"key": "fun", "platform": "fun", **values}]
    return run("lti_consumers", check=check, path=str(file), consumers=wanted)


def accepted(file: Path, when: datetime) -> tuple[str, ...]:
    """What the hub accepts at a time."""
    consumer = load(Consumers, file).by_key("fun")
    assert consumer is not None
    return consumer.secrets_at(when.timestamp())


def test_a_new_mark_rotates_and_the_same_mark_does_not(file: Path, clock: type[Clock]) -> None:
    keep(file)
    (old,) = accepted(file, START)
    assert keep(file, rotate="spring", grace="14d").changed
    new, previous = accepted(file, START)
    assert previous == old
    assert new != old
    clock.present = START + timedelta(days=3)
    assert not keep(file, rotate="spring", grace="14d").changed
    assert accepted(file, clock.present) == (new, old)


def test_a_rotation_says_until_when_and_no_secret(file: Path, clock: type[Clock]) -> None:
    assert clock.present == START
    keep(file, secret=SECRET)
    ran = keep(file, rotate="spring", grace="36h")
    new, old = accepted(file, START)
    assert ran.result["diff"]["before"]["fun"]["previous_until"] == []
    after = ran.result["diff"]["after"]["fun"]
    assert (after["secret"], after["rotation"]) == ("replaced", "spring")
    assert after["previous_until"] == ["2027-01-11T20:00:00Z"]
    assert ran.result["consumers"][0]["previous_until"] == ["2027-01-11T20:00:00Z"]
    assert old == SECRET
    for secret in (new, old):
        assert secret not in ran.written


def test_a_secret_from_the_vault_is_rotated_by_another_one(file: Path, clock: type[Clock]) -> None:
    assert clock.present == START
    keep(file, secret=SECRET, grace="14d")
    assert keep(file, secret=OTHER, grace="14d").changed
    assert accepted(file, START) == (OTHER, SECRET)
    assert not keep(file, secret=OTHER, grace="14d").changed
    assert not keep(file, secret=OTHER).changed, "an end that was set stays"


def test_the_old_one_is_refused_from_its_end_on_and_forgotten_later(
    file: Path, clock: type[Clock]
) -> None:
    keep(file, secret=SECRET)
    keep(file, secret=OTHER, grace="14d")
    end = START + timedelta(days=14)
    assert accepted(file, end - timedelta(seconds=1)) == (OTHER, SECRET)
    assert accepted(file, end) == (OTHER,), "the hub needs no run of the module"
    clock.present = end
    assert keep(file, check=True, secret=OTHER, grace="14d").changed
    assert SECRET in file.read_text()
    forgotten = keep(file, secret=OTHER, grace="14d")
    assert forgotten.result["diff"]["after"]["fun"]["previous_until"] == []
    assert SECRET not in file.read_text()
    assert not keep(file, secret=OTHER, grace="14d").changed


def test_without_a_grace_the_old_one_is_refused_at_once(file: Path) -> None:
    keep(file, secret=SECRET)
    keep(file, secret=OTHER)
    assert accepted(file, START) == (OTHER,)
    assert SECRET not in file.read_text()


def test_a_grace_of_zero_ends_the_one_that_was_given(file: Path) -> None:
    keep(file, secret=SECRET)
    keep(file, secret=OTHER, grace="14d")
    assert keep(file, secret=OTHER, grace="0").changed
    assert SECRET not in file.read_text()
    assert not keep(file, secret=OTHER, grace="0").changed


def test_two_rotations_in_a_row_keep_each_secret_to_its_own_end(
    file: Path, clock: type[Clock]
) -> None:
    keep(file, secret=SECRET)
    keep(file, secret=OTHER, grace="2d")
    clock.present = START + timedelta(days=1)
    keep(file, rotate="spring", grace="7d")
    new, *rest = accepted(file, clock.present)
    assert rest == [OTHER, SECRET]
    assert accepted(file, START + timedelta(days=2)) == (new, OTHER)
    assert accepted(file, START + timedelta(days=8)) == (new,)


def test_going_back_to_the_former_secret_keeps_one_of_each(file: Path, clock: type[Clock]) -> None:
    assert clock.present == START
    keep(file, secret=SECRET)
    keep(file, secret=OTHER, grace="14d")
    keep(file, secret=SECRET, grace="14d")
    assert accepted(file, START) == (SECRET, OTHER)


def test_check_mode_rotates_nothing(file: Path) -> None:
    keep(file)
    before = file.read_bytes()
    ran = keep(file, check=True, rotate="spring", grace="14d")
    assert ran.changed
    assert ran.result["diff"]["after"]["fun"]["secret"] == "replaced"
    assert file.read_bytes() == before


def test_a_mark_that_is_left_out_later_is_remembered(file: Path) -> None:
    keep(file, rotate="spring")
    assert not keep(file).changed
    assert not keep(file, rotate="spring").changed


def add_slowly(file: Path, key: str) -> None:
    """One run, which is slow between reading the file and writing it."""
    wanted = [{"key": key, "platform": "fun"}]
    assert run("lti_consumers", path=str(file), consumers=wanted, validate="sleep 0.3").changed


def test_runs_at_the_same_time_do_not_lose_each_other_s_keys(file: Path) -> None:
    fork = multiprocessing.get_context("fork")
    runs = [fork.Process(target=add_slowly, args=(file, key)) for key in ("one", "two", "three")]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert [one.exitcode for one in runs] == [0, 0, 0]
    assert {one.key for one in load(Consumers, file).consumers} == {"one", "two", "three"}
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    ran = keep(tmp_path / "nowhere" / "consumers.yml")
    assert f"{tmp_path}/nowhere does not exist" in ran.failure
