"""SQLite's write-ahead log for the hub: a commit waits for the disk once instead of three times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url


def use_write_ahead_log(database_url: str) -> None:
    """Let this process's connections to a SQLite file use the write-ahead log.

    Commits survive a crash of the hub. A power failure may lose the last sign-ins but never damages
    the file (SQLite, "Write-Ahead Logging" and the pragma ``synchronous``). Other databases are not
    touched.

    Args:
        database_url: the hub's database, as SQLAlchemy writes it.
    """
    url = make_url(database_url)
    path = url.database
    if url.get_backend_name() != "sqlite" or path in (None, "", ":memory:"):
        return

    wanted = Path(str(path)).resolve()

    @event.listens_for(Engine, "connect")
    def _connected(connection: Any, record: Any) -> None:
        del record
        module = type(connection).__module__
        if not module.startswith(("sqlite3", "sqlalchemy")):
            return
        cursor = connection.cursor()
        try:
            (_, _, file) = cursor.execute("PRAGMA database_list").fetchone()
            if file and Path(file).resolve() == wanted:
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=NORMAL")
        finally:
            cursor.close()
