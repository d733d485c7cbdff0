"""The web application: API, git and pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gitlab_standin import git_http
from gitlab_standin.api import all_operations  # noqa: F401  (registers the operations)
from gitlab_standin.api import server as api_server
from gitlab_standin.background import Background
from gitlab_standin.site import Site
from gitlab_standin.web import all_pages  # noqa: F401  (registers the pages)
from gitlab_standin.web import server as web_server

THREADS = 40
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


async def _dispatch(request: Request) -> Response:
    site: Site = request.app.state.site
    path = request.scope["path"].removeprefix(site.config.relative_root)
    git = git_http.ROUTE.fullmatch(path)
    if git:
        return await git_http.endpoint(request, git["path"], git["service"])
    return await web_server.endpoint(request)


def application(site: Site) -> ASGIApp:
    """The application of a site; background work runs while it serves."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        worker = Background(site)
        worker.start()
        yield
        worker.stop()
        api.close()

    api = api_server.Api(site, THREADS)
    pages = Starlette(
        routes=[Route("/{path:path}", _dispatch, methods=_METHODS)],
        lifespan=lifespan,
    )
    pages.state.site = site

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (api if api.serves(scope) else pages)(scope, receive, send)

    return app
