"""/api/v4.

Finds the operation, runs it in a thread inside one transaction, answers as GitLab does.
"""

import json
import logging
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gitlab_standin.api import authentication, body
from gitlab_standin.api.core import ROUTES, ApiError, Call, Reply, Route, check_parameters
from gitlab_standin.site import Site

log = logging.getLogger("gitlab_standin.api")

_HEADERS = {
    "Cache-Control": "max-age=0, private, must-revalidate",
    "Vary": "Origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
_PAGING: tuple[str, ...] = ("page", "per_page", "pagination", "cursor")
_SUCCESS = {"POST": 201, "GET": 200, "PUT": 200, "PATCH": 200, "DELETE": 204}


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The operation and its variables; ``path`` is the raw one, ``%2F`` kept."""
    parts = [part for part in path.split("/") if part]
    other_method = False
    for candidate in ROUTES:
        if len(parts) < len(candidate.segments) or parts[0] != candidate.segments[0]:
            continue
        variables = candidate.match(parts)
        if variables is None:
            continue
        if candidate.method == method:
            return candidate, variables
        other_method = True
    if other_method:
        raise ApiError(405, {"error": "405 Not Allowed"})
    raise ApiError(404, {"error": "404 Not Found"})


def _encode(reply: Reply) -> Response:
    headers = {**_HEADERS, **reply.headers}
    if reply.body is None and reply.status in {204, 304}:
        return Response(status_code=reply.status, headers=headers)
    content = reply.body
    if reply.media_type == "application/json":
        content = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, reply.status, headers, reply.media_type)


def _handle(
    site: Site, method: str, path: str, query: str, headers: dict[str, str], content: bytes
) -> Response:
    try:
        lookup = "GET" if method == "HEAD" else method
        found, variables = find_route(lookup, path)
        given: dict[str, Any] = body.form(query)
        given.update(body.parse(content, headers.get("content-type", "")))
        opened: AbstractContextManager[Session] = (
            site.database.read() if lookup == "GET" else site.database.write()
        )
        with opened as session:
            user, token = authentication.authenticate(site, session, found, headers, given)
            params = check_parameters(found.parameters, given)
            paging = {k: v for k, v in given.items() if k in _PAGING}
            call = Call(
                site, session, method, path, variables, {**paging, **params}, user, token, headers
            )
            call.headers["query"] = query
            result = found.handler(call)
        if token is not None:
            authentication.record_use(site, token)
        if isinstance(result, Reply):
            return _encode(result)
        return _encode(Reply(_SUCCESS[lookup], result))
    except ApiError as error:
        return _encode(Reply(error.status, error.body, error.headers))
    except Exception:
        log.exception("%s %s", method, path)
        return _encode(Reply(500, {"message": "500 Internal Server Error"}))


async def endpoint(request: Request) -> Response:
    """Starlette's side of the API."""
    site: Site = request.app.state.site
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0]
    path = path.removeprefix(site.config.relative_root).removeprefix("/api/v4")
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in request.headers.raw}
    content = await request.body()
    query = request.scope["query_string"].decode("latin-1")
    return await run_in_threadpool(_handle, site, request.method, path, query, headers, content)
