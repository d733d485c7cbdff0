"""Secrets that systemd passes to the services (systemd.exec(5), ``LoadCredential=``)."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.engine import make_url

from atelier.config.models import Hub, SettingsError


class Credentials:
    """Reads secrets from a directory with one file for each.

    Args:
        directory: the directory; by default ``$CREDENTIALS_DIRECTORY``.
    """

    def __init__(self, directory: Path | None = None) -> None:
        named = os.environ.get("CREDENTIALS_DIRECTORY")
        self._directory = directory or (Path(named) if named else None)

    def optional(self, name: str) -> str | None:
        """Return a secret without surrounding white space, or None if it is absent or empty."""
        if self._directory is None:
            return None
        try:
            return (self._directory / name).read_text(encoding="utf-8").strip() or None
        except OSError:
            return None

    def get(self, name: str) -> str:
        """Return a required secret.

        Raises:
            SettingsError: it is absent or empty; the text names the credential.
        """
        value = self.optional(name)
        if value is None:
            where = self._directory or "$CREDENTIALS_DIRECTORY (not set)"
            raise SettingsError(f"credential {name!r}: absent or empty in {where}")
        return value


def database_url(hub: Hub, credentials: Credentials) -> str:
    """Return the URL of the hub's database, with its password. JupyterHub's log masks it."""
    url = make_url(hub.database_url)
    password = credentials.optional("database_password")
    if password and url.get_backend_name() != "sqlite":
        url = url.set(password=password)
    return url.render_as_string(hide_password=False)
