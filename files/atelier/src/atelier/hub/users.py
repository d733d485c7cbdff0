"""Finds and stores the hub's users with one query and one commit for each launch.

JupyterHub's own code queries the user and each role several times and commits after each step, six
times for a new user. The rows stored here are the same; a test compares them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import InvalidToken
from jupyterhub import orm, roles  # type: ignore[import-untyped]
from jupyterhub.crypto import CryptKeeper  # type: ignore[import-untyped]
from jupyterhub.handlers import BaseHandler  # type: ignore[import-untyped]
from jupyterhub.metrics import TOTAL_USERS  # type: ignore[import-untyped]
from jupyterhub.utils import maybe_future  # type: ignore[import-untyped]
from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from atelier.hub.context import hub_context
from atelier.learner import AuthState, merge_auth_state

_users = orm.User.__table__
_USER_ROLE = "the role of users"  # no username: these have no spaces


class UserHandler(BaseHandler):  # type: ignore[misc]
    """Finds and stores users."""

    state: AuthState
    """``auth_state`` of the user that :meth:`auth_to_user` has just stored."""

    def find_user(self, name: str) -> Any:
        """A user by name; the database is asked only for users this process has not seen."""
        number = hub_context().user_ids.get(name)
        if number is not None and number in self.users:
            user = self.users[number]
            if user.name == name:
                return user
        number = self.db.execute(select(_users.c.id).where(_users.c.name == name)).scalar()
        if number is None:
            return None
        user = super().find_user(name)
        if user is not None:
            hub_context().user_ids[name] = user.id
        return user

    async def auth_to_user(self, authenticated: Mapping[str, Any], user: Any = None) -> Any:
        """Store what a launch says of a user.

        Args:
            authenticated: JupyterHub's authentication model.
            user: the user, if already known.
        """
        user = user or self.find_user(authenticated["name"])
        before = self._stored_state(user.encrypted_auth_state) if user is not None else None
        # Do not await between here and the commit: all requests share the session, and another
        # launch of the same new user may be in progress.
        self.state = merge_auth_state(authenticated["auth_state"], before) or {}
        keeper = CryptKeeper.instance()
        keeper.check_available()
        values = {
            "encrypted_auth_state": keeper.fernet.encrypt(json.dumps(self.state).encode()),
            "user_info": authenticated.get("user_info"),
            "admin": authenticated.get("admin"),
        }
        said = {name: value for name, value in values.items() if value is not None}
        if user is not None:
            self._change(user.orm_user, said)
            return user
        user = self._add(orm.User(name=authenticated["name"], **said))
        await maybe_future(self.authenticator.add_user(user))
        return user

    def _add(self, person: Any) -> Any:
        """Add a user, with the role and the default server that JupyterHub creates for each."""
        role = self.db.get(orm.Role, hub_context().user_ids.get(_USER_ROLE, 0))
        if role is None or role.name != "user":
            role = orm.Role.find(self.db, "user")
            hub_context().user_ids[_USER_ROLE] = role.id
        person._orm_spawners.append(orm.Spawner(name="", display_name=""))
        person.roles.append(role)
        self.db.add(person)
        if person.admin:
            roles.assign_default_roles(self.db, entity=person)
        self.db.commit()
        TOTAL_USERS.inc()
        user = self._user_from_orm(person)
        hub_context().user_ids[user.name] = user.id
        return user

    def _change(self, person: Any, said: Mapping[str, Any]) -> None:
        """Update a stored user to what the launch says; JupyterHub's roles follow."""
        changed = {name: value for name, value in said.items() if value != getattr(person, name)}
        self.db.execute(_users.update().where(_users.c.id == person.id).values(**changed))
        for name, value in changed.items():
            set_committed_value(person, name, value)
        held = {role.name for role in person.roles}
        if "user" not in held or ("admin" in held) != bool(person.admin):
            roles.assign_default_roles(self.db, entity=person)
        self.db.commit()

    def _stored_state(self, encrypted: bytes | None) -> AuthState | None:
        """The stored ``auth_state``; None if it cannot be decrypted, as in JupyterHub."""
        if encrypted is None:
            return None
        try:
            kept: AuthState = json.loads(CryptKeeper.instance().fernet.decrypt(encrypted))
        except (InvalidToken, ValueError):
            self.log.warning("what was kept of a user cannot be read: another key wrote it")
            return None
        return kept
