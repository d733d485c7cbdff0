"""Named servers exist for courses only."""

from __future__ import annotations

from typing import Any

from tornado import web

from atelier.hub.context import hub_context


def only_courses(handler: Any) -> int:
    """Refuse a named server that is not a course, before JupyterHub stores a row for it.

    JupyterHub calls this hook to learn how many named servers a user may have.

    Args:
        handler: the request; of those that name a server, it is the last part of the path.

    Returns:
        0: there is no other limit.

    Raises:
        HTTPError: there is no such course.
    """
    name = handler.path_args[-1] if len(handler.path_args) > 1 else None
    if isinstance(name, bytes):
        name = name.decode(errors="replace")
    if name and hub_context().courses.get(name) is None:
        raise web.HTTPError(404, "no such course")
    return 0
