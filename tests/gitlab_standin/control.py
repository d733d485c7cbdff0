"""``gitlab-ctl``: status, start, stop, restart, reconfigure, show-config, tail, healthcheck."""

import argparse
import json
import logging
import os
import socket
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from gitlab_standin import config
from gitlab_standin.paths import Paths

# sidekiq runs inside the web server's process here; stopping it makes background work wait.
SERVICES = ("puma", "sidekiq")


def _supervisor(paths: Paths, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(paths.run / "supervise.sock"))
        client.sendall(command.encode())
        return client.recv(4096).decode()


def _status(paths: Paths, services: list[str]) -> int:
    down = False
    for service in services:
        line = _supervisor(paths, "status")
        if service == "sidekiq":
            line = line.replace("puma", "sidekiq")
            if paths.sidekiq_down.exists():
                line = "down: sidekiq: 1s, normally up"
        print(line)
        down = down or line.startswith("down")
    return 6 if down else 0


def _change(paths: Paths, command: str, services: list[str]) -> int:
    if "sidekiq" in services:
        if command == "stop":
            paths.sidekiq_down.parent.mkdir(parents=True, exist_ok=True)
            paths.sidekiq_down.touch()
        else:
            paths.sidekiq_down.unlink(missing_ok=True)
    if "puma" in services:
        _supervisor(paths, command)
    for service in services:
        state = "down" if command == "stop" else "run"
        print(f"ok: {state}: {service}")
    return 0


def _reconfigure(paths: Paths) -> int:
    from gitlab_standin import (
        reconfigure,  # brings the database library: slow, and needed only here
    )

    before = paths.settings.read_text() if paths.settings.exists() else ""
    bundle = paths.ca_bundle.read_text() if paths.ca_bundle.exists() else ""
    try:
        reconfigure.run(paths)
    except reconfigure.ReconfigureError as error:
        print(f"There was an error running gitlab-ctl reconfigure:\n\n{error}", file=sys.stderr)
        return 1
    if (paths.settings.read_text(), paths.ca_bundle.read_text()) != (before, bundle):
        _supervisor(paths, "restart")
    print("gitlab Reconfigured!")
    return 0


def _healthcheck(paths: Paths) -> int:
    settings = config.load(paths.settings)
    url = f"http://127.0.0.1:{settings.listen_port}{settings.relative_root}/help"
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
            return 0 if answer.status == 200 else 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="gitlab-ctl", description=__doc__)
    parser.add_argument(
        "command",
        choices=[
            "status",
            "start",
            "stop",
            "restart",
            "reconfigure",
            "show-config",
            "tail",
            "hup",
            "healthcheck",
        ],
    )
    parser.add_argument("services", nargs="*")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    paths = Paths(Path(os.environ.get("GITLAB_STANDIN_ROOT", "/")))
    services = [s for s in arguments.services if s in SERVICES] or list(SERVICES)
    if arguments.command == "reconfigure":
        return _reconfigure(paths)
    if arguments.command == "healthcheck":
        return _healthcheck(paths)
    if arguments.command == "show-config":
        values = json.loads(paths.settings.read_text())
        values.get("gitlab_rails", {}).pop("omniauth_providers", None)
        print(json.dumps(values, indent=2))
        return 0
    if arguments.command == "tail":
        os.execvp("tail", ["tail", "-n", "100", "-F", str(paths.log / "puma/current")])  # noqa: S606
    try:
        if arguments.command == "status":
            return _status(paths, services)
        if arguments.command == "hup":
            return 0
        return _change(paths, arguments.command, services)
    except (FileNotFoundError, ConnectionRefusedError):
        print("fail: puma: runsv not running")
        return 1


if __name__ == "__main__":
    sys.exit(main())
