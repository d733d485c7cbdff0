"""One SQLite file.

Many readers, one writer at a time. A commit that was answered outlives the process, however that
dies.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Insert, create_engine, event, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_dict

from gitlab_standin import models


def afterwards(session: Session, action: Callable[[], object]) -> None:
    """Do something once the transaction is committed: what cannot be rolled back."""
    session.info.setdefault("afterwards", []).append(action)


@functools.cache
def _insertion(model: type[models.Base]) -> tuple[Insert, dict[str, Callable[[], Any]]]:
    """The statement that inserts a row, and what its columns hold when they are not given."""
    defaults: dict[str, Callable[[], Any]] = {}
    for column in model.__table__.columns:
        if column.primary_key:
            continue
        default = column.default
        if default is not None and default.is_callable:
            defaults[column.name] = functools.partial(default.arg, None)
        else:
            value = default.arg if default is not None else None
            defaults[column.name] = functools.partial(lambda kept: kept, value)
    return insert(model.__table__), defaults  # type: ignore[arg-type]


def insert_row(session: Session, row: models.Base) -> None:
    """Insert a new object that has no id yet, and fill in what the table adds to it.

    For what is made by the hundred: the session's own way plans an order first, which takes it
    several times as long as the inserting.
    """
    statement, defaults = _insertion(type(row))
    given = instance_dict(row)
    values = {name: given[name] if name in given else made() for name, made in defaults.items()}
    done = session.connection().execute(statement, values)
    given.update(values, id=done.inserted_primary_key[0])  # type: ignore[index]


def _engine(path: Path, begin: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": 60, "check_same_thread": False},
        pool_size=40,
        max_overflow=10,
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions itself, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # Only a power cut could lose the last commits. FULL would wait for the disk once for each
        # of them, where GitLab's PostgreSQL waits once for all that commit at the same time.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


class Database:
    """Sessions on the file; usable from several processes (server, gitlab-rails, gitlab-backup)."""

    def __init__(self, path: Path) -> None:
        self._readers = _engine(path, "BEGIN")
        # IMMEDIATE: a transaction that reads and then writes must not find its snapshot outdated.
        self._writers = _engine(path, "BEGIN IMMEDIATE")
        self._lock = threading.Lock()
        with self._writers.begin() as connection:
            models.Base.metadata.create_all(connection)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view; nothing is written."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back on an exception."""
        # The lock makes threads of this process queue up instead of polling SQLite's.
        with self._lock, Session(self._writers, expire_on_commit=False) as session, session.begin():
            yield session
        for action in session.info.pop("afterwards", ()):
            action()

    def seeded(self) -> bool:
        """Whether the first user was made."""
        with self.read() as session:
            return session.scalar(select(models.User.id).limit(1)) is not None

    def close(self) -> None:
        """Close all connections."""
        self._readers.dispose()
        self._writers.dispose()
