"""Command ``atelier-hub-migrate``: brings the hub's database to the revision JupyterHub wants.

JupyterHub does not start on a database of an earlier version. Its own ``upgrade-db`` looks for
programs on the PATH, copies a SQLite file without its write-ahead log, and leaves a file half
upgraded when it is killed. This command runs the same revisions: on a copy of a SQLite file, which
then replaces the file in one step, or in PostgreSQL, one transaction for each.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.util
import logging
import os
import sqlite3
import sys
import tempfile
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from atelier.config.credentials import Credentials, database_url
from atelier.config.models import Settings, SettingsError, load, settings_file
from atelier.sqlite_files import (
    MigrationError,
    backup,
    copies,
    directory_lock,
    first_line,
    keep_copy,
    remedy,
)

_THEN = "Then: systemctl restart atelier-hub"
_log = logging.getLogger(__name__)


def known_revisions() -> dict[str, str | None]:
    """Revisions of the installed JupyterHub, each with the one before it.

    They are read from its files: to import them takes longer than all else at a usual start.
    """
    package = importlib.util.find_spec("jupyterhub")
    if package is None or not package.submodule_search_locations:
        raise MigrationError("JupyterHub is not installed: run the playbook again")
    versions = Path(package.submodule_search_locations[0]) / "alembic/versions"
    known: dict[str, str | None] = {}
    for path in versions.glob("*.py"):
        named = {
            target.id: node.value.value
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        before = named["down_revision"]
        known[str(named["revision"])] = None if before is None else str(before)
    return known


def revision_of(url: URL) -> str | None:
    """The revision a database is at; None where there is nothing, or JupyterHub has to look."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(found) if found else None


def migrate(database: str) -> None:
    """Bring the hub's database to the installed JupyterHub's revision, where it is at another.

    Args:
        database: as SQLAlchemy writes it, with its password.

    Raises:
        MigrationError: a SQLite file is as it was.
    """
    url = make_url(database)
    file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    if file is not None and not file.exists():
        return  # JupyterHub makes it
    name = str(file or url.render_as_string(hide_password=True))
    try:
        known = known_revisions()
        (wanted,) = set(known) - set(known.values())
        found = revision_of(url)
        if found in (None, wanted):
            return
        if found not in known:
            raise MigrationError(_too_new(name, found, file))
        if file is not None:
            _upgrade_file(file, wanted)
        else:
            _log.warning("%s: no copy is made of a PostgreSQL database", name)
            _apply(database)
        _log.info("%s: now at JupyterHub's revision %s", name, wanted)
    except MigrationError:
        raise
    except Exception as error:  # JupyterHub's revisions may raise anything
        cure = remedy(file, error) if file is not None else None
        if cure is None and file is None and isinstance(error, OperationalError):
            cure = "See that it answers, and takes the user and the password."
        if cure is None:
            _log.exception("the hub's database")
            cure = "Install the former version of the collection, and report this."
        state = "The database is as it was. " if file is not None else ""
        raise MigrationError(
            f"cannot bring the hub's database {name} to the installed JupyterHub's revision:"
            f" {first_line(error)}. {state}{cure} {_THEN}"
        ) from error


def _too_new(name: str, found: str | None, file: Path | None) -> str:
    kept = [copy for copy in copies(file) if copy.name.endswith(f"-{found}")] if file else []
    back = f", or put back {kept[0]}, which was made before that upgrade" if kept else ""
    return (
        f"the hub's database {name} is at revision {found}, which the installed JupyterHub does not"
        " know: a newer one has used it. The database is as it was. Install the collection's newer"
        f" version again{back}. {_THEN}"
    )


def _upgrade_file(file: Path, wanted: str) -> None:
    """Upgrade a copy of a SQLite file, and put it in the file's place."""
    with directory_lock(file.parent):
        # Fails while another process has it open, and leaves nothing in a file beside it.
        with contextlib.closing(sqlite3.connect(file, timeout=10)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
        upgraded = file.with_name(f"{file.name}.upgraded")
        upgraded.unlink(missing_ok=True)
        try:
            os.close(os.open(upgraded, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            backup(file, upgraded)
            _apply(f"sqlite:///{upgraded}")
            with upgraded.open("rb") as written:
                os.fsync(written.fileno())
            _log.info("%s: a copy of before is in %s", file, keep_copy(file, wanted))
            upgraded.replace(file)
        finally:
            upgraded.unlink(missing_ok=True)


def _apply(database: str) -> None:
    """Run JupyterHub's revisions on a database."""
    # Slow to import, and every start but the first of a version does without them.
    from alembic import command
    from alembic.config import Config
    from jupyterhub.dbutil import write_alembic_ini  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:  # it will hold the database's password
        settings = Path(folder) / "alembic.ini"
        write_alembic_ini(str(settings), database)
        command.upgrade(Config(str(settings)), "head")


def main(argv: list[str] | None = None) -> int:
    """Command ``atelier-hub-migrate``: 1 with a clear message when the hub must not start."""
    parser = argparse.ArgumentParser(prog="atelier-hub-migrate", description=__doc__)
    default = settings_file()
    parser.add_argument(
        "--settings", type=Path, default=default, help="the site's settings (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        migrate(database_url(load(Settings, options.settings).hub, Credentials()))
    except (SettingsError, MigrationError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
