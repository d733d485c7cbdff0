"""LTI dynamic registration: operators' invitations, and the platforms that used them.

An operator creates an invitation on the server and gives its link to the LMS's administrator. The
hub stores the platform that registers by this link in a file of its own; the inventory's
registrations have precedence over it. Registration requires an invitation.
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


def _lenient() -> Reading:
    """Return a lenient reading: an earlier release may have written this directory's files."""
    return Reading(kept=True)


class Invitation(Launcher):
    """An operator's settings for a platform that is going to register."""

    expires: Annotated[int, Field(ge=0)]
    """Time of expiry, seconds since 1970."""


class InvitationError(Exception):
    """The invitation does not exist, was used, or has expired; the text says which."""


class Invitations:
    """Stores invitations and the platforms that registered with them.

    Args:
        directory: the folder of the files; the hub writes there, the desk reads.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / FILE

    def _invitation(self, code: str) -> Path:
        digest = hashlib.sha256(code.encode()).hexdigest()
        return self.directory / f"{digest}.invitation"

    def _write(self, path: Path, text: str) -> None:
        """Replace a file by an atomic rename; it gets the directory's owner and group."""
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o640)
        if os.geteuid() == 0:
            about = self.directory.stat()
            os.chown(partial, about.st_uid, about.st_gid)
        partial.replace(path)

    def invite(self, invitation: Invitation) -> str:
        """Create an invitation.

        Returns:
            The invitation's code; only its digest is stored.

        Raises:
            OSError: the directory cannot be written.
        """
        code = secrets.token_urlsafe(32)
        self._write(self._invitation(code), invitation.model_dump_json())
        return code

    def use(self, code: str, now: float) -> Invitation:
        """Consume an invitation, even if the registration then fails: its code may be in logs.

        Raises:
            InvitationError: it does not exist, was used, or has expired.
        """
        path = self._invitation(code) if _CODE.fullmatch(code) else None
        if path is None:
            raise InvitationError("no invitation")
        taken = path.with_suffix(".taken")
        try:
            path.rename(taken)  # atomic: only one of two concurrent requests succeeds
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
        except OSError:
            raise InvitationError("no invitation, or it was used") from None
        invitation = Invitation.model_validate_json(text, context=context(_lenient()))
        if now > invitation.expires:
            raise InvitationError("an invitation that has ended")
        return invitation

    def known(self) -> Registrations:
        """Return the platforms that registered themselves.

        Raises:
            SettingsError: the file is invalid.
        """
        return load(Registrations, self.file, _lenient()) if self.file.exists() else Registrations()

    def add(self, registration: Registration) -> None:
        """Store a platform; replace one with the same key.

        Raises:
            SettingsError: another platform has the same issuer and client id.
        """
        others = [one for one in self.known().registrations if one.key != registration.key]
        self._save([*others, registration])

    def remove(self, key: str) -> bool:
        """Remove a platform; return False if there is none with that key."""
        before = self.known().registrations
        after = [one for one in before if one.key != key]
        if len(after) == len(before):
            return False
        self._save(after)
        return True

    def _save(self, registrations: list[Registration]) -> None:
        listed = [one.model_dump(mode="json", exclude_none=True) for one in registrations]
        content = {"version": 1, "registrations": listed}
        try:
            Registrations.model_validate(content, context=context(_lenient()))
        except ValidationError as error:
            raise SettingsError(f"{self.file}: {error.errors()[0]['msg']}") from None
        self._write(self.file, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def merged(first: Registrations, then: Registrations) -> Registrations:
    """Combine registrations; those of ``then`` with a key or client of ``first`` are left out."""
    keys = {one.key for one in first.registrations}
    added = [
        one
        for one in then.registrations
        if one.key not in keys
        and not any(first.by_client(one.issuer, client) for client in one.client_ids)
    ]
    return Registrations(registrations=(*first.registrations, *added))
