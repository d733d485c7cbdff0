"""One-time record of launches: what was accepted once is never accepted again.

The record outlives the hub's process and serves several of them. With SQLite it is a file of its
own beside the hub's (two writers in one file would wait for each other); with another database it
is a table in the hub's.

The file does not wait for the disk at each launch. What is in it survives the end of the hub,
however sudden; a machine that loses power may forget the last entries. So a record that is opened
for the first time since the machine started takes nothing signed before that moment: a launch whose
entry was lost is always older. One signed by a clock ahead of ours is not, and is written through
to the disk. If our own clock was ahead at that moment, the record begins when it is set right.

These tables have no revisions, as the desk's have (:mod:`atelier.desk.db`). Their columns do not
change: a record of another shape gets tables of another name, made where they are missing, and
accepts a launch only if the former table does not have it either. Entries live for a day: once a
version has run for longer, the next one drops the former table.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from pathlib import Path
from typing import Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
    inspect,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError

_metadata = MetaData()
_nonces = Table(
    "atelier_nonces",
    _metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)
_PRUNE_EVERY = 60
"""Seconds between two removals of expired entries."""
_KEPT_LONGER = 86_400
"""Seconds an entry is kept past its launch: a clock that jumps ahead and back opens no window."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Record(Protocol):
    def may_be_lost(self, timestamp: int, now: float) -> bool:
        """Whether what was signed then may have been recorded, and lost."""

    def insert(self, digest: str, expires: int, *, durable: bool) -> bool:
        """Whether the digest is new; with ``durable`` it outlives a loss of power from now on."""

    def prune(self, before: int) -> None:
        """Remove what expired before then."""

    def close(self) -> None:
        """Close the connections."""


class _File:
    """A SQLite file, or one in memory.

    Args:
        path: where; None: in memory.
        boot: what names this start of the machine.
        now: present time, seconds since 1970.
    """

    def __init__(self, path: Path | None, boot: str, now: float) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            str(path) if path else ":memory:",
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
        )
        run = self._connection.execute
        run("PRAGMA journal_mode=WAL")
        run(
            "CREATE TABLE IF NOT EXISTS atelier_nonces"
            " (digest VARCHAR(64) PRIMARY KEY NOT NULL, expires INTEGER NOT NULL)"
        )
        run("CREATE INDEX IF NOT EXISTS ix_atelier_nonces_expires ON atelier_nonces (expires)")
        self._began = self._opened(boot, now) if path else 0.0
        run("PRAGMA synchronous=NORMAL")

    def _opened(self, boot: str, now: float) -> float:
        """When the record was first opened since the machine started."""
        run = self._connection.execute
        run(
            "CREATE TABLE IF NOT EXISTS atelier_nonces_boot"
            " (only INTEGER PRIMARY KEY CHECK (only = 1), boot TEXT NOT NULL, began REAL NOT NULL)"
        )
        run(
            "INSERT INTO atelier_nonces_boot VALUES (1, ?, ?) ON CONFLICT (only)"
            " DO UPDATE SET boot = excluded.boot, began = excluded.began"
            " WHERE boot != excluded.boot",
            (boot, now),
        )
        (began,) = run("SELECT began FROM atelier_nonces_boot").fetchone()
        return float(began)

    def may_be_lost(self, timestamp: int, now: float) -> bool:
        if self._began > now:  # the clock was ahead when the record was opened, and is right now
            with self._lock:
                self._connection.execute("UPDATE atelier_nonces_boot SET began = ?", (now,))
                self._began = now
        return timestamp < int(self._began)

    def insert(self, digest: str, expires: int, *, durable: bool) -> bool:
        with self._lock:
            if durable:
                self._connection.execute("PRAGMA synchronous=FULL")
            try:
                done = self._connection.execute(
                    "INSERT OR IGNORE INTO atelier_nonces VALUES (?, ?)", (digest, expires)
                )
                return done.rowcount == 1
            finally:
                if durable:
                    self._connection.execute("PRAGMA synchronous=NORMAL")

    def prune(self, before: int) -> None:
        with self._lock:
            self._connection.execute("DELETE FROM atelier_nonces WHERE expires < ?", (before,))

    def close(self) -> None:
        self._connection.close()


class _InDatabase:
    """A table in the hub's database, which keeps what it has committed."""

    def __init__(self, url: URL) -> None:
        self._engine = create_engine(url, pool_pre_ping=True)
        try:
            _metadata.create_all(self._engine)
        except DBAPIError:
            # Several processes started at once: another one has made it since this one looked.
            if not inspect(self._engine).has_table(_nonces.name):
                raise

    def may_be_lost(self, timestamp: int, now: float) -> bool:
        del timestamp, now
        return False

    def insert(self, digest: str, expires: int, *, durable: bool) -> bool:
        del durable
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_nonces).values(digest=digest, expires=expires))
        except IntegrityError:
            return False
        return True

    def prune(self, before: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(_nonces).where(_nonces.c.expires < before))

    def close(self) -> None:
        self._engine.dispose()


def _this_boot() -> str:
    """What names this start of the machine."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


class NonceStore:
    """Which (consumer, timestamp, nonce) have been seen.

    Args:
        database_url: the hub's database, as SQLAlchemy writes it.
    """

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url)
        self._record: _Record
        if url.get_backend_name() != "sqlite":
            self._record = _InDatabase(url)
        elif url.database in (None, "", ":memory:"):
            self._record = _File(None, "", 0)
        else:
            path = Path(str(url.database)).with_name("nonces.sqlite")
            self._record = _File(path, _this_boot(), time.time())
        self._lock = threading.Lock()
        self._pruned = 0.0

    def may_be_lost(self, timestamp: int, now: float) -> bool:
        """Whether a launch signed then may have been accepted before the machine lost power.

        Args:
            timestamp: when it was signed, seconds since 1970.
            now: present time, same unit.
        """
        return self._record.may_be_lost(timestamp, now)

    def claim(self, consumer: str, timestamp: int, nonce: str, *, now: float, expires: int) -> bool:
        """Record a launch, once.

        Args:
            consumer: its consumer's key.
            timestamp: its ``oauth_timestamp``.
            nonce: its ``oauth_nonce``.
            now: present time, seconds since 1970.
            expires: when the launch can no longer pass the timestamp window, same unit.

        Returns:
            True the first time, False ever after, and for what may have been forgotten.
        """
        if self.may_be_lost(timestamp, now):
            return False
        digest = hashlib.sha256(
            f"{len(consumer)}:{consumer}{timestamp}:{nonce}".encode("utf-8", "surrogatepass")
        ).hexdigest()
        self._prune(now)
        return self._record.insert(digest, expires, durable=timestamp > now)

    def _prune(self, now: float) -> None:
        with self._lock:
            if now - self._pruned < _PRUNE_EVERY:
                return
            self._pruned = now
        self._record.prune(int(now) - _KEPT_LONGER)

    def close(self) -> None:
        """Close the connections."""
        self._record.close()
