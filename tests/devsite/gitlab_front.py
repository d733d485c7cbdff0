"""`python -m devsite.gitlab_front`: the stand-in, with what nginx adds to GitLab's host.

Two addresses end a browser's GitLab session, so that one browser can be a learner and then a
teacher, as on a real site.
"""

from __future__ import annotations

import os
import re
import sys

from gitlab_standin.__main__ import main
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HUB = "ATELIER_DEV_HUB"
COOKIES = ("_gitlab_session", "remember_user_token")
_WAY = re.compile(r"/[A-Za-z0-9._~/%-]*")


def way_in(query: str) -> str:
    """Return the path on GitLab's host that `/-/atelier/enter` leads to; `/` when it may not."""
    _, _, path = query.partition("to=")
    return path if _WAY.fullmatch(path) and "//" not in path else "/"


def front(gitlab: ASGIApp) -> ASGIApp:
    """Return the application that browsers reach: GitLab and the two addresses."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/-/atelier/"):
            await gitlab(scope, receive, send)
            return
        await _leave(Request(scope))(scope, receive, send)

    return app


def _leave(request: Request) -> Response:
    query = request.url.query
    if request.url.path == "/-/atelier/enter":
        address = way_in(query)
    elif request.url.path == "/-/atelier/leave":
        address = f"{os.environ[HUB]}/hub/atelier/go?{query}"
    else:
        return Response(status_code=404)
    response = RedirectResponse(address, 302, {"Cache-Control": "no-store"})
    for cookie in COOKIES:
        response.delete_cookie(cookie)
    return response


if __name__ == "__main__":
    sys.exit(main(front))
