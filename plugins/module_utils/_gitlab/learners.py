# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Creates and updates learners' GitLab accounts, for one learner or for ten thousand.

Accounts are found by their identity (provider, extern_uid), never by e-mail. An account with the
username but without the identity belongs to another person. No Ansible import: the desk uses this
file, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .calls import Calls, LearnerError, path_of

PROVIDER = "oauth2_generic"
"""Name of GitLab's OmniAuth provider for signing in through the hub."""

PRESENT, BLOCKED, ABSENT = "present", "blocked", "absent"

GONE_FIRST_LOOK = 0.2
GONE_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted state of a learner's account. ``None``: keep the value, or a default if new."""

    username: str
    extern_uid: str
    name: str | None = None
    email: str | None = None
    provider: str = PROVIDER
    state: str = PRESENT
    external: bool | None = None
    fallback_domain: str | None = None
    """Without a known e-mail address, a new account gets ``<username>@<fallback_domain>``."""


@dataclass(frozen=True, slots=True)
class Account:
    """The relevant properties of an account in GitLab."""

    id: int
    username: str
    name: str
    email: str
    state: str
    external: bool
    can_create_group: bool
    is_admin: bool
    extern_uid: str | None
    """Identity with the requested provider; ``None`` if the account has none."""


class NotAdministratorError(Exception):
    """The token has no administrator rights: GitLab's answers contain no identities."""


def account_of(user: Mapping[str, Any], provider: str) -> Account:
    """Read GitLab's JSON of a user.

    Raises:
        NotAdministratorError: the JSON lacks the fields that only administrators get.
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
    """Return the body of ``POST /users``: with an identity and a random password, without
    confirmation mail and without the right to create groups.

    Raises:
        LearnerError: no e-mail address is known, and there is no fallback domain.
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
    """Return the attributes to change, by their name in GitLab's API."""
    changes: dict[str, Any] = {}
    if wanted.username != account.username:
        changes["username"] = wanted.username
    if wanted.name is not None and wanted.name != account.name:
        changes["name"] = wanted.name
    # GitLab compares addresses case-insensitively and may keep another spelling.
    if wanted.email is not None and wanted.email.lower() != account.email.lower():
        changes["email"] = wanted.email
    if wanted.external is not None and wanted.external != account.external:
        changes["external"] = wanted.external
    if account.can_create_group:
        changes["can_create_group"] = False
    return changes


def state_action(wanted: Wanted, account: Account) -> str | None:
    """Return the API's verb that brings the account to the wanted state, or ``None``.

    Raises:
        LearnerError: an administrator banned the user, or LDAP blocks the account.
    """
    if wanted.state == BLOCKED:
        return None if account.state in {"blocked", "ldap_blocked", "banned"} else "block"
    if account.state == "blocked":
        return "unblock"
    if account.state == "blocked_pending_approval":
        return "approve"
    if account.state in {"banned", "ldap_blocked"}:
        raise LearnerError(f"is {account.state} in GitLab: lift that there first")
    # Signing in reactivates a deactivated account.
    return None


def check_owner(wanted: Wanted, found: Account | None, namesake: Account | None) -> None:
    """Refuse accounts of other people and of administrators.

    ``found`` has the identity, ``namesake`` the username.

    Raises:
        LearnerError: the account is refused.
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
    """Return the account with an identity, or None; sends one request."""
    users = calls.get("/users", provider=provider, extern_uid=extern_uid)
    found = [account_of(user, provider) for user in users]
    # Check the answer: if GitLab ignored the filter, it would list all accounts.
    same = (one for one in found if (one.extern_uid or "").lower() == extern_uid.lower())
    return next(same, None)


def find_username(calls: Calls, provider: str, username: str) -> Account | None:
    """Return the account with a username, or None; sends one request."""
    users = calls.get("/users", username=username)
    same = (user for user in users if user["username"].lower() == username.lower())
    return next((account_of(user, provider) for user in same), None)


class Directory:
    """GitLab's accounts that concern the given learners."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.by_uid: dict[str, Account] = {}
        self.by_name: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        """Add an account."""
        if account.extern_uid is not None:
            self.by_uid[account.extern_uid.lower()] = account
        self.by_name[account.username.lower()] = account

    def of(self, wanted: Wanted) -> tuple[Account | None, Account | None]:
        """Return the account with the identity and the one with the username."""
        return self.by_uid.get(wanted.extern_uid.lower()), self.by_name.get(wanted.username.lower())


def read_directory(
    calls: Calls,
    learners: Iterable[Wanted],
    provider: str,
    seen: Callable[[int], None] = lambda _: None,
) -> Directory:
    """Look the learners up: list all accounts, or query one by one if that takes fewer requests.

    The listing starts with the newest account and ends when all learners were found by identity. As
    ids only grow, the last id read bounds the number of remaining pages. When that exceeds the
    number of missing learners, these are queried one by one. Ten thousand learners take one request
    per hundred accounts, and a class of twenty at most forty-one on any GitLab.

    ``seen`` is called with the number of accounts read, for each page.
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
    if not complete:  # few enough are missing to query each
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
    """Return whether something must be changed, or refused, for this learner."""
    found, namesake = directory.of(wanted)
    if namesake is not None and (found is None or namesake.id != found.id):
        return True
    if wanted.state == ABSENT or found is None:
        return (found is not None) == (wanted.state == ABSENT)
    if found.is_admin or found.state in {"banned", "ldap_blocked"}:
        return True
    return bool(differences(wanted, found) or state_action(wanted, found))


def create(calls: Calls, wanted: Wanted) -> tuple[Account, bool]:
    """Create the account, or find it if it was just created (by the desk, or before a lost answer).

    Returns:
        The account, and whether it is new and has the wanted attributes.
    """

    def present() -> Account | None:
        return find_identity(calls, wanted.provider, wanted.extern_uid)

    made, new = calls.make("/users", creation(wanted), present)
    return made if isinstance(made, Account) else account_of(made, wanted.provider), new


def ensure_account(
    calls: Calls, wanted: Wanted, found: Account | None, namesake: Account | None
) -> tuple[Account, str]:
    """Bring one learner's account to the wanted state (present or blocked) and attributes.

    Returns:
        The account, and the action: ``created``, ``updated``, ``blocked``, ``unblocked``,
        ``unchanged``.

    Raises:
        LearnerError: the account is refused, or its state cannot be changed.
        GitlabError: GitLab refuses a request.
        GitLabUnavailableError: GitLab does not answer.
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
    """Return the paths of the personal projects, which are deleted with the account."""
    listing = calls.pages(path_of("users", account.id, "projects"), keyset=False)
    return sorted(project["path_with_namespace"] for page in listing for project in page)


def wait_until_deleted(
    calls: Calls,
    accounts: Mapping[str, Account],
    patience: float,
    seen: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Wait until deleted accounts are gone, at most ``patience`` seconds for all of them.

    GitLab deletes in the background, up to minutes later; name and e-mail stay in use until then.

    Returns:
        Usernames of the accounts that still exist.
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
    """Return an account for diffs."""
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
    """Return the account as it will be after :func:`ensure_account`."""
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
    """Return the action that :func:`ensure_account` will return."""
    if account is None:
        return "created"
    if differences(wanted, account):
        return "updated"
    verb = state_action(wanted, account)
    return {None: "unchanged", "block": "blocked"}.get(verb, "unblocked")
