# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Runs Git as a fork's owner, for a GitLab that does not let administrators push to protected
branches of users' projects.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .._git.git import credential_options
from .calls import Calls, LearnerError, path_of
from .forks import Fork

NAME = "Course update"
LIFE = timedelta(days=2)
"""GitLab's tokens expire at midnight UTC: a shorter life could end within a minute."""


@contextmanager
def as_owner(calls: Calls, fork: Fork, folder: str) -> Iterator[list[str]]:
    """Yield options with which Git acts as the owner, with a token that is revoked after the block.

    If this process is killed, the token expires two days later.

    Args:
        calls: requests to GitLab.
        fork: the fork.
        folder: private folder for the file with the token.

    Raises:
        LearnerError: the owner is not a user account.
    """
    people = calls.get("/users", username=fork.owner)
    if not people:
        raise LearnerError(f"GitLab has no account {fork.owner}")
    tokens = path_of("users", int(people[0]["id"]), "impersonation_tokens")
    until = (datetime.now(UTC) + LIFE).date().isoformat()
    wanted = {"name": NAME, "scopes": ["write_repository"], "expires_at": until}
    made, _new = calls.make(tokens, wanted, lambda: None)
    try:
        descriptor, name = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(made["token"])
            yield credential_options(name)
        finally:
            Path(name).unlink()
    finally:
        calls.remove(tokens + path_of(made["id"]))
