"""Command ``atelier-desk``: serves the desk until it is stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvicorn

from atelier.config.credentials import Credentials
from atelier.config.models import Settings, SettingsError, load, settings_file
from atelier.desk.app import make_app
from atelier.desk.db.database import database_file
from atelier.desk.db.migrate import migrate
from atelier.desk.logs import set_up
from atelier.limits.requests import BoundedProtocol
from atelier.sqlite_files import MigrationError


def main(argv: list[str] | None = None) -> int:
    """Serve the desk; return 1 with a message if the settings or the database are unusable."""
    parser = argparse.ArgumentParser(prog="atelier-desk", description=__doc__)
    default = settings_file()
    parser.add_argument(
        "--settings", type=Path, default=default, help="the site's settings (default: %(default)s)"
    )
    parser.add_argument(
        "--log-level",
        default="INFO",
        choices=["DEBUG", "INFO", "WARNING"],
        help="least severe level to log (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    set_up(options.log_level)
    try:
        settings = load(Settings, options.settings)
        # The systemd unit has migrated it already; other ways to start the desk rely on this call.
        migrate(database_file(settings.desk.state_dir))
        app = make_app(settings, Credentials())
    except (SettingsError, MigrationError) as error:
        print(error, file=sys.stderr)
        return 1
    uvicorn.run(
        app,
        host=settings.desk.bind_host,
        port=settings.desk.bind_port,
        loop="asyncio",  # not uvloop, even if it is installed
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
