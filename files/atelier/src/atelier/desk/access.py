"""Direct access of a learner to GitLab: e-mail address, and tokens for clones on their computer.

The desk never sets a password: GitLab would expire it at once, and then refuse the learner's
tokens too. Learners with a real e-mail address can reset their password by GitLab's own mail.
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
from atelier.gitlab.client import PAGE, GitLabClient, expiry
from atelier.gitlab.errors import SpaceError
from atelier.gitlab.spaces import find_user

log = logging.getLogger(__name__)

NAME_PREFIX = "Atelier: "
MAX_TOKENS = 10
MAX_LABEL = 60
SCOPES = ("read_repository", "write_repository")


@dataclass(frozen=True)
class PersonalToken:
    """One token that the desk created for a learner; its value is not stored anywhere."""

    id: int
    label: str
    made: date
    last_day: date | None
    """Last whole day (UTC) on which the token is valid; None: it never expires."""
    used: date | None


@dataclass(frozen=True)
class Account:
    """A learner's account in GitLab.

    Attributes:
        email: the e-mail address that GitLab has.
        real: whether mail to this address can arrive.
        tokens: active tokens that the desk created, oldest first.
    """

    email: str
    real: bool
    tokens: tuple[PersonalToken, ...]


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)[:10]) if text else None


class AccessService:
    """Reads accounts, and creates and revokes tokens, for the page *My GitLab access*.

    Args:
        settings: the site's settings.
        gitlab_client: client of GitLab.
    """

    def __init__(self, settings: Settings, gitlab_client: GitLabClient) -> None:
        self._settings = settings
        self._gitlab_client = gitlab_client
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def choices(self) -> list[int]:
        """Return the token lifetimes that the form offers, days, shortest first."""
        longest = self._settings.desk.personal_token_days
        return sorted({days for days in (7, 30, 90, 180) if days < longest} | {longest})

    async def account(self, username: str) -> Account | None:
        """Return a learner's account, or None if they do not have one yet.

        Raises:
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
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
        """Create a token for a clone.

        Args:
            username: the learner.
            label: the learner's name for the token.
            days: lifetime, one of :meth:`choices`.

        Returns:
            The token, which is shown once, and the last day on which it is valid.

        Raises:
            RefusedError: the label or the lifetime is invalid, or there are too many tokens.
            SpaceError: there is no account, or GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
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
                """Remove the token of a lost answer: nobody knows its value."""
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
        """Revoke one of a learner's tokens.

        Args:
            username: the learner.
            wanted: the token's id in GitLab.

        Raises:
            RefusedError: the learner has no such active token that the desk created.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
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
    """Return a learner's active tokens that the desk created, oldest first."""
    found = []
    for token in calls.every("/personal_access_tokens", user_id=user_id, state="active"):
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
