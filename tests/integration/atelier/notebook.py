"""A learner's server small enough for tests: visitors sign in through the hub, as in Jupyter."""

from __future__ import annotations

import asyncio
import os
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado import web


class Page(HubOAuthenticated, web.RequestHandler):
    """Says who looks at what, and in which process."""

    @web.authenticated
    def get(self) -> None:
        visitor = self.get_current_user()["name"]
        self.write({"visitor": visitor, "path": self.request.path, "pid": os.getpid()})


class Open(web.RequestHandler):
    """What the hub asks while it waits for the server."""

    def get(self) -> None:
        self.write({"version": "1"})


async def main() -> None:
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    where = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    application = web.Application(
        [
            (prefix + "oauth_callback", HubOAuthCallbackHandler),
            (prefix + "api", Open),
            (prefix + "environment", Environment),
            (prefix + ".*", Page),
        ],
        cookie_secret=os.urandom(32),
    )
    application.listen(where.port or 8888, where.hostname or "0.0.0.0")  # noqa: S104 (in its container)
    await asyncio.Event().wait()


class Environment(HubOAuthenticated, web.RequestHandler):
    """The process's environment, for tests on what a server is told."""

    @web.authenticated
    def get(self) -> None:
        self.write(dict(os.environ))


if __name__ == "__main__":
    asyncio.run(main())
