"""Tokens that learners made while they could: such a token had no end."""

from __future__ import annotations

from typing import Any

from jupyterhub import orm  # type: ignore[import-untyped]

_OF_A_SERVER = ("users:activity!", "access:servers!server=")
"""How the scopes begin that a running server's own token has, and no others."""


def end_old_tokens(db: Any) -> int:
    """Delete learners' tokens that never expire, but for those of servers, which end with them.

    Args:
        db: a session of the hub's database.

    Returns:
        How many there were.
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
