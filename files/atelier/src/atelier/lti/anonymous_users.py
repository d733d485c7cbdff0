"""User ids that stand for no person: what platforms send for previews and anonymous visitors.

Open edX sends ``student`` from Studio's preview for every author, and ``None`` for visitors who are
not signed in (xblock-lti-consumer, ``anonymous_user_id``). An account for such an id would be
shared by all of them, who could then read each other's files.
"""

from __future__ import annotations

from atelier.lti.launch11 import Launch, LaunchError

_NOBODY = frozenset({
    "student", "none", "null", "nil", "undefined", "unknown", "anonymous", "anonymoususer",
    "anonymous_user", "guest", "nobody", "user_id", "nan", "false", "0", "-1",
})  # fmt: skip
_UNFILLED = ("$", "{", "%", "<", "[")
"""First characters of a variable that was not filled in: ``$User.id``, ``%%USER_ID%%``."""


def is_anonymous(user_id: str) -> bool:
    """Whether an LTI ``user_id`` or ``sub`` stands for no person.

    Args:
        user_id: as the platform sends it.
    """
    said = user_id.strip().lower()
    return not said or said in _NOBODY or said.startswith(_UNFILLED)


def refuse_anonymous(launch: Launch) -> None:
    """Refuse a launch whose user id stands for no person.

    Args:
        launch: a launch with a valid signature.

    Raises:
        LaunchError: the user id stands for no person.
    """
    services = launch.services or {}
    named = [launch.params["user_id"], *([str(services["sub"])] if "sub" in services else [])]
    for one in named:
        if is_anonymous(one):
            detail = f"{launch.consumer.key!r}: {one[:40]!r} is no person: a preview in Studio?"
            raise LaunchError("launch_nobody", detail, 403)
