"""One-time record of launches: what was accepted once is never accepted again.

The record is a table, so it outlives the hub's process and serves several of them. With SQLite
it is a file of its own beside the hub's (two writers in one file would wait for each other);
with another database it is a table in the hub's.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
    inspect,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import StaticPool

_metadata = MetaData()
_nonces = Table(
    "atelier_nonces",
    _metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", Integer, nullable=False, index=True),
)
_PRUNE_EVERY = 60
"""Seconds between two removals of expired entries."""
_KEPT_LONGER = 86_400
"""Seconds an entry is kept past its launch: a clock that jumps ahead and back opens no window."""


class NonceStore:
    """Which (consumer, timestamp, nonce) have been seen.

    Args:
        database_url: the hub's database, as SQLAlchemy writes it.
    """

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url)
        if url.get_backend_name() == "sqlite":
            memory = url.database in (None, "", ":memory:")
            if not memory:
                url = url.set(database=str(Path(str(url.database)).with_name("nonces.sqlite")))
            self._engine = create_engine(
                url,
                connect_args={"timeout": 10, "check_same_thread": False},
                **({"poolclass": StaticPool} if memory else {}),
            )
            if not memory:
                with self._engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        else:
            self._engine = create_engine(url, pool_pre_ping=True)
        self._make_table()
        self._lock = threading.Lock()
        self._pruned = 0.0

    def _make_table(self) -> None:
        try:
            _metadata.create_all(self._engine)
        except DBAPIError:
            # Several processes started at once: another one has made it since this one looked.
            if not inspect(self._engine).has_table(_nonces.name):
                raise

    def claim(self, consumer: str, timestamp: int, nonce: str, *, now: float, expires: int) -> bool:
        """Record a launch, once.

        Args:
            consumer: its consumer's key.
            timestamp: its ``oauth_timestamp``.
            nonce: its ``oauth_nonce``.
            now: present time, seconds since 1970.
            expires: when the launch can no longer pass the timestamp window, same unit.

        Returns:
            True the first time, False ever after.
        """
        digest = hashlib.sha256(
            f"{len(consumer)}:{consumer}{timestamp}:{nonce}".encode("utf-8", "surrogatepass")
        ).hexdigest()
        self._prune(now)
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_nonces).values(digest=digest, expires=expires))
        except IntegrityError:
            return False
        return True

    def _prune(self, now: float) -> None:
        with self._lock:
            if now - self._pruned < _PRUNE_EVERY:
                return
            self._pruned = now
        with self._engine.begin() as connection:
            connection.execute(delete(_nonces).where(_nonces.c.expires < int(now) - _KEPT_LONGER))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
