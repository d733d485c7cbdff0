"""Platforms that registered themselves (dynamic registration), by an operator's invitation.

An operator makes an invitation on the server and gives its link to whoever administers the LMS.
The platform that comes by it is written to a file of the hub's own; the inventory's registrations
go before it. Nobody registers without an invitation.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError

from atelier.config.entries import context
from atelier.config.models import Launcher, SettingsError, load
from atelier.config.registrations import Registration, Registrations
from atelier.config.schema.kinds import Reading

FILE = "registrations.yml"
_CODE = re.compile(r"[A-Za-z0-9_-]{43}")


def _kept() -> Reading:
    """How this directory's files are read: an earlier release may have written them."""
    return Reading(kept=True)


class Invitation(Launcher):
    """What an operator decided about a platform before it registers."""

    expires: Annotated[int, Field(ge=0)]
    """When it ends, seconds since 1970."""


class InvitationError(Exception):
    """There is no such invitation, or it was used, or it has ended; the text says which."""


class Invitations:
    """The invitations and the platforms that came by them.

    Args:
        directory: where they are kept; the hub writes there, the desk reads.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / FILE

    def _invitation(self, code: str) -> Path:
        digest = hashlib.sha256(code.encode()).hexdigest()
        return self.directory / f"{digest}.invitation"

    def _write(self, path: Path, text: str) -> None:
        """Replace a file at once: readable by the directory's group, owned by its owner."""
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o640)
        if os.geteuid() == 0:
            about = self.directory.stat()
            os.chown(partial, about.st_uid, about.st_gid)
        partial.replace(path)

    def invite(self, invitation: Invitation) -> str:
        """Make an invitation.

        Returns:
            Its code, which is kept nowhere: only its digest is.

        Raises:
            OSError: the directory cannot be written.
        """
        code = secrets.token_urlsafe(32)
        self._write(self._invitation(code), invitation.model_dump_json())
        return code

    def use(self, code: str, now: float) -> Invitation:
        """Use an invitation up, whatever comes of it: its code is in web servers' logs now.

        Raises:
            InvitationError: it is not good.
        """
        path = self._invitation(code) if _CODE.fullmatch(code) else None
        if path is None:
            raise InvitationError("no invitation")
        taken = path.with_suffix(".taken")
        try:
            path.rename(taken)  # one of two who come at once
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
        except OSError:
            raise InvitationError("no invitation, or it was used") from None
        invitation = Invitation.model_validate_json(text, context=context(_kept()))
        if now > invitation.expires:
            raise InvitationError("an invitation that has ended")
        return invitation

    def known(self) -> Registrations:
        """The platforms that came.

        Raises:
            SettingsError: the file is not right.
        """
        return load(Registrations, self.file, _kept()) if self.file.exists() else Registrations()

    def add(self, registration: Registration) -> None:
        """Remember a platform; one of the same key is replaced.

        Raises:
            SettingsError: another one has the same client.
        """
        others = [one for one in self.known().registrations if one.key != registration.key]
        self._keep([*others, registration])

    def remove(self, key: str) -> bool:
        """Forget a platform. False when there is none of that key."""
        before = self.known().registrations
        after = [one for one in before if one.key != key]
        if len(after) == len(before):
            return False
        self._keep(after)
        return True

    def _keep(self, registrations: list[Registration]) -> None:
        listed = [one.model_dump(mode="json", exclude_none=True) for one in registrations]
        content = {"version": 1, "registrations": listed}
        try:
            Registrations.model_validate(content, context=context(_kept()))
        except ValidationError as error:
            raise SettingsError(f"{self.file}: {error.errors()[0]['msg']}") from None
        self._write(self.file, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def merged(first: Registrations, then: Registrations) -> Registrations:
    """Both together; what the second says of a key or a client of the first is left out."""
    keys = {one.key for one in first.registrations}
    added = [
        one
        for one in then.registrations
        if one.key not in keys
        and not any(first.by_client(one.issuer, client) for client in one.client_ids)
    ]
    return Registrations(registrations=(*first.registrations, *added))
