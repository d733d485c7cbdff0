"""Applies the missing revisions of ``migrations/versions`` to a database."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool

from atelier.desk.db.migrate import revision_of
from atelier.desk.db.tables import REVISION
from atelier.sqlite_files import (
    MigrationError,
    copies,
    directory_lock,
    first_line,
    keep_copy,
    remedy,
)

SCRIPTS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 60
"""Time to wait for another process's lock on the database."""
_UNCHANGED = "The database is as it was."
_log = logging.getLogger(__name__)


def upgrade(file: Path, scripts: Path = SCRIPTS, target: str = REVISION) -> None:
    """Upgrade a database to a revision, as :func:`atelier.desk.db.migrate.migrate` describes.

    Args:
        file: the desk's database; created if it is missing.
        scripts: folder of Alembic's environment.
        target: the newest revision in that folder.

    Raises:
        MigrationError: the upgrade failed; the database is unchanged.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    step = f"cannot bring the desk's database {file} to revision {target}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with directory_lock(file.parent), _transaction(file) as connection:
            pending = _pending(connection, file, config, target)
            if not pending:
                return
            was_empty = not inspect(connection).get_table_names()
            for revision in pending:
                step = f"cannot apply revision {revision} to the desk's database {file}"
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
            _check_references(connection)
            if not was_empty:
                # Copied before the commit, while other connections still see the former content;
                # and after the revisions, so that one that always fails does not create a copy at
                # each start of the unit.
                step = f"cannot copy the desk's database {file}"
                _log.info("%s: a copy of before is in %s", file, keep_copy(file, pending[0]))
        _log.info("%s: now at revision %s", file, target)
    except MigrationError:
        raise
    except Exception as error:  # revisions may raise anything
        cure = remedy(file, error)
        if cure is None:
            _log.exception("%s", step)
            cure = "Install the former version of the collection, and report this."
        message = (
            f"{step}: {first_line(error)}. {_UNCHANGED} {cure} Then: systemctl restart atelier-desk"
        )
        raise MigrationError(message) from error


@contextlib.contextmanager
def _transaction(file: Path) -> Iterator[Connection]:
    """Yield a connection in a transaction that holds the write lock."""
    engine = create_engine(
        f"sqlite:///{file}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS}
    )
    _begin_at_once(engine)
    with engine.begin() as connection:
        yield connection


def _begin_at_once(engine: Engine) -> None:
    # Python's driver starts a transaction only before INSERT and the like; DDL would run outside.
    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # Alembic changes a table by replacing it with a copy, during which foreign keys are broken.
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _pending(connection: Connection, file: Path, config: Config, target: str) -> list[str]:
    """Return the revisions that a database lacks, in the order in which to apply them.

    Raises:
        MigrationError: the database is at a revision that this version does not know.
    """
    scripts = ScriptDirectory.from_config(config)
    known = [script.revision for script in scripts.walk_revisions("base", target)][::-1]
    found = None
    if inspect(connection).has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is None:
        return known
    if found not in known:
        usable = [copy for copy in copies(file) if revision_of(copy) in (None, *known)]
        kept = f", or put back {usable[0]}, which was made before that upgrade" if usable else ""
        raise MigrationError(
            f"the desk's database {file} is at revision {found}, and this version of the collection"
            f" knows revisions up to {target}. {_UNCHANGED} Install the collection's newer version"
            f" again{kept}. Then: systemctl restart atelier-desk"
        )
    return known[known.index(found) + 1 :]


def _check_references(connection: Connection) -> None:
    """Raise ValueError if a foreign key refers to a missing row."""
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise ValueError(f"a row of table {broken[0]} refers to one of {broken[2]} that is missing")
