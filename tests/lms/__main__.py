"""Command line: `python -m lms --bind IP:PORT --config demo.json`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvicorn

from lms import app, settings


def bind(value: str) -> tuple[str, int]:
    """Read `IP:PORT`.

    Raises:
        argparse.ArgumentTypeError: it is not of that form.
    """
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{value!r} is not IP:PORT")
    return host.strip("[]"), int(port)


def main() -> int:
    """Serve the course page until stopped."""
    parser = argparse.ArgumentParser(prog="lms", description="A demonstration course page.")
    parser.add_argument("--bind", type=bind, required=True, metavar="IP:PORT")
    parser.add_argument("--config", type=Path, required=True, help="the demo's demo.json")
    options = parser.parse_args()
    try:
        known = settings.read(options.config)
    except settings.SettingsError as error:
        print(f"lms: {error}", file=sys.stderr)
        return 2
    host, port = options.bind
    key = settings.platform_key(options.config.with_name("lms_key.pem"))
    uvicorn.run(app.create(known, key), host=host, port=port, log_level="info", server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
