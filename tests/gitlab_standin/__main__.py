"""``python -m gitlab_standin --root DIR --gitlab-rb FILE --port N``: reconfigure, then serve."""

import argparse
import logging
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from gitlab_standin import config, reconfigure
from gitlab_standin.app import application
from gitlab_standin.database import Database
from gitlab_standin.paths import Paths
from gitlab_standin.site import Site

log = logging.getLogger("gitlab_standin")


Front = Callable[[ASGIApp], ASGIApp]
"""What stands between browsers and GitLab."""


class _Server(uvicorn.Server):
    """Says when it is ready."""

    ready_line = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            print(self.ready_line, flush=True)


def serve(paths: Paths, settings: config.Config, host: str, port: int, front: Front) -> None:
    """Serve until SIGTERM or SIGINT; running requests are answered first."""
    database = Database(paths.database)
    site = Site(paths, settings, database)
    options = uvicorn.Config(
        front(application(site)),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=10,
        proxy_headers=False,
        backlog=1024,
    )
    server = _Server(options)
    server.ready_line = f"GitLab stand-in ready on http://{host}:{port} for {settings.base_url}"
    try:
        server.run()
    finally:
        database.close()


def main(front: Front = lambda gitlab: gitlab) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="gitlab_standin", description=__doc__)
    parser.add_argument(
        "--root", type=Path, required=True, help="directory with etc/gitlab, var/opt/gitlab..."
    )
    parser.add_argument(
        "--gitlab-rb", type=Path, help="configuration (default: etc/gitlab/gitlab.rb below root)"
    )
    parser.add_argument("--port", type=int, help="port to listen on (default: as in gitlab.rb)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--no-reconfigure",
        action="store_true",
        help="use the settings of the last reconfigure, without a new one",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    paths = Paths(arguments.root.resolve())
    try:
        if arguments.no_reconfigure:
            settings = config.load(paths.settings)
        else:
            settings = reconfigure.run(paths, arguments.gitlab_rb)
    except (reconfigure.ReconfigureError, config.ConfigError) as error:
        print(f"There was an error running gitlab-ctl reconfigure:\n\n{error}", file=sys.stderr)
        return 1
    port = arguments.port or settings.listen_port
    serve(paths, replace(settings, listen_port=port), arguments.host, port, front)
    return 0


if __name__ == "__main__":
    sys.exit(main())
