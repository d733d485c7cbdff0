"""`python -m devsite.course_page`: the course page, with ready links that sign a browser in.

`/as/PERSON/PLACE` launches as that person and gives the hub's cookies to the browser: cookies know
no ports (RFC 6265, section 8.5), so those of this page are the hub's too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import urljoin

import httpx
import uvicorn
from lms import app, settings
from lms.settings import Settings
from lms.signing import launch_form
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from devsite.people import PEOPLE, PLACES, Place

MOST_REDIRECTS = 10


async def _go_on(hub: httpx.AsyncClient, answer: httpx.Response, desk: str) -> httpx.Response:
    """Follow a launch until the desk knows of it: it then redirects to the desk's own pages."""
    for _ in range(MOST_REDIRECTS):
        address = urljoin(str(answer.url), answer.headers.get("location", ""))
        if not answer.is_redirect or address.startswith(desk):
            break
        answer = await hub.get(address)
    return answer


def create(known: Settings, key: str) -> Starlette:
    """Return the application: the course page and the ready links."""

    async def arrive(request: Request) -> Response:
        person = PEOPLE.get(request.path_params["person"])
        place = PLACES.get(request.path_params["place"])
        if person is None or place is None:
            return RedirectResponse("/", 302)
        form = launch_form(known, person, place.link, app.language_of(request))
        async with httpx.AsyncClient(trust_env=False, timeout=30) as hub:
            answer = await hub.post(known.launch_url, data=dict(form))
            return await lead_on(hub, answer, place)

    async def lead_on(hub: httpx.AsyncClient, answer: httpx.Response, place: Place) -> Response:
        cookies = answer.headers.get_list("set-cookie")
        if not answer.is_redirect:
            return HTMLResponse(answer.text, answer.status_code)
        address = urljoin(str(answer.url), answer.headers["location"])
        if place.page:
            answer = await _go_on(hub, answer, f"{known.hub_url}/services/desk/")
            # Where the desk was not there to be told, the browser waits for it on the hub's page.
            address = known.hub_url + place.page if answer.is_redirect else str(answer.url)
        response = RedirectResponse(address, 302)
        for cookie in cookies:
            response.headers.append("set-cookie", cookie)
        return response

    return Starlette(
        routes=[Route("/as/{person}/{place}", arrive), Mount("/", app.create(known, key))]
    )


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="devsite.course_page", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    known = Settings(**json.loads(options.config.read_text()))
    key = settings.platform_key(options.config.with_name("lms_key.pem"))
    uvicorn.run(create(known, key), host="127.0.0.1", port=options.port, log_level="info")
    return 0


if __name__ == "__main__":
    sys.exit(main())
