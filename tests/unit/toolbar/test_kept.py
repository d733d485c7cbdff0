"""How long versions that are on no branch stay reachable: long enough, and no longer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest
from atelier_toolbar import kept
from hypothesis import given
from hypothesis import strategies as st

from .conftest import Desk, git

DAY = 86400
NOW = 1_900_000_000.0
HOURS = st.integers(min_value=0, max_value=24 * 60).map(lambda hours: hours * DAY / 24)


@dataclass
class Clone:
    """The references of a clone, and when each version really came to be."""

    names: set[str] = field(default_factory=set)
    born: dict[str, float] = field(default_factory=dict)

    def keep(self, now: float, clock: float) -> set[str]:
        """Do what a command does at `now` by a `clock`; return the versions that are gone."""
        commit = f"{len(self.born):012x}"
        self.born[commit] = now
        self.names.add(f"{kept.KEPT}{kept.stamp(clock)}-{commit}")
        made = kept.plan(self.names, clock)
        self.names -= {*made.renamed, *made.dropped}
        self.names |= set(made.renamed.values())
        return set(self.born) - self.reachable

    @property
    def reachable(self) -> set[str]:
        return {name.rpartition("-")[2] for name in self.names}


@given(st.lists(HOURS, max_size=400), st.integers(min_value=1, max_value=60))
def test_what_is_young_stays_and_what_stays_is_bounded(waits: list[float], often: int) -> None:
    clone, now = Clone(), NOW
    for wait in waits:
        now += wait / often
        gone = clone.keep(now, now)
        assert not {c for c in gone if clone.born[c] > now - kept.DAYS * DAY}
        newest = sorted(clone.born)[-kept.ALWAYS :]
        assert not gone & set(newest)
    for _ in range(2):  # what is set aside at the first is let go at the second
        now += (kept.DAYS + kept.NOTICE_DAYS + 1) * DAY
        clone.keep(now, now)
    assert len(clone.reachable) <= kept.ALWAYS + 2


@given(
    st.lists(HOURS, min_size=1, max_size=200),
    st.integers(min_value=0),
    st.integers(min_value=-20_000 * DAY, max_value=20_000 * DAY),
)
def test_a_clock_that_is_wrong_once_costs_nothing_of_the_last_month(
    waits: list[float], when: int, error: int
) -> None:
    clone, now = Clone(), NOW
    for number, wait in enumerate(waits):
        now += wait
        wrong = error if number == when % len(waits) else 0
        gone = clone.keep(now, now + wrong)
        assert not {c for c in gone if clone.born[c] > now - kept.NOTICE_DAYS * DAY}


@given(st.sets(st.text(max_size=30).map(lambda name: f"refs/atelier/{name}")))
def test_names_that_are_not_ours_are_left_alone(names: set[str]) -> None:
    assert kept.plan(names, NOW) == kept.Plan()


def test_a_clone_lets_go_of_old_versions_in_two_steps(
    desk: Desk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "ALWAYS", 1)
    began = time.time()

    def references() -> list[str]:
        return git(desk.top, "for-each-ref", "--format=%(refname)", "refs/atelier/").splitlines()

    def merge(days: float) -> None:
        monkeypatch.setattr(time, "time", lambda: began + days * DAY)
        other.pull()
        other.write("notes.md", other.read("notes.md") + f"theirs, day {days}\n")
        other.save()
        desk.write("notes.md", f"mine, day {days}\n" + desk.read("notes.md"))
        desk.pull()

    merge(0)
    merge(1)
    assert len(references()) == 2
    merge(92)
    aside = [name for name in references() if name.startswith(kept.ASIDE)]
    assert len(aside) == 2
    assert "mine, day 0" in git(desk.top, "show", f"{aside[0]}:notes.md")
    git(desk.top, "pack-refs", "--all")  # as git's own tidying does
    merge(121)
    assert len(references()) == 4
    merge(123)
    assert [name for name in references() if name.startswith(kept.ASIDE)] == []
    assert len(references()) == 3
    assert git(desk.top, "fsck", "--no-dangling") == ""


def test_a_version_that_cannot_be_let_go_of_stops_no_pull(desk: Desk, other: Desk) -> None:
    commit = git(desk.top, "rev-parse", "HEAD")
    for number in range(kept.ALWAYS + 1):
        name = f"{kept.KEPT}20200101T{number:06}-{commit[:12]}"
        git(desk.top, "update-ref", name, commit)
    git(desk.top, "update-ref", "refs/atelier/old", commit)  # where a folder should be
    other.write("notes.md", "theirs\n")
    other.save()
    desk.write("notes.md", "mine\n")
    desk.pull()
    assert desk.read("notes (yours).md") == "mine\n"
