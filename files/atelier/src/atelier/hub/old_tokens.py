"""Deletes tokens that learners created in earlier versions and that never expire."""

from __future__ import annotations

from typing import Any

from jupyterhub import orm  # type: ignore[import-untyped]

_OF_A_SERVER = ("users:activity!", "access:servers!server=")
"""First part of the scopes that only a running server's own token has."""


def end_old_tokens(db: Any) -> int:
    """Delete learners' tokens that never expire, except those of running servers.

    Args:
        db: a session of the hub's database.

    Returns:
        The number of tokens deleted.
    """
    kept_for_ever = db.query(orm.APIToken).filter(
        orm.APIToken.user_id.isnot(None), orm.APIToken.expires_at.is_(None)
    )
    old = [
        token
        for token in kept_for_ever
        if not token.user.admin
        and not (token.scopes and all(scope.startswith(_OF_A_SERVER) for scope in token.scopes))
    ]
    for token in old:
        db.delete(token)
    db.commit()
    return len(old)
