"""Git credentials: for one learner's server, short-lived, kept in memory only."""

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

LOOK_AFTER_SECONDS = 120.0
"""How often the hub is asked whether the servers that hold a credential run still."""
RENEW_BEFORE = timedelta(hours=2)
"""A credential that dies sooner than that is replaced by a new one."""
FRESH_AT_ONCE = 5
FRESH_EVERY_SECONDS = 60.0
"""A server that asks for another credential gets five, then one a minute: each is GitLab's work."""
ANSWER_WITHIN_SECONDS = 4.0
"""Git's helper waits five: a credential that takes longer is made in the background."""
ASK_AGAIN_SECONDS = 2.0
"""When the helper may ask for it then."""
ASKED_AT_ONCE = 60
ASKED_EVERY_SECONDS = 0.5
"""How often one container may ask at all: each question is one to the hub."""
Key = tuple[str, str]


@dataclass(frozen=True)
class Credential:
    """What git needs; the password never shows in a log or a representation."""

    username: str
    password: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class _ServerToken:
    """A server's own token of the hub."""

    value: str = field(repr=False)


class HubUnavailableError(Exception):
    """The hub does not answer, so nobody can be recognised."""


class TooOftenError(Exception):
    """A server asks too often, for another credential or at all; ``seconds`` until it may again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"asked too often: ask again in {seconds} s")
        self.seconds = seconds


class ServerTokens:
    """Recognises the tokens the hub gave to learners' servers.

    Args:
        settings: the site's settings.
    """

    def __init__(self, settings: Settings) -> None:
        base = httpx.URL(settings.site.hub_url).path.rstrip("/")
        self._url = f"{settings.hub.api_url}{base}/hub/api/user"
        self._seats = f"{settings.hub.api_url}{base}/hub/atelier/seat/"
        # trust_env: the site's web proxy is not for calls inside the machine
        self._client = httpx.AsyncClient(timeout=10, trust_env=False)

    async def owner(self, token: str, course: str) -> str | None:
        """The learner whose server of that course holds the token.

        A server's own token reports its activity and reaches that one server, nothing else; a
        token a page was given, or one the learner made, does not do for git.

        Returns:
            The username, or None for any other token.

        Raises:
            HubUnavailableError: nobody could be asked.
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

    async def seat(self, token: str, course: str) -> str | None:
        """The address of the container of the server that holds a token.

        Args:
            token: a server's own, see :meth:`owner`.
            course: slug.

        Returns:
            The IP address, or None: that server does not run.

        Raises:
            HubUnavailableError: nobody could be asked, or the container has no address yet.
        """
        answer = await self._ask(self._seats + course, token)
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
    """Hands out one credential for each server, and takes it back.

    Args:
        gitlab_client: GitLab.
        store: remembers what is still to be revoked when GitLab does not answer.
    """

    def __init__(self, gitlab_client: GitLabClient, store: SpaceRepository) -> None:
        self._gitlab_client = gitlab_client
        self._store = store
        self._held: dict[Key, Credential] = {}
        self._locks: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._count = 0
        """How many servers have ended since this process began."""
        self._ends: dict[Key, int] = {}
        """The count when each last ended."""
        self._tokens: dict[Key, _ServerToken] = {}
        self._fresh = Rate(FRESH_AT_ONCE, FRESH_EVERY_SECONDS)
        self._asked = Rate(ASKED_AT_ONCE, ASKED_EVERY_SECONDS)

    def let_in(self, address: str | None) -> None:
        """Count a question.

        Args:
            address: whose; None: this machine's own.

        Raises:
            TooOftenError: that address asks too often.
        """
        if address is not None and (seconds := self._asked.take(address)):
            raise TooOftenError(seconds)

    def moment(self) -> int:
        """Now, to be told to :meth:`get`; taken before a server is recognised."""
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
        """The credential of a server, made when there is none that lasts.

        Args:
            username: the learner.
            course: slug.
            fresh: make another even so (GitLab refused the one held).
            since: a moment at which the server ran; one that has ended after it gets none.
            token: the server's own, by which the hub is asked later whether it runs still.

        Raises:
            SpaceError: the learner has no account, the server has stopped, or GitLab refuses.
            GitLabUnavailableError: try later; what takes long goes on in the background.
            TooOftenError: another one was asked for too often.
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
        """One attempt at :meth:`get`; the lock is free between two."""
        username, course = key
        async with self._locks[key]:
            self._stopped(key, since)
            held = self._held.get(key)
            if held and not fresh and held.expires_at - datetime.now(UTC) > RENEW_BEFORE:
                return held
            self._held.pop(key, None)
            # Noted first: whatever ends this process, the next one takes it back.
            await asyncio.to_thread(self._store.lend, username, course)
            password, dies = await asyncio.to_thread(self._gitlab_client.issue, username, course)
            self._stopped(key, since)
            await asyncio.to_thread(self._store.replaced, username, course)
            try:
                self._stopped(key, since)
            except SpaceError:  # what was noted just now may have been its revocation
                await asyncio.to_thread(self._store.owe_revocation, username, course)
                raise
            credential = Credential(username, password, dies)
            self._held[key] = credential
            self._tokens[key] = _ServerToken(token)
            log.info("credential user=%s course=%s expires=%s", *key, dies.date())
            return credential

    def _stopped(self, key: Key, since: int) -> None:
        """Refuse a server that has ended.

        Raises:
            SpaceError: it has, after that moment.
        """
        if self._ends.get(key, 0) > since:
            raise SpaceError(f"the server of {key[0]} for {key[1]} has stopped meanwhile")

    async def look_after(self, owner: Callable[[str, str], Awaitable[str | None]]) -> None:
        """Take back what servers were given that the hub does not know any more.

        The hub says when one stops; that word may be lost when either is restarted.

        Args:
            owner: the learner whose server of a course holds a token, as
                :meth:`ServerTokens.owner` says it.
        """
        for key, held in list(self._tokens.items()):
            try:
                gone = bool(held.value) and await owner(held.value, key[1]) is None
            except HubUnavailableError:
                return
            if gone and self._tokens.get(key) is held:
                log.info("credential user=%s course=%s: its server has stopped", *key)
                await self.take_back(*key)

    async def take_back(self, username: str, course: str) -> None:
        """Revoke a server's credentials: at once if GitLab answers, else as soon as it does."""
        self._held.pop((username, course), None)
        self._tokens.pop((username, course), None)
        self._count += 1
        self._ends[username, course] = self._count
        await asyncio.to_thread(self._store.owe_revocation, username, course)
        task = asyncio.create_task(self._revoke(username, course))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _revoke(self, username: str, course: str) -> bool:
        async with self._locks[username, course]:
            owed = await asyncio.to_thread(self._store.owed_revocations)
            if (username, course) not in owed:
                return True  # a new credential took its place and revoked it
            try:
                count = await asyncio.to_thread(self._gitlab_client.revoke, username, course)
            except (SpaceError, GitLabUnavailableError) as error:
                log.warning("revocation user=%s course=%s failed: %s", username, course, error)
                return False
            await asyncio.to_thread(self._store.revoked, username, course)
            log.info("revocation user=%s course=%s count=%d", username, course, count)
            return True

    async def begin(self) -> None:
        """Take back what an earlier process lent: servers may have stopped while there was none.

        A server that still runs is given another at its next git command.
        """
        await asyncio.to_thread(self._store.owe_all_lent)

    async def retry(self) -> None:
        """Revoke what is owed, while GitLab answers."""
        for username, course in await asyncio.to_thread(self._store.owed_revocations):
            if not self._gitlab_client.may_be_asked() or not await self._revoke(username, course):
                return
