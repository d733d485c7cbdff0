"""Command ``atelier-desk-migrate``: brings the desk's database to this version's revision."""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import sys
from pathlib import Path

from atelier.config.models import DEFAULT_FILE, Settings, SettingsError, load
from atelier.desk.db.database import database_file
from atelier.desk.db.tables import REVISION
from atelier.desk.logs import set_up


class MigrationError(Exception):
    """The database cannot be brought to this version's revision; the text has file and remedy."""


def revision_of(file: Path) -> str | None:
    """The revision a database is at; None where it has none yet, or cannot be read."""
    with contextlib.suppress(sqlite3.Error, OSError):
        uri = f"{file.resolve().as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    return None


def migrate(file: Path) -> None:
    """Make a database, or bring it to this version's revision; nothing where it is there already.

    All revisions are applied in one transaction: whatever interrupts them, the database is as it
    was. A copy of what was there before is kept beside it, from before anything is committed.

    Args:
        file: the desk's database.

    Raises:
        MigrationError: it is as it was.
    """
    if revision_of(file) == REVISION:
        return
    # Alembic is slow to import, and every start but the first of a version does without it.
    from atelier.desk.db.upgrade import upgrade

    upgrade(file)


def main(argv: list[str] | None = None) -> int:
    """Command ``atelier-desk-migrate``: 1 with a clear message when the desk must not start."""
    parser = argparse.ArgumentParser(prog="atelier-desk-migrate", description=__doc__)
    default = Path(os.environ.get("ATELIER_SETTINGS") or DEFAULT_FILE)
    parser.add_argument("--settings", type=Path, default=default, help="default: %(default)s")
    options = parser.parse_args(argv)
    set_up()
    try:
        migrate(database_file(load(Settings, options.settings).desk.state_dir))
    except (SettingsError, MigrationError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
