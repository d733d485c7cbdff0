"""The address of a learner's server: the desk gives a git credential to no other address."""

from __future__ import annotations

import asyncio
import time

from jupyterhub.apihandlers.base import APIHandler  # type: ignore[import-untyped]
from jupyterhub.user import User  # type: ignore[import-untyped]
from tornado import web

STARTING_SECONDS = 8.0
"""Seconds that a request waits for the address of a server that is just starting."""


class ServerAddressHandler(APIHandler):  # type: ignore[misc]
    """``/hub/atelier/seat/<course>``, for the desk, which asks with the server's own token."""

    async def get(self, course: str) -> None:
        """The address of the container of that server: ``{"address": "172.30.0.5"}``.

        Errors: 403 the token does not belong to a server of this course; 404 the server does not
        run; 503 its address is not known yet.
        """
        user = self.current_user
        scope = "access:servers!server={}/{}"
        if not isinstance(user, User) or scope.format(user.name, course) not in (
            self.expanded_scopes
        ):
            raise web.HTTPError(403)
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline:
            spawner = user.spawners.get(course)
            if spawner is None or not spawner.active or spawner.pending == "stop":
                raise web.HTTPError(404)
            if spawner.source_address:
                self.finish({"address": spawner.source_address})
                return
            await asyncio.sleep(0.05)
        raise web.HTTPError(503)
