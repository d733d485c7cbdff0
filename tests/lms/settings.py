"""What the course page must know, read from the demo's `demo.json`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lms.platform13 import make_key


class SettingsError(Exception):
    """The configuration is incomplete; the message names the file and the keys."""


@dataclass(frozen=True)
class Settings:
    """Addresses and the LTI 1.1 consumer this page launches with."""

    hub_url: str
    lms_url: str
    course: str
    consumer_key: str
    consumer_secret: str
    ca_file: str = ""

    @property
    def launch_url(self) -> str:
        """Where launches are posted."""
        return f"{self.hub_url.rstrip('/')}/hub/lti/launch"


def read(path: Path) -> Settings:
    """Read `demo.json`; keys this page does not need are ignored.

    Raises:
        SettingsError: the file cannot be read, or keys are missing or not text.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error
    names = Settings.__dataclass_fields__
    missing = [name for name in names if not isinstance(found.get(name), str) or not found[name]]
    if missing:
        raise SettingsError(f"{path}: missing {', '.join(missing)}")
    return Settings(**{name: found[name] for name in names})


def platform_key(path: Path) -> str:
    """The platform's private key in that file, in PEM; made when there is none."""
    if not path.exists():
        partial = path.with_name(f".{path.name}.partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make_key())
        partial.replace(path)
    return path.read_text()
