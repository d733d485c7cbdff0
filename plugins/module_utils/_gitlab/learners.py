# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""What a learner's GitLab account must be, and how it is made so: for one learner or for ten
thousand.

Accounts are found by their identity (provider, extern_uid), never by e-mail. An account that has
the username but not the identity is somebody else's. No Ansible import: the desk uses this file
too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .calls import Calls, LearnerError, path_of

PROVIDER = "oauth2_generic"
"""Name of GitLab's OmniAuth provider that signs people in through the hub."""

PRESENT, BLOCKED, ABSENT = "present", "blocked", "absent"

GONE_FIRST_LOOK = 0.2
GONE_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A learner's account as asked for. ``None``: leave as it is (and choose something when it is
    made).
    """

    username: str
    extern_uid: str
    name: str | None = None
    email: str | None = None
    provider: str = PROVIDER
    state: str = PRESENT
    external: bool | None = None
    fallback_domain: str | None = None
    """Where no e-mail is known, a new account gets ``<username>@<fallback_domain>``."""


@dataclass(frozen=True, slots=True)
class Account:
    """What matters of an account, as GitLab has it."""

    id: int
    username: str
    name: str
    email: str
    state: str
    external: bool
    can_create_group: bool
    is_admin: bool
    extern_uid: str | None
    """Of the provider asked about; ``None`` when the account has no identity with it."""


class NotAdministratorError(Exception):
    """GitLab shows the token only what everybody sees: identities are missing from its answers."""


def account_of(user: Mapping[str, Any], provider: str) -> Account:
    """Read GitLab's JSON of a user.

    Raises:
        NotAdministratorError: the JSON lacks what only administrators see.
    """
    if "identities" not in user or "email" not in user:
        raise NotAdministratorError
    uids = [item["extern_uid"] for item in user["identities"] if item["provider"] == provider]
    return Account(
        id=int(user["id"]),
        username=user["username"],
        name=user["name"],
        email=user["email"] or "",
        state=user["state"],
        external=bool(user.get("external")),
        can_create_group=bool(user.get("can_create_group")),
        is_admin=bool(user.get("is_admin")),
        extern_uid=uids[0] if uids else None,
    )


def creation(wanted: Wanted) -> dict[str, Any]:
    """Body of ``POST /users``: an identity, a password nobody knows, no mail to confirm, no groups.

    Raises:
        LearnerError: no e-mail is known and none can be made up.
    """
    email = wanted.email
    if not email and wanted.fallback_domain:
        email = f"{wanted.username}@{wanted.fallback_domain}"
    if not email:
        raise LearnerError("has no account yet, and GitLab makes none without an e-mail address")
    data: dict[str, Any] = {
        "username": wanted.username,
        "name": wanted.name or wanted.username,
        "email": email,
        "provider": wanted.provider,
        "extern_uid": wanted.extern_uid,
        "force_random_password": True,
        "skip_confirmation": True,
        "can_create_group": False,
    }
    if wanted.external is not None:
        data["external"] = wanted.external
    return data


def differences(wanted: Wanted, account: Account) -> dict[str, Any]:
    """Attributes to write, by their name in GitLab's API; empty when all is well."""
    changes: dict[str, Any] = {}
    if wanted.username != account.username:
        changes["username"] = wanted.username
    if wanted.name is not None and wanted.name != account.name:
        changes["name"] = wanted.name
    # GitLab compares addresses without regard to case and may keep its own spelling.
    if wanted.email is not None and wanted.email.lower() != account.email.lower():
        changes["email"] = wanted.email
    if wanted.external is not None and wanted.external != account.external:
        changes["external"] = wanted.external
    if account.can_create_group:
        changes["can_create_group"] = False
    return changes


def state_action(wanted: Wanted, account: Account) -> str | None:
    """The verb that brings the account to the state asked for, ``None`` when it is there.

    Raises:
        LearnerError: an administrator banned the person, or a directory (LDAP) keeps them out.
    """
    if wanted.state == BLOCKED:
        return None if account.state in {"blocked", "ldap_blocked", "banned"} else "block"
    if account.state == "blocked":
        return "unblock"
    if account.state == "blocked_pending_approval":
        return "approve"
    if account.state in {"banned", "ldap_blocked"}:
        raise LearnerError(f"is {account.state} in GitLab: lift that there first")
    # A deactivated person comes back by signing in.
    return None


def check_owner(wanted: Wanted, found: Account | None, namesake: Account | None) -> None:
    """Refuse accounts that are not this learner's, and those of administrators.

    ``found`` has the identity, ``namesake`` the username.

    Raises:
        LearnerError: with the reason.
    """
    if namesake is not None and (found is None or namesake.id != found.id):
        has = (
            f"the identity {namesake.extern_uid!r}"
            if namesake.extern_uid
            else f"no identity of provider {wanted.provider}"
        )
        raise LearnerError(
            f"the username is taken by an account with {has} instead of {wanted.extern_uid!r}: "
            "it is not taken over; rename it or give it this identity in GitLab if it is theirs"
        )
    if found is not None and found.is_admin:
        raise LearnerError("the account with this identity is an administrator's: it is left alone")


def find_identity(calls: Calls, provider: str, extern_uid: str) -> Account | None:
    """The account with an identity: one request."""
    users = calls.get("/users", provider=provider, extern_uid=extern_uid)
    found = [account_of(user, provider) for user in users]
    # Believed only when it is what was asked for: a filter that is not heeded lists everybody.
    same = (one for one in found if (one.extern_uid or "").lower() == extern_uid.lower())
    return next(same, None)


def find_username(calls: Calls, provider: str, username: str) -> Account | None:
    """The account with a username: one request."""
    users = calls.get("/users", username=username)
    same = (user for user in users if user["username"].lower() == username.lower())
    return next((account_of(user, provider) for user in same), None)


class Directory:
    """GitLab's accounts, as far as they concern the learners asked about."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.by_uid: dict[str, Account] = {}
        self.by_name: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        """Remember an account."""
        if account.extern_uid is not None:
            self.by_uid[account.extern_uid.lower()] = account
        self.by_name[account.username.lower()] = account

    def of(self, wanted: Wanted) -> tuple[Account | None, Account | None]:
        """The account with the identity, and the one with the username."""
        return self.by_uid.get(wanted.extern_uid.lower()), self.by_name.get(wanted.username.lower())


def read_directory(
    calls: Calls,
    learners: Iterable[Wanted],
    provider: str,
    seen: Callable[[int], None] = lambda _: None,
) -> Directory:
    """Look the learners up: by listing all accounts, or one by one where that takes fewer requests.

    The listing begins with the newest and ends as soon as everybody was found by identity. As ids
    only grow, the last one read tells how many pages are left at most: when that is more than
    there are learners still missing, these are asked for one by one. Ten thousand learners take
    one request per hundred accounts, and a class of twenty at most forty-one on any GitLab.

    ``seen`` is called with the number of accounts read, page after page.
    """
    directory = Directory(provider)
    missing = {wanted.extern_uid.lower(): wanted for wanted in learners}
    names = {wanted.username.lower() for wanted in missing.values()}
    complete = False
    if len(missing) > 1:
        for page in calls.pages("/users", keyset=True):
            for user in page:
                account = account_of(user, provider)
                uid = (account.extern_uid or "").lower()
                if uid in missing or account.username.lower() in names:
                    directory.add(account)
                    missing.pop(uid, None)
            seen(len(page))
            if not missing or (page and int(page[-1]["id"]) // 100 > len(missing)):
                break
        else:
            complete = True
    if not complete:  # nobody is missing, or few enough to be asked for
        for wanted in missing.values():
            found = find_identity(calls, provider, wanted.extern_uid)
            asked = [found]
            if found is None or found.username.lower() != wanted.username.lower():
                asked.append(find_username(calls, provider, wanted.username))
            for one in asked:
                if one is not None:
                    directory.add(one)
            seen(1)
    return directory


def needs_work(wanted: Wanted, directory: Directory) -> bool:
    """Whether anything is to be done, or refused, for this learner."""
    found, namesake = directory.of(wanted)
    if namesake is not None and (found is None or namesake.id != found.id):
        return True
    if wanted.state == ABSENT or found is None:
        return (found is not None) == (wanted.state == ABSENT)
    if found.is_admin or found.state in {"banned", "ldap_blocked"}:
        return True
    return bool(differences(wanted, found) or state_action(wanted, found))


def create(calls: Calls, wanted: Wanted) -> tuple[Account, bool]:
    """Make the account, or find it if somebody else (the desk, a lost answer) has just made it.

    Returns:
        The account, and whether it is new and as asked for.
    """

    def present() -> Account | None:
        return find_identity(calls, wanted.provider, wanted.extern_uid)

    made, new = calls.make("/users", creation(wanted), present)
    return made if isinstance(made, Account) else account_of(made, wanted.provider), new


def settle(
    calls: Calls, wanted: Wanted, found: Account | None, namesake: Account | None
) -> tuple[Account, str]:
    """Make one learner's account present (or blocked) and as asked for; writes only what differs.

    Returns:
        The account, and what was done: ``created``, ``updated``, ``blocked``, ``unblocked``,
        ``unchanged``.

    Raises:
        LearnerError: it cannot be; GitlabError, UnavailableError: GitLab would not.
    """
    check_owner(wanted, found, namesake)
    done = "unchanged"
    if found is None:
        found, new = create(calls, wanted)
        done = "created"
        if not new:
            check_owner(wanted, found, None)
    changes = differences(wanted, found)
    if changes:
        body = {**changes, "skip_reconfirmation": True} if "email" in changes else changes
        user = calls.put(path_of("users", found.id), body)
        found = account_of(user, wanted.provider)
        done = "updated" if done == "unchanged" else done
    verb = state_action(wanted, found)
    if verb is not None:
        calls.act(path_of("users", found.id, verb))
        if done == "unchanged":
            done = {"block": "blocked"}.get(verb, "unblocked")
    return found, done


def projects_of(calls: Calls, account: Account) -> list[str]:
    """Paths of the personal projects that go when the account goes."""
    listing = calls.pages(path_of("users", account.id, "projects"), keyset=False)
    return sorted(project["path_with_namespace"] for page in listing for project in page)


def wait_gone(
    calls: Calls,
    accounts: Mapping[str, Account],
    patience: float,
    seen: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Wait until deleted accounts are gone, at most ``patience`` seconds for all of them.

    GitLab deletes in the background, up to minutes later; name and e-mail stay taken until then.

    Returns:
        Usernames still there.
    """
    left = dict(accounts)
    until = calls.clock() + patience
    pause = GONE_FIRST_LOOK
    while True:
        gone = [name for name, one in left.items() if calls.find(path_of("users", one.id)) is None]
        for name in gone:
            del left[name]
        seen(len(gone))
        if not left or calls.clock() + pause > until:
            return sorted(left)
        calls.sleep(pause)
        pause = min(GONE_LONGEST_PAUSE, pause * 2)


def shown(wanted: Wanted, account: Account | None) -> dict[str, Any] | None:
    """An account as diffs show it."""
    if account is None:
        return None
    return {
        "username": account.username,
        "name": account.name,
        "email": account.email,
        "identity": f"{wanted.provider}:{account.extern_uid}",
        "state": account.state,
        "external": account.external,
        "can_create_group": account.can_create_group,
    }


def predicted(wanted: Wanted, account: Account | None) -> Account:
    """The account as it will be."""
    if account is None:
        body = creation(wanted)
        account = Account(
            id=0,
            username=body["username"],
            name=body["name"],
            email=body["email"],
            state="active",
            external=bool(wanted.external),
            can_create_group=False,
            is_admin=False,
            extern_uid=wanted.extern_uid,
        )
    verb = state_action(wanted, account)
    state = {"block": "blocked", "unblock": "active", "approve": "active"}.get(
        verb or "", account.state
    )
    changes = differences(wanted, account)
    return Account(
        id=account.id,
        username=wanted.username,
        name=changes.get("name", account.name),
        email=changes.get("email", account.email),
        state=state,
        external=changes.get("external", account.external),
        can_create_group=False,
        is_admin=False,
        extern_uid=account.extern_uid,
    )


def predicted_action(wanted: Wanted, account: Account | None) -> str:
    """What :func:`settle` will say it did."""
    if account is None:
        return "created"
    if differences(wanted, account):
        return "updated"
    verb = state_action(wanted, account)
    return {None: "unchanged", "block": "blocked"}.get(verb, "unblocked")
