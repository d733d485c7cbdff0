"""How the hub asks for homes."""

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
"""A home that is moved is copied whole."""
REPORT_SECONDS = 10


@dataclass(frozen=True)
class Opened:
    """A home that is ready; ``path`` None: it is in the engine's volume."""

    path: str | None = None
    volume_left: bool = False
    """The engine's volume of the same home is still there, and was copied whole."""
    user: int | None = None
    """The number of the user that the home belongs to; None: the image's own."""


class HomesClient:
    """Asks the service of homes.

    Args:
        socket: where it listens; None: there is none, and homes are the engine's volumes.
    """

    def __init__(self, socket: Path | None) -> None:
        self._socket = socket

    async def open(self, learner: str, course: Course) -> Opened:
        """Have a home ready.

        Raises:
            HomeError: ``missing``: there is nothing to make it from; ``refused``, ``failed``.
        """
        if self._socket is None:
            return Opened()
        answer = await self._ask(
            OPEN_SECONDS, do="open", learner=learner, course=course.slug,
            space=course.space_bytes, inodes=course.inodes,
        )  # fmt: skip
        return Opened(answer["path"], answer["volume_left"], answer.get("user"))

    async def close(self, learner: str, slug: str) -> None:
        """A server has stopped. What goes wrong is the log's: the home opens all the same."""
        if self._socket is None:
            return
        try:
            await self._ask(OPEN_SECONDS, do="close", learner=learner, course=slug)
        except HomeError as error:
            log.warning("home of %s for %s: not closed: %s", learner, slug, error)

    async def usage(self, learner: str, slug: str) -> Usage | None:
        """How full a home is; None where nobody can say, or it has no limit."""
        if self._socket is None:
            return None
        try:
            told = await self._ask(REPORT_SECONDS, do="report", learner=learner, course=slug)
        except HomeError as error:
            log.warning("home of %s for %s: not measured: %s", learner, slug, error)
            return None
        found = told["usage"]
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
        except (OSError, ValueError) as error:  # TimeoutError is one
            raise HomeError("failed", f"{self._socket}: {type(error).__name__}: {error}") from None
        if not isinstance(answer, dict) or "problem" in answer:
            raise HomeError(str(answer.get("problem", "failed")), "the service's log says more")
        return answer
