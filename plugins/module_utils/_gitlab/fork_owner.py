# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Git as a fork's owner: for a GitLab that lets no administrator push to a protected branch of
somebody else's project, where the owner may.
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
"""GitLab's tokens end with a day, in UTC: less could be over in a minute."""


@contextmanager
def as_owner(calls: Calls, fork: Fork, folder: str) -> Iterator[list[str]]:
    """Options with which Git acts as the owner, by a token that lives as long as the block.

    Should everything be killed meanwhile, the token ends by itself, two days later.

    Args:
        folder: where only this user can read; the token is kept in a file there.

    Raises:
        LearnerError: the owner is no person.
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
