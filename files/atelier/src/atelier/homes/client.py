"""The hub's client of the homes service."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atelier.config.models import Course
from atelier.homes import LONGEST_LINE, HomeError
from atelier.homes.usage import Usage

log = logging.getLogger(__name__)

OPEN_SECONDS = 600
"""Long, as a home may have to be copied from its volume."""
REPORT_SECONDS = 10


@dataclass(frozen=True)
class Opened:
    """A home that is ready for use; ``path`` None: it is in a volume of the container engine."""

    path: str | None = None
    volume_left: bool = False
    """The volume of the same home still exists, and all of it was copied."""
    user: int | None = None
    """User id of the home's owner; None: the image's default user."""


class HomesClient:
    """Sends requests to the homes service.

    Args:
        socket: the service's socket; None: no service, homes are volumes of the container engine.
    """

    def __init__(self, socket: Path | None) -> None:
        self._socket = socket

    async def open(self, learner: str, course: Course) -> Opened:
        """Create a home if needed, and mount it.

        Raises:
            HomeError: ``missing``: there is no volume to create it from; ``refused``, ``failed``.
        """
        if self._socket is None:
            return Opened()
        answer = await self._ask(
            OPEN_SECONDS, do="open", learner=learner, course=course.slug,
            space=course.space_bytes, inodes=course.inodes,
        )  # fmt: skip
        return Opened(answer["path"], answer["volume_left"], answer.get("user"))

    async def close(self, learner: str, slug: str) -> None:
        """Unmount a home after its server stopped; only log errors, as it can be opened anyway."""
        if self._socket is None:
            return
        try:
            await self._ask(OPEN_SECONDS, do="close", learner=learner, course=slug)
        except HomeError as error:
            log.warning("home of %s for %s: not closed: %s", learner, slug, error)

    async def usage(self, learner: str, slug: str) -> Usage | None:
        """Return the usage of a home; None if it is unknown or the home has no limit."""
        if self._socket is None:
            return None
        try:
            answer = await self._ask(REPORT_SECONDS, do="report", learner=learner, course=slug)
        except HomeError as error:
            log.warning("home of %s for %s: not measured: %s", learner, slug, error)
            return None
        found = answer["usage"]
        if found is None:
            return None
        return Usage(**{**found, "largest": [(path, size) for path, size in found["largest"]]})

    async def _ask(self, seconds: float, **request: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_unix_connection(
                    self._socket, limit=LONGEST_LINE
                )
                try:
                    writer.write(json.dumps(request).encode() + b"\n")
                    await writer.drain()
                    answer = json.loads(await reader.readline())
                finally:
                    writer.close()
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise HomeError("failed", f"{self._socket}: {type(error).__name__}: {error}") from None
        if not isinstance(answer, dict) or "problem" in answer:
            raise HomeError(str(answer.get("problem", "failed")), "the service's log says more")
        return answer
