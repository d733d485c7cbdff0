"""Issues git credentials: one for each server, short-lived, kept in memory only."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from atelier.config.models import Settings
from atelier.desk.db.spaces import SpaceRepository
from atelier.gitlab.client import GIT, GitLabClient
from atelier.gitlab.errors import GitLabUnavailableError, SpaceError
from atelier.identity import is_username
from atelier.limits.rate import Rate

log = logging.getLogger(__name__)

STOPPED_CHECK_SECONDS = 120.0
"""Interval at which the hub is asked whether the servers that hold a credential still run."""
RENEW_BEFORE = timedelta(hours=2)
"""Remaining validity below which a credential is replaced."""
FRESH_AT_ONCE = 5
FRESH_EVERY_SECONDS = 60.0
"""Rate of replacements for one server: five, then one a minute, as each is work for GitLab."""
ANSWER_WITHIN_SECONDS = 4.0
"""Time limit for an answer: git's credential helper waits five seconds. A credential that takes
longer is created in the background."""
ASK_AGAIN_SECONDS = 2.0
"""Retry delay that the helper gets in that case."""
ASKED_AT_ONCE = 60
ASKED_EVERY_SECONDS = 0.5
"""Rate of requests from one container, as each causes a request to the hub."""
Key = tuple[str, str]


@dataclass(frozen=True)
class Credential:
    """Username and password for git; ``repr`` hides the password, so that logs never show it."""

    username: str
    password: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class _ServerToken:
    """The token that the hub gave to a server."""

    value: str = field(repr=False)


class HubUnavailableError(Exception):
    """The hub does not answer, so tokens cannot be checked."""


class TooOftenError(Exception):
    """A server exceeds a rate limit; ``seconds`` until it may ask again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"asked too often: ask again in {seconds} s")
        self.seconds = seconds


class ServerTokens:
    """Asks the hub about the tokens that it gave to learners' servers.

    Args:
        settings: the site's settings.
    """

    def __init__(self, settings: Settings) -> None:
        base = httpx.URL(settings.site.hub_url).path.rstrip("/")
        self._url = f"{settings.hub.api_url}{base}/hub/api/user"
        self._address_url = f"{settings.hub.api_url}{base}/hub/atelier/seat/"
        # trust_env: calls within the machine must not use the site's web proxy
        self._client = httpx.AsyncClient(timeout=10, trust_env=False)

    async def owner(self, token: str, course: str) -> str | None:
        """Return the learner whose server for that course has the token.

        A server's own token has the scopes to report activity and to access that server. A page's
        token, or one that a learner created, is not accepted for git.

        Returns:
            The username, or None for any other token.

        Raises:
            HubUnavailableError: the hub does not answer.
        """
        answer = await self._ask(self._url, token)
        if answer.status_code != 200:
            return None
        model = answer.json()
        name = str(model.get("name", ""))
        scopes = set(model.get("scopes") or ())
        mine = {f"access:servers!server={name}/{course}", f"users:activity!user={name}"}
        if model.get("kind") != "user" or not is_username(name) or not mine <= scopes:
            return None
        if any(scope.startswith(("tokens", "admin:", "servers")) for scope in scopes):
            return None
        return name

    async def server_address(self, token: str, course: str) -> str | None:
        """Return the address of the container whose server has the token.

        Args:
            token: a server's own token, see :meth:`owner`.
            course: slug.

        Returns:
            The IP address, or None if the server does not run.

        Raises:
            HubUnavailableError: the hub does not answer, or the container has no address yet.
        """
        answer = await self._ask(self._address_url + course, token)
        return str(answer.json()["address"]) if answer.status_code == 200 else None

    async def _ask(self, url: str, token: str) -> httpx.Response:
        try:
            answer = await self._client.get(url, headers={"Authorization": f"token {token}"})
        except (httpx.HTTPError, ValueError) as error:
            raise HubUnavailableError(type(error).__name__) from error
        if answer.status_code >= 500:
            raise HubUnavailableError(f"status {answer.status_code}")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class CredentialService:
    """Issues and revokes one credential for each server.

    Args:
        gitlab_client: client of GitLab.
        store: stores issued credentials and pending revocations across restarts.
    """

    def __init__(self, gitlab_client: GitLabClient, store: SpaceRepository) -> None:
        self._gitlab_client = gitlab_client
        self._store = store
        self._held: dict[Key, Credential] = {}
        self._locks: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._count = 0
        """Number of servers that have stopped since this process started: a logical clock."""
        self._ends: dict[Key, int] = {}
        """Value of the count at which each server last stopped."""
        self._tokens: dict[Key, _ServerToken] = {}
        self._fresh = Rate(FRESH_AT_ONCE, FRESH_EVERY_SECONDS)
        self._asked = Rate(ASKED_AT_ONCE, ASKED_EVERY_SECONDS)

    def check_rate(self, address: str | None) -> None:
        """Apply the rate limit to a request.

        Args:
            address: address of the client; None: this machine, which has no limit.

        Raises:
            TooOftenError: the address has exceeded the limit.
        """
        if address is not None and (seconds := self._asked.take(address)):
            raise TooOftenError(seconds)

    def logical_time(self) -> int:
        """Return the logical time for :meth:`get`; read it before checking the server's token."""
        return self._count

    async def get(
        self,
        username: str,
        course: str,
        *,
        fresh: bool = False,
        since: int | None = None,
        token: str = "",
    ) -> Credential:
        """Return a server's credential; create one if there is none or it expires soon.

        Args:
            username: the learner.
            course: slug.
            fresh: replace the credential in any case, as GitLab refused it.
            since: :meth:`logical_time` at which the server was running; a server that has stopped
                after it gets no credential.
            token: the server's own token, used later to ask the hub whether the server still runs.

        Raises:
            SpaceError: the learner has no account, the server has stopped, or GitLab refuses.
            GitLabUnavailableError: try later; an attempt that takes long continues in the
                background.
            TooOftenError: replacements were requested too often.
        """
        key = (username, course)
        moment = self._count if since is None else since
        if fresh and (seconds := self._fresh.take(key)):
            raise TooOftenError(seconds)
        issuing = asyncio.create_task(
            self._gitlab_client.patiently(
                lambda: self._get(key, fresh=fresh, since=moment, token=token), GIT
            )
        )
        self._tasks.add(issuing)
        issuing.add_done_callback(self._issued)
        await asyncio.wait([issuing], timeout=ANSWER_WITHIN_SECONDS)
        if not issuing.done():
            raise GitLabUnavailableError(
                f"GitLab takes long to make a credential for {username}", ASK_AGAIN_SECONDS
            )
        return issuing.result()

    def _issued(self, task: asyncio.Task[Credential]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("no credential: %s", error)

    async def _get(self, key: Key, *, fresh: bool, since: int, token: str) -> Credential:
        """Make one attempt of :meth:`get`; the lock is released between attempts."""
        username, course = key
        async with self._locks[key]:
            self._stopped(key, since)
            held = self._held.get(key)
            if held and not fresh and held.expires_at - datetime.now(UTC) > RENEW_BEFORE:
                return held
            self._held.pop(key, None)
            # Recorded first: if this process is killed, the next one revokes the credential.
            await asyncio.to_thread(self._store.record_issued, username, course)
            password, dies = await asyncio.to_thread(self._gitlab_client.issue, username, course)
            self._stopped(key, since)
            await asyncio.to_thread(self._store.cancel_revocation, username, course)
            try:
                self._stopped(key, since)
            except SpaceError:  # replaced() may have deleted this stop's pending revocation
                await asyncio.to_thread(self._store.schedule_revocation, username, course)
                raise
            credential = Credential(username, password, dies)
            self._held[key] = credential
            self._tokens[key] = _ServerToken(token)
            log.info("credential user=%s course=%s expires=%s", *key, dies.date())
            return credential

    def _stopped(self, key: Key, since: int) -> None:
        """Refuse a server that has stopped.

        Raises:
            SpaceError: it has stopped after ``since``.
        """
        if self._ends.get(key, 0) > since:
            raise SpaceError(f"the server of {key[0]} for {key[1]} has stopped meanwhile")

    async def revoke_stopped(self, owner: Callable[[str, str], Awaitable[str | None]]) -> None:
        """Revoke the credentials of servers that the hub no longer knows.

        The hub reports each stop, but the report may be lost when hub or desk restarts.

        Args:
            owner: :meth:`ServerTokens.owner`, which returns None for a server that has stopped.
        """
        for key, held in list(self._tokens.items()):
            try:
                gone = bool(held.value) and await owner(held.value, key[1]) is None
            except HubUnavailableError:
                return
            if gone and self._tokens.get(key) is held:
                log.info("credential user=%s course=%s: its server has stopped", *key)
                await self.revoke_credential(*key)

    async def revoke_credential(self, username: str, course: str) -> None:
        """Revoke a server's credentials in the background; retry until GitLab answers."""
        self._held.pop((username, course), None)
        self._tokens.pop((username, course), None)
        self._count += 1
        self._ends[username, course] = self._count
        await asyncio.to_thread(self._store.schedule_revocation, username, course)
        task = asyncio.create_task(self._revoke(username, course))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _revoke(self, username: str, course: str) -> bool:
        async with self._locks[username, course]:
            owed = await asyncio.to_thread(self._store.pending_revocations)
            if (username, course) not in owed:
                return True  # already revoked when a new credential replaced it
            try:
                count = await asyncio.to_thread(self._gitlab_client.revoke, username, course)
            except (SpaceError, GitLabUnavailableError) as error:
                log.warning("revocation user=%s course=%s failed: %s", username, course, error)
                return False
            await asyncio.to_thread(self._store.record_revoked, username, course)
            log.info("revocation user=%s course=%s count=%d", username, course, count)
            return True

    async def begin(self) -> None:
        """Schedule the revocation of an earlier process's credentials.

        Their servers may have stopped while the desk was down. A server that still runs gets a new
        credential at its next git command.
        """
        await asyncio.to_thread(self._store.schedule_all_revocations)

    async def retry(self) -> None:
        """Work through the pending revocations until GitLab fails."""
        for username, course in await asyncio.to_thread(self._store.pending_revocations):
            if not self._gitlab_client.may_be_asked() or not await self._revoke(username, course):
                return
