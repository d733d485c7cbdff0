"""Opens the desk's database: one SQLite file, used from the desk's threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event

BUSY_SECONDS = 10
"""Time that a statement waits for another writer's lock."""


def database_file(state_directory: Path) -> Path:
    """Return the path of the desk's database."""
    return state_directory / "desk.sqlite"


def open_database(file: Path) -> Engine:
    """Return an engine for a database that :func:`atelier.desk.db.migrate.migrate` has prepared.

    Call ``dispose()`` to close its connections.
    """
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine
