"""A learner's server small enough for tests: visitors sign in through the hub, as in Jupyter."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from jupyterhub.services.auth import (  # type: ignore[import-untyped]
    HubOAuth,
    HubOAuthCallbackHandler,
    HubOAuthenticated,
)
from tornado import web

PAGE = """<!DOCTYPE html>
<html lang="en"><title>A learner's server</title>
<h1>In the place of JupyterLab</h1>
<p>The server of {visitor}, process {pid}, is asked for <code>{path}</code>.</p>
<pre>{answer}</pre>
<p>JupyterLab is not here: change files in <a href="{project}">the learner's GitLab space</a>.</p>
</html>
"""


class Page(HubOAuthenticated, web.RequestHandler):  # type: ignore[misc]
    """Says who looks at what, and in which process; to people as a page."""

    @web.authenticated
    def get(self) -> None:
        visitor = self.get_current_user()["name"]
        known = {"visitor": visitor, "path": self.request.path, "pid": os.getpid()}
        if "text/html" in self.request.headers.get("Accept", ""):
            project = os.environ["ATELIER_PROJECT_URL"].removesuffix(".git")
            shown = {name: escape(str(value)) for name, value in known.items()}
            shown["answer"] = escape(json.dumps(known), quote=False)  # what programs are told
            self.write(PAGE.format(**shown, project=escape(project)))
        else:
            self.write(known)


class Contents(HubOAuthenticated, web.RequestHandler):  # type: ignore[misc]
    """Where a notebook is saved: says how much has come, and at which address."""

    def check_xsrf_cookie(self) -> None:
        """Not what is tested here."""

    @web.authenticated
    def put(self) -> None:
        self.write({"bytes": len(self.request.body), "address": self.request.uri})


class Open(web.RequestHandler):
    """What the hub asks while it waits for the server."""

    def get(self) -> None:
        self.write({"version": "1"})


def trusted_seconds() -> int:
    """How long to trust the hub's word, as the hub says on the command line; else its default."""
    option = "--HubOAuth.cache_max_age="
    said = [word.removeprefix(option) for word in sys.argv if word.startswith(option)]
    return int(said[-1]) if said else int(HubOAuth.cache_max_age.default_value)


class Shown(web.StaticFileHandler):
    """What a learner shows to everybody, without a login, as they may set up Jupyter to do."""

    def set_extra_headers(self, path: str) -> None:
        del path
        self.set_header("Service-Worker-Allowed", "/")
        self.set_header("Clear-Site-Data", '"*"')


async def main() -> None:
    HubOAuth.instance(cache_max_age=trusted_seconds())
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    where = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    application = web.Application(
        [
            (prefix + "oauth_callback", HubOAuthCallbackHandler),
            (prefix + "api", Open),
            (prefix + "public/(.*)", Shown, {"path": str(Path.home() / "public")}),
            (prefix + "environment", Environment),
            (prefix + "api/contents/.*", Contents),
            (prefix + ".*", Page),
        ],
        cookie_secret=os.urandom(32),
    )
    application.listen(where.port or 8888, where.hostname or "0.0.0.0")  # noqa: S104 (in its container)
    await asyncio.Event().wait()


class Environment(HubOAuthenticated, web.RequestHandler):  # type: ignore[misc]
    """The process's environment, for tests on what a server is told."""

    @web.authenticated
    def get(self) -> None:
        self.write(dict(os.environ))


if __name__ == "__main__":
    asyncio.run(main())
