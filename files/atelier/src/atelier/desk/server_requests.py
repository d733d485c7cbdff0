"""Requests of learners' servers: their bodies, and whose server sends them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from atelier.desk.credentials import ServerTokens
from atelier.desk.entry import Entry
from atelier.desk.errors import RefusedError
from atelier.desk.launch_message import require_texts
from atelier.limits.requests import foreign_address

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 * 1024


def token_of(request: Request) -> str:
    """Return the token in the request's header.

    Raises:
        RefusedError: there is none.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() not in ("token", "bearer") or not token.strip():
        raise RefusedError(401, "a token is needed")
    return token.strip()


async def json_object(request: Request, most: int) -> dict[str, Any]:
    """Return the request's JSON object; ``most`` is the largest body, bytes.

    Raises:
        RefusedError: it is too large, or no JSON object.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise RefusedError(413, "too large")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: too deeply nested
        raise RefusedError(400, "not JSON") from None
    if not isinstance(data, dict):
        raise RefusedError(400, "not an object")
    return data


async def json_fields(request: Request, *names: str) -> dict[str, Any]:
    """Return the request's JSON object; require non-empty strings in the named fields."""
    data = await json_object(request, MAX_BODY_BYTES)
    require_texts(data, *names)
    return data


class ServerRequests:
    """Decides which learner's server sends a request.

    Args:
        servers: asks the hub for the owner of a server's token and the server's address.
        entry: decides whether a learner still has access.
        check_rate: applies the rate limit to an address.
    """

    def __init__(
        self, servers: ServerTokens, entry: Entry, check_rate: Callable[[str | None], None]
    ) -> None:
        self._servers = servers
        self._entry = entry
        self._check_rate = check_rate

    def begin(self, request: Request) -> str:
        """Return the token of a request that came directly, within the rate limit.

        Anybody can send requests through the hub's proxy, which adds X-Forwarded-For: a copied
        server token could be used there.

        Raises:
            RefusedError: it came through the proxy, or without a token.
            TooOftenError: its address has exceeded the limit.
        """
        if "x-forwarded-for" in request.headers:
            raise RefusedError(403, "this is for learners' servers, which ask directly")
        token = token_of(request)
        self._check_rate(foreign_address(request.client, request.scope.get("server")))
        return token

    async def owner(self, token: str, course: str) -> str:
        """Return the learner whose server for the course has the token.

        Raises:
            RefusedError: it is another token, or the learner no longer has access.
            HubUnavailableError: the hub does not answer.
        """
        username = await self._servers.owner(token, course)
        if username is None:
            raise RefusedError(403, "this token is not that of a learner's server for this course")
        await self._entry.admit(username, course)
        return username

    async def check_source_address(
        self, request: Request, username: str, course: str, token: str
    ) -> None:
        """Check that the request comes from the address of the server's container.

        Raises:
            RefusedError: it comes from another address, or the server has stopped.
            HubUnavailableError: the hub does not answer.
        """
        address = request.client.host if request.client else ""
        expected = await self._servers.server_address(token, course)
        if expected is None:
            raise RefusedError(403, "this token is that of a server that has stopped")
        if expected != address:
            log.warning("token of user=%s course=%s used by %s", username, course, address)
            raise RefusedError(403, "this token is that of a server elsewhere")
