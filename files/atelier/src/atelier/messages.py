"""Messages between hub and desk: the addresses and the client of the desk's API.

Nothing here raises if the desk is down or slow: the hub continues without it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from atelier.config.models import Settings

log = logging.getLogger(__name__)

SENT_AT_ONCE = 25
"""Maximum number of launches in one call to the desk."""
_PAUSE_SECONDS = 0.25
"""Pause between two calls about launches; launches during the pause go together."""


@dataclass(frozen=True)
class SpaceState:
    """State of a space, as the desk reports it."""

    state: Literal["ready", "preparing", "unavailable"]
    step: str = "queued"
    project: str = ""
    """Path of the fork in GitLab, when ready."""
    branch: str = "main"
    reason: str = ""


def service_prefix(settings: Settings) -> str:
    """Path of the desk on the hub's host, without a trailing slash."""
    return urlsplit(settings.site.hub_url).path + "/services/desk"


class DeskClient:
    """Calls the desk's API.

    Args:
        settings: the site's settings.
        token: the hub's own token for the desk.
    """

    def __init__(self, settings: Settings, token: str) -> None:
        self._base = settings.desk.url + service_prefix(settings) + "/api/"
        self._headers = {"Authorization": f"token {token}"}
        self._kept: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None
        self._unsent: list[dict[str, Any]] = []
        self._sending: asyncio.Task[None] | None = None

    def _client(self) -> httpx.AsyncClient:
        """The client, one for each event loop: creating one reads all certificate authorities.

        Connections expire before the desk would close them.
        """
        loop = asyncio.get_running_loop()
        if self._kept is None or self._kept[0] is not loop:
            limits = httpx.Limits(max_connections=None, keepalive_expiry=2)
            # trust_env: the site's web proxy must not be used for calls on this machine
            self._kept = loop, httpx.AsyncClient(limits=limits, trust_env=False)
        return self._kept[1]

    async def _call(
        self, method: str, path: str, body: dict[str, Any], wait: float
    ) -> httpx.Response | None:
        timeout = httpx.Timeout(wait + 5, connect=2)
        try:
            return await self._client().request(
                method,
                self._base + path,
                # Escaped: a platform's texts may have lone surrogates, which UTF-8 cannot encode.
                content=json.dumps(body),
                params={"wait": f"{wait:g}"},
                headers={**self._headers, "Content-Type": "application/json"},
                timeout=timeout,
            )
        except httpx.HTTPError as error:
            log.warning("the desk does not answer: %s", type(error).__name__)
            return None

    async def space(
        self, username: str, name: str, email: str, course: str, *, wait: float = 0
    ) -> SpaceState:
        """Ask the desk to prepare a space, and return its state.

        Args:
            username: the learner.
            name: display name for a new GitLab account.
            email: address for a new GitLab account.
            course: slug.
            wait: how long to wait at most for the space to be ready, seconds.
        """
        body = {"username": username, "name": name, "email": email, "course": course}
        response = await self._call("POST", "spaces", body, wait)
        if response is None:
            return SpaceState("unavailable", reason="the desk does not answer")
        try:
            data = response.json()
            if response.status_code == 200:
                return SpaceState("ready", project=data["project"], branch=data["branch"])
            if response.status_code == 202:
                return SpaceState("preparing", step=data.get("step", "queued"))
            reason = str(data.get("reason", f"status {response.status_code}"))
        except (ValueError, KeyError, AttributeError):
            reason = f"status {response.status_code}"
        return SpaceState("unavailable", reason=reason)

    def queue_launch(self, launch: dict[str, Any]) -> None:
        """Send a launch to the desk in the background, now or together with the next ones.

        Args:
            launch: what :func:`atelier.hub.launch_state.launch_message` gives.
        """
        self._unsent.append(launch)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_queued())

    async def _send_queued(self) -> None:
        while self._unsent:
            together = self._unsent[:SENT_AT_ONCE]
            del self._unsent[:SENT_AT_ONCE]
            await self.launched(*together)
            if len(self._unsent) < SENT_AT_ONCE:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def launched(self, *launches: dict[str, Any]) -> bool:
        """Send launches to the desk: learner, role, and where grades go.

        Args:
            launches: what :func:`atelier.hub.launch_state.launch_message` gives.

        Returns:
            Whether the desk has stored them all.
        """
        response = await self._call("POST", "launches", {"launches": launches}, 0)
        if response is not None and response.status_code != 204:
            log.warning(
                "launches of %s: the desk answers %s",
                ", ".join(launch["username"] for launch in launches),
                response.status_code,
            )
        return response is not None and response.status_code == 204

    async def revoke(self, username: str, course: str) -> None:
        """Revoke the git credentials of a server."""
        body = {"username": username, "course": course}
        response = await self._call("DELETE", "credentials", body, 0)
        if response is not None and response.status_code >= 400:
            log.warning(
                "credentials of %s for %s: the desk answers %s",
                username,
                course,
                response.status_code,
            )
