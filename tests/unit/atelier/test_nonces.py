"""The record of launches: once, whatever happens to the hub, the machine or the clock."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from atelier.lti import nonces as nonces_module
from atelier.lti.nonces import NonceStore
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

NOW = 2_100_000_000  # ahead of today: a record refuses what is older than itself


def test_a_clock_that_jumps_ahead_and_back_makes_no_replay(tmp_path: Path) -> None:
    store = NonceStore(f"sqlite:///{tmp_path}/jupyterhub.sqlite")
    assert store.claim("k", NOW, "n", now=NOW, expires=NOW + 300)
    assert store.claim("k", NOW + 7200, "m", now=NOW + 7200, expires=NOW + 7500)
    assert not store.claim("k", NOW, "n", now=NOW + 1, expires=NOW + 300)
    store.close()


@pytest.mark.parametrize("made_by_another", [True, False])
def test_the_table_may_be_made_by_another_process_meanwhile(
    monkeypatch: pytest.MonkeyPatch, made_by_another: bool, tmp_path: Path
) -> None:
    """As PostgreSQL answers the slower of two that make a table at once."""
    make = nonces_module._metadata.create_all
    url = make_url(f"sqlite:///{tmp_path}/any.database")

    def made(engine: Engine) -> None:
        if made_by_another:
            make(engine)
        raise IntegrityError("CREATE TABLE", {}, Exception("pg_type_typname_nsp_index"))

    monkeypatch.setattr(nonces_module._metadata, "create_all", made)
    if made_by_another:
        table = nonces_module._InDatabase(url)
        assert [table.insert("d", NOW, durable=False) for _ in range(2)] == [True, False]
        table.close()
    else:
        with pytest.raises(IntegrityError):
            nonces_module._InDatabase(url)


def boot(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, now: float) -> NonceStore:
    """The record as a hub opens it, on a machine that was started anew or not."""
    (folder / "boot_id").write_text(f"{name}\n")
    monkeypatch.setattr(nonces_module, "_BOOT_ID", folder / "boot_id")
    monkeypatch.setattr(time, "time", lambda: now)
    return NonceStore(f"sqlite:///{folder}/jupyterhub.sqlite")


def lose_power(folder: Path) -> None:
    """Forget what SQLite had not written through to the disk."""
    with sqlite3.connect(folder / "nonces.sqlite") as database:
        database.execute("DELETE FROM atelier_nonces")
    database.close()


def test_what_a_loss_of_power_made_forgotten_is_not_accepted_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = boot(monkeypatch, tmp_path, "one", NOW - 100)
    assert store.claim("k", NOW, "n", now=NOW, expires=NOW + 600)
    store.close()
    lose_power(tmp_path)
    store = boot(monkeypatch, tmp_path, "two", NOW + 20)
    assert store.may_be_lost(NOW, NOW + 21)
    assert not store.claim("k", NOW, "n", now=NOW + 21, expires=NOW + 600)
    assert store.claim("k", NOW + 20, "m", now=NOW + 21, expires=NOW + 620)
    store.close()
    again = boot(monkeypatch, tmp_path, "two", NOW + 50)  # the hub alone was restarted
    assert again.claim("k", NOW + 30, "o", now=NOW + 51, expires=NOW + 630)
    again.close()


def test_a_record_that_was_removed_opens_no_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = boot(monkeypatch, tmp_path, "one", NOW - 100)
    assert store.claim("k", NOW, "n", now=NOW, expires=NOW + 600)
    store.close()
    for file in tmp_path.glob("nonces.sqlite*"):
        file.unlink()
    store = boot(monkeypatch, tmp_path, "one", NOW + 20)
    assert not store.claim("k", NOW, "n", now=NOW + 21, expires=NOW + 600)
    store.close()


def test_a_launch_from_a_clock_ahead_is_on_the_disk_before_it_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may be dated after the machine's next start, so its entry must not be lost."""
    said: list[str] = []
    store = boot(monkeypatch, tmp_path, "one", NOW - 100)
    store._record._connection.set_trace_callback(said.append)  # type: ignore[attr-defined]
    assert store.claim("k", NOW, "past", now=NOW, expires=NOW + 600)
    assert not [one for one in said if "synchronous" in one]
    assert store.claim("k", NOW + 200, "ahead", now=NOW, expires=NOW + 800)
    kept = [one.split(" (")[0] for one in said if "synchronous" in one or "ahead" in one]
    assert kept == ["PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL"]
    full, normal = (said.index(f"PRAGMA synchronous={level}") for level in ("FULL", "NORMAL"))
    assert any(one.startswith("INSERT") for one in said[full:normal])
    store.close()


def test_a_clock_that_was_ahead_at_the_start_keeps_nobody_out_once_it_is_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = boot(monkeypatch, tmp_path, "one", NOW + 7200)
    assert not store.claim("k", NOW - 5, "n", now=NOW, expires=NOW + 600), "may be used already"
    assert store.claim("k", NOW, "o", now=NOW + 1, expires=NOW + 600)
    assert store.claim("k", NOW + 1, "p", now=NOW + 2, expires=NOW + 600)
    store.close()
    again = boot(monkeypatch, tmp_path, "one", NOW + 3)
    assert again.claim("k", NOW + 2, "q", now=NOW + 3, expires=NOW + 600)
    assert not again.claim("k", NOW + 2, "q", now=NOW + 3, expires=NOW + 600)
    again.close()
