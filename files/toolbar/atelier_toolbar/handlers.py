"""The web addresses of the toolbar; the package's docstring is their reference.

What does the work, `commands`, comes with the first request: a server's start does not wait for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.iostream import StreamClosedError

from atelier_toolbar.problems import Problem
from atelier_toolbar.settings import Toolbar

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

Say = Callable[[dict[str, Any]], None]
_END = None
# Apart from the server's own threads: a silent GitLab holds up nothing but the toolbar.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="atelier-toolbar")
_Result = TypeVar("_Result")


def _apart(work: Callable[[], _Result]) -> asyncio.Future[_Result]:
    return asyncio.get_running_loop().run_in_executor(_THREADS, work)


def told(problem: Problem, root: Path) -> dict[str, Any]:
    """Return a problem as the front gets it; of a full disk, with what fills it."""
    found = problem.as_json()
    if problem.code == "disk_full":
        from atelier_toolbar.usage import full_space

        found["space"] = full_space(root)
    return found


class _Handler(APIHandler):
    """What the handlers share: the settings, the root folder, work apart from the loop."""

    @property
    def toolbar(self) -> Toolbar:
        """What is set for the toolbar."""
        toolbar: Toolbar = self.settings["atelier_toolbar"]
        return toolbar

    @property
    def root(self) -> Path:
        """Jupyter's root folder."""
        return Path(self.contents_manager.root_dir).expanduser()

    async def answer(self, work: Callable[[], dict[str, Any]]) -> None:
        """Answer with what `work` returns, done in a thread."""
        try:
            found = await _apart(work)
        except Problem as problem:
            found = {"problem": await _apart(partial(told, problem, self.root))}
        await self.finish(json.dumps(found))

    def body(self) -> dict[str, Any]:
        """The request's body. Raises web.HTTPError when it is not what it must be."""
        found = self.get_json_body()
        if not isinstance(found, dict) or not isinstance(found.get("path"), str):
            raise web.HTTPError(400, "A JSON object with a path is needed.")
        files = found.get("files")
        if files is not None and not (
            isinstance(files, list) and all(isinstance(name, str) for name in files)
        ):
            raise web.HTTPError(400, "files must be null or a list of paths.")
        if not all(isinstance(found.get(key, ""), str) for key in ("message", "lang")):
            raise web.HTTPError(400, "message and lang must be text.")
        return found

    async def stream(self, work: Callable[[Say], dict[str, Any]]) -> None:
        """Answer with a line for each step of `work`, and one for how it ended.

        A browser that goes away does not stop the work.
        """
        self.set_header("Content-Type", "application/x-ndjson")
        self.set_header("X-Accel-Buffering", "no")
        loop = asyncio.get_running_loop()
        said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

        def say(line: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(said.put_nowait, line)

        def whole() -> None:
            try:
                say({"result": work(say)})
            except Problem as problem:
                say({"problem": told(problem, self.root)})
            except Exception as error:
                self.log.exception("atelier-toolbar: a command failed")
                say({"problem": {"code": "failed", "detail": type(error).__name__}})
            finally:
                loop.call_soon_threadsafe(said.put_nowait, _END)

        working = asyncio.ensure_future(_apart(whole))
        while (line := await said.get()) is not _END:
            try:
                self.write(json.dumps(line) + "\n")
                await self.flush()
            except StreamClosedError:
                break
        await working


class StatusHandler(_Handler):
    """What changed since the last save."""

    @web.authenticated
    async def get(self) -> None:
        """Answer `status`."""
        from atelier_toolbar import commands

        path, ask = self.get_query_argument("path", ""), self.get_query_argument("ask", "0")
        await self.answer(lambda: commands.status(self.root, path, self.toolbar, ask=ask == "1"))


class ProposalHandler(_Handler):
    """A line that a save could carry."""

    @web.authenticated
    async def get(self) -> None:
        """Answer `proposal`."""
        from atelier_toolbar import commands

        path, lang = self.get_query_argument("path", ""), self.get_query_argument("lang", "")
        await self.answer(lambda: commands.proposal(self.root, path, self.toolbar, lang))


class ViewHandler(_Handler):
    """Where a file is in GitLab."""

    @web.authenticated
    async def get(self) -> None:
        """Answer `view`."""
        from atelier_toolbar import commands

        path = self.get_query_argument("path", "")
        await self.answer(lambda: commands.view(self.root, path))


class SaveHandler(_Handler):
    """Commit and push."""

    @web.authenticated
    async def post(self) -> None:
        """Answer `save`."""
        from atelier_toolbar import commands

        asked = self.body()
        await self.stream(lambda say: commands.save(self.root, asked, self.toolbar, say))


class PullHandler(_Handler):
    """Fetch and merge."""

    @web.authenticated
    async def post(self) -> None:
        """Answer `pull`."""
        from atelier_toolbar import commands

        asked = self.body()
        await self.stream(lambda say: commands.pull(self.root, asked, say))


class CheckHandler(_Handler):
    """The desk's check of the saved answer."""

    @web.authenticated
    async def post(self) -> None:
        """Answer `check`."""
        from atelier_toolbar import checks

        asked = self.body()
        await self.answer(lambda: {"result": checks.check(self.root, asked)})


def add_routes(server: ServerApp) -> None:
    """Add the toolbar's addresses to a running Jupyter server."""
    server.web_app.settings["atelier_toolbar"] = Toolbar(parent=server)
    base = url_path_join(server.web_app.settings["base_url"], "atelier-toolbar")
    handlers: dict[str, type[_Handler]] = {
        "status": StatusHandler,
        "proposal": ProposalHandler,
        "view": ViewHandler,
        "save": SaveHandler,
        "pull": PullHandler,
        "check": CheckHandler,
    }
    application: web.Application = server.web_app
    application.add_handlers(
        ".*$", [(url_path_join(base, name), handler) for name, handler in handlers.items()]
    )
