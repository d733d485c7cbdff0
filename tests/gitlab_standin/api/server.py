"""/api/v4.

Finds the operation, runs it in a thread inside one transaction, answers as GitLab does.
"""

import asyncio
import functools
import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gitlab_standin.api import authentication, body
from gitlab_standin.api.core import ROUTES, ApiError, Call, Reply, Route, check_parameters
from gitlab_standin.api.throttle import Throttle
from gitlab_standin.database import afterwards
from gitlab_standin.remote import remote_address
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


@functools.cache
def _routes() -> Mapping[str, list[Route]]:
    """The operations by the first word of their addresses, each in order of declaration."""
    found: dict[str, list[Route]] = defaultdict(list)
    for route in ROUTES:
        found[route.segments[0]].append(route)
    return found


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The operation and its variables; ``path`` is the raw one, ``%2F`` kept."""
    parts = [part for part in path.split("/") if part]
    other_method = False
    for candidate in _routes().get(parts[0], ()) if parts else ():
        if len(parts) < len(candidate.segments):
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
    site: Site,
    throttle: Throttle,
    address: str,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    content: bytes,
) -> Response:
    try:
        lookup = "GET" if method == "HEAD" else method
        given: dict[str, Any] = body.form(query)
        refusal = throttle.refusal(authentication.credential(headers, given), address)
        if refusal is not None:
            return _encode(refusal)
        found, variables = find_route(lookup, path)
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
            if call.settings_changed:
                afterwards(session, throttle.forget_settings)
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


class Api:
    """The ASGI application of /api/v4.

    It does without Starlette's layers, which are for pages. What changes something is done by one
    thread, in the order of arrival: the database has one writer at a time, and threads that wait
    for each other only take time from it.
    """

    def __init__(self, site: Site, readers: int) -> None:
        self._site = site
        self._throttle = Throttle(site.database, site.settings)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="api-writer")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="api-reader")

    def serves(self, scope: Scope) -> bool:
        """Whether a request is for the API."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        path = path.removeprefix(self._site.config.relative_root)
        return path == "/api/v4" or path.startswith("/api/v4/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1").partition("?")[0]
        path = path.removeprefix(self._site.config.relative_root).removeprefix("/api/v4")
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        content = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client has gone
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        peer = scope["client"][0] if scope.get("client") else "127.0.0.1"
        address = remote_address(self._site.config, peer, headers.get("x-forwarded-for", ""))
        method, query = scope["method"], scope["query_string"].decode("latin-1")
        threads = self._readers if method in {"GET", "HEAD"} else self._writer
        response = await asyncio.get_running_loop().run_in_executor(
            threads,
            _handle,
            self._site,
            self._throttle,
            address,
            method,
            path,
            query,
            headers,
            content,
        )
        await response(scope, receive, send)

    def close(self) -> None:
        """Let go of the threads."""
        self._writer.shutdown(wait=False)
        self._readers.shutdown(wait=False)
