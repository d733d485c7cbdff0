"""Command ``atelier-desk-migrate``: upgrades the desk's database to this version's revision."""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import sys
from pathlib import Path

from atelier.config.models import Settings, SettingsError, load, settings_file
from atelier.desk.db.database import database_file
from atelier.desk.db.tables import REVISION
from atelier.desk.logs import set_up
from atelier.sqlite_files import MigrationError


def revision_of(file: Path) -> str | None:
    """Return a database's revision; None if it has none or cannot be read."""
    with contextlib.suppress(sqlite3.Error, OSError):
        uri = f"{file.resolve().as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    return None


def migrate(file: Path) -> None:
    """Create a database or upgrade it to this version's revision; do nothing if it is up to date.

    All revisions are applied in one transaction, so that an interrupted upgrade changes nothing. A
    copy of the former database is stored beside it before the commit.

    Args:
        file: the desk's database.

    Raises:
        MigrationError: the upgrade failed; the database is unchanged.
    """
    if revision_of(file) == REVISION:
        return
    # Imported here because Alembic is slow to import and only a version's first start needs it.
    from atelier.desk.db.upgrade import upgrade

    upgrade(file)


def main(argv: list[str] | None = None) -> int:
    """Migrate the database; return 1 with a message if the desk must not start."""
    parser = argparse.ArgumentParser(prog="atelier-desk-migrate", description=__doc__)
    default = settings_file()
    parser.add_argument(
        "--settings", type=Path, default=default, help="the site's settings (default: %(default)s)"
    )
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
