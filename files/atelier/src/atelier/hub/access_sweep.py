"""Ends access at once when a consumer, a registration or a course is removed from the inventory.

A launch opens a session of two weeks, tokens and a server, which all outlast it. When the files of
consumers, registrations or courses change, every learner's launches are checked again. A server of
a course that the learner may no longer open is stopped, which revokes its git credential. A learner
without any open course left is signed out everywhere.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from cryptography.fernet import InvalidToken
from jupyterhub import orm  # type: ignore[import-untyped]
from jupyterhub.crypto import CryptKeeper  # type: ignore[import-untyped]
from sqlalchemy import select
from tornado.ioloop import PeriodicCallback

from atelier.hub.context import hub_context

EVERY_SECONDS = 2.0
AT_A_TIME = 200
"""Launches checked before the event loop serves other requests."""


class AccessSweep:
    """Checks the files periodically, and every user when they have changed.

    Args:
        app: JupyterHub.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._seen: Any = None
        self._out: set[str] = set()
        """Users who were signed out and have not signed in since."""
        self._calls = PeriodicCallback(self.sweep, EVERY_SECONDS * 1000)

    def begin(self) -> None:
        """Start the periodic checks."""
        self._calls.start()

    async def sweep(self) -> None:
        """End the access of users whom the files no longer admit; retry what fails later."""
        seen = hub_context().admission.state()
        if seen is None or seen == self._seen:
            return
        try:
            if await self._check_all():
                self._seen = seen
        except Exception:
            self._app.log.exception("sessions and servers were not compared with the inventory")

    async def _check_all(self) -> bool:
        """Check all launches. False: a server was starting or stopping and still exists."""
        users = orm.User.__table__
        kept = users.c.encrypted_auth_state
        people = self._app.db.execute(select(users.c.name, kept).where(kept.is_not(None))).all()
        done = True
        for number, (name, sealed) in enumerate(people):
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
            try:
                state = json.loads(CryptKeeper.instance().fernet.decrypt(sealed))
            except (InvalidToken, ValueError):
                continue
            launched = set(state.get("launches", {}))
            still_open = set(hub_context().admission.open_courses(state))
            closed = launched - still_open
            if still_open:
                self._out.discard(name)
            if closed and not await self._remove_access(name, closed, everywhere=not still_open):
                done = False
        return done

    async def _remove_access(self, name: str, closed: set[str], *, everywhere: bool) -> bool:
        """Stop the servers of closed courses; sign out users without another course."""
        user = self._app.users.get(name)
        if user is None:
            return True
        stopped = [await self._stop(user, slug) for slug in closed if slug in user.spawners]
        if everywhere and name not in self._out:
            self._out.add(name)
            self._sign_out(user.orm_user)
        return all(stopped)

    async def _stop(self, user: Any, slug: str) -> bool:
        """Stop a server. False: it is starting or stopping, or does not stop."""
        spawner = user.spawners[slug]
        if spawner.pending:
            return False
        if not spawner.active:
            return True
        self._app.log.info("the server %s of %s stops: it is closed to them", slug, user.name)
        spawner._stop_pending = True  # without awaiting in between, as JupyterHub does
        try:
            await self._app.proxy.delete_user(user, slug)
            await user.stop(slug)
        except Exception:
            self._app.log.exception("the server %s of %s does not stop", slug, user.name)
            return False
        finally:
            spawner._stop_pending = False
        return True

    def _sign_out(self, person: Any) -> None:
        """Invalidate the sessions and tokens of this user's browsers and programs."""
        self._app.log.info("%s is signed out: what they came by is gone", person.name)
        for held in (*person.api_tokens, *person.oauth_codes):
            self._app.db.delete(held)
        person.cookie_id = orm.new_token()
        self._app.db.commit()
