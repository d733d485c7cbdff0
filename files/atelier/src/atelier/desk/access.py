"""A learner's own way in to GitLab: their address there, and tokens for a clone on their computer.

The desk never sets a password: GitLab would expire it at once, and then refuse the learner's
tokens too. GitLab's own mail does it, for learners who have a real address.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from atelier.config.models import Settings
from atelier.desk.errors import RefusedError
from atelier.gitlab.calls import Calls, path_of
from atelier.gitlab.client import PAGE, GitLabClient, every, expiry
from atelier.gitlab.errors import SpaceError
from atelier.gitlab.spaces import find_user

log = logging.getLogger(__name__)

NAME_PREFIX = "Atelier: "
MAX_TOKENS = 10
MAX_LABEL = 60
SCOPES = ("read_repository", "write_repository")


@dataclass(frozen=True)
class PersonalToken:
    """One token the desk made for a learner; its value is not kept anywhere."""

    id: int
    label: str
    made: date
    last_day: date | None
    """The last whole day (UTC) on which it works; None: it does not end."""
    used: date | None


@dataclass(frozen=True)
class Account:
    """A learner's account in GitLab.

    Attributes:
        email: the address GitLab has.
        real: whether mail to it reaches anybody.
        tokens: those the desk made that still work, oldest first.
    """

    email: str
    real: bool
    tokens: tuple[PersonalToken, ...]


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)[:10]) if text else None


class AccessService:
    """What the page *My GitLab access* shows and does.

    Args:
        settings: the site's settings.
        gitlab_client: GitLab.
    """

    def __init__(self, settings: Settings, gitlab_client: GitLabClient) -> None:
        self._settings = settings
        self._gitlab_client = gitlab_client
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def choices(self) -> list[int]:
        """How many days a token may live: what the form offers, shortest first."""
        longest = self._settings.desk.personal_token_days
        return sorted({days for days in (7, 30, 90, 180) if days < longest} | {longest})

    async def account(self, username: str) -> Account | None:
        """A learner's account; None when they have none yet.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: try later.
        """
        return await self._gitlab_client.patiently(
            lambda: asyncio.to_thread(self._account, username), PAGE
        )

    def _account(self, username: str) -> Account | None:
        with self._gitlab_client.calling(f"reading the account of {username}") as calls:
            user = find_user(calls, username)
            if user is None:
                return None
            email = str(user.get("email") or "")
            noreply = f"@users.noreply.{self._settings.site.mail_domain}"
            real = "@" in email and not email.endswith((noreply, "@gitlab.localhost"))
            return Account(email, real, tuple(_made_here(calls, user["id"])))

    async def make(self, username: str, label: str, days: str) -> tuple[str, date]:
        """Make a token for a clone.

        Args:
            username: the learner.
            label: their name for it.
            days: how long it works, one of :meth:`choices`.

        Returns:
            The token, to be shown once, and the last day on which it works.

        Raises:
            RefusedError: the label or the days will not do, or there are too many tokens.
            SpaceError: there is no account, or GitLab refuses.
            GitLabUnavailableError: try later.
        """
        label = " ".join(label.split())
        if not label or len(label) > MAX_LABEL or not label.isprintable():
            raise RefusedError(400, "token_label_wrong")
        if not days.isascii() or not days.isdigit() or int(days) not in self.choices():
            raise RefusedError(400, "token_days_wrong")

        async def attempt() -> tuple[str, date]:
            async with self._locks[username]:
                return await asyncio.to_thread(self._make, username, label, int(days))

        return await self._gitlab_client.patiently(attempt, PAGE)

    def _make(self, username: str, label: str, days: int) -> tuple[str, date]:
        with self._gitlab_client.calling(f"making a token for {username}") as calls:
            user = find_user(calls, username)
            if user is None:
                raise SpaceError(f"{username} has no GitLab account yet")
            there = _made_here(calls, user["id"])
            if len(there) >= MAX_TOKENS:
                raise RefusedError(409, "token_too_many")
            if any(token.label == label for token in there):
                raise RefusedError(409, "token_label_taken")
            dies = expiry(datetime.now(UTC).date(), days)

            def remove_lost() -> None:
                """After a lost answer: a token whose value nobody got is of no use."""
                for token in _made_here(calls, user["id"]):
                    if token.label == label:
                        calls.remove(path_of("personal_access_tokens", token.id))

            made, _ = calls.make(
                path_of("users", user["id"], "personal_access_tokens"),
                {
                    "name": NAME_PREFIX + label,
                    "scopes": list(SCOPES),
                    "expires_at": dies.isoformat(),
                },
                remove_lost,
            )
            log.info("personal token made user=%s id=%s expires=%s", username, made["id"], dies)
            return str(made["token"]), dies - timedelta(days=1)

    async def revoke(self, username: str, wanted: str) -> None:
        """Revoke one of a learner's tokens; one that is gone is no error.

        Args:
            username: the learner.
            wanted: the token's number.

        Raises:
            RefusedError: it is not a token the desk made for this learner.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: try later.
        """
        if not wanted.isascii() or not wanted.isdigit() or len(wanted) > 18:
            raise RefusedError(400, "form_wrong")
        await self._gitlab_client.patiently(
            lambda: asyncio.to_thread(self._revoke, username, int(wanted)), PAGE
        )

    def _revoke(self, username: str, wanted: int) -> None:
        with self._gitlab_client.calling(f"revoking a token of {username}") as calls:
            user = find_user(calls, username)
            if user is None or wanted not in {t.id for t in _made_here(calls, user["id"])}:
                raise RefusedError(404, "token_gone")
            calls.remove(path_of("personal_access_tokens", wanted))
            log.info("personal token revoked user=%s id=%d", username, wanted)


def _made_here(calls: Calls, user_id: int) -> list[PersonalToken]:
    """A learner's tokens that the desk made and that still work, oldest first."""
    found = []
    for token in every(calls, "/personal_access_tokens", user_id=user_id, state="active"):
        if token["user_id"] != user_id or not token["name"].startswith(NAME_PREFIX):
            continue
        dies = _day(token["expires_at"])
        found.append(
            PersonalToken(
                id=token["id"],
                label=token["name"].removeprefix(NAME_PREFIX),
                made=_day(token["created_at"]) or date.min,
                last_day=dies - timedelta(days=1) if dies else None,
                used=_day(token.get("last_used_at")),
            )
        )
    return sorted(found, key=lambda token: token.id)
