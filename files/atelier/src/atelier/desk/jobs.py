"""The desk's background jobs: retries, rechecks, and the delivery of grades."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from atelier.desk.checks import CheckService
from atelier.desk.credentials import STOPPED_CHECK_SECONDS, CredentialService, ServerTokens
from atelier.desk.grade_sender import GradeSender
from atelier.desk.spaces import Preparer
from atelier.gitlab.client import GitLabClient

log = logging.getLogger(__name__)

RETRY_EVERY_SECONDS = 2.0


class Jobs:
    """The desk's background jobs; each runs until it is cancelled.

    Args:
        gitlab_client: reports whether GitLab can be reached.
        spaces: prepares spaces.
        credentials: issues and revokes git credentials.
        servers: asks the hub which servers are running.
        checks: compares answers.
        sender: sends grades.
    """

    def __init__(
        self,
        gitlab_client: GitLabClient,
        spaces: Preparer,
        credentials: CredentialService,
        servers: ServerTokens,
        checks: CheckService,
        sender: GradeSender,
    ) -> None:
        self._gitlab_client = gitlab_client
        self._spaces = spaces
        self._credentials = credentials
        self._servers = servers
        self._checks = checks
        self._sender = sender

    def all(self) -> list[Callable[[], Awaitable[None]]]:
        """Return all jobs."""
        return [self.watch, self.recheck, self.deliver]

    async def watch(self) -> None:
        """Retry pending spaces and revocations, immediately once GitLab answers again."""
        await self._credentials.begin()
        was_reachable = True
        looked = time.monotonic()
        while True:
            reachable = self._gitlab_client.reachable()
            if reachable and not was_reachable:
                await self._probe()
            was_reachable = reachable
            try:
                await self._spaces.retry()
                await self._credentials.retry()
                if time.monotonic() - looked > STOPPED_CHECK_SECONDS:
                    looked = time.monotonic()
                    await self._credentials.revoke_stopped(self._servers.owner)
            except Exception:
                log.exception("retrying failed")
            await asyncio.sleep(RETRY_EVERY_SECONDS)

    async def recheck(self) -> None:
        """Run the rechecks that teachers ask for; a separate job because they may take long."""
        await _repeat(self._checks.retry, "checking again failed")

    async def deliver(self) -> None:
        """Send the grades that are due."""
        await _repeat(self._sender.send_due, "sending grades failed")

    async def _probe(self) -> None:
        if await asyncio.to_thread(self._gitlab_client.answers):
            self._spaces.clear_pauses()


async def _repeat(step: Callable[[], Awaitable[None]], failure: str) -> None:
    """Run a step again and again; log ``failure`` if it raises."""
    while True:
        try:
            await step()
        except Exception:
            log.exception(failure)
        await asyncio.sleep(RETRY_EVERY_SECONDS)
