"""The course page of an LMS on another site: a launch in a frame, and in a new tab."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from lms import app as lms_app
from lms.settings import Settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

UNIT = """<!DOCTYPE html><html lang="en"><title>A unit</title>
<p><a id="tab" href="/launch/{link}" target="_blank">Open</a></p>
<iframe id="inline" title="A notebook" src="/launch/{link}" width="900" height="700"></iframe>
"""


async def _unit(request: Request) -> Response:
    return HTMLResponse(UNIT.format(link=request.path_params["link"]))


@contextmanager
def running(settings: Settings, port: int) -> Iterator[None]:
    """Serve it on a port of this machine while the block lasts."""
    application = Starlette(
        routes=[Route("/framed/{link}", _unit), Mount("/", lms_app.create(settings))]
    )
    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the course page did not start"
        time.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
