"""What the hub's parts share: settings, live files, the desk.

JupyterHub creates authenticator, handlers and spawners; they find these parts here.
:mod:`atelier.hub.configure` makes the context once, when the configuration is read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from atelier.config.admission import Admission
from atelier.config.credentials import Credentials, database_url
from atelier.config.invitations import Invitations
from atelier.config.live import Courses, LiveConsumers, LiveRegistrations
from atelier.config.models import Settings
from atelier.courses.declaration import PublishedCourses
from atelier.homes.client import HomesClient
from atelier.hub.spawn_queue import SpawnQueue
from atelier.lti.diagnosis11 import Search
from atelier.lti.http import PlatformClient, platform_client
from atelier.lti.tool_keys import ToolKeys, tool_keys
from atelier.messages import DeskClient


@dataclass(frozen=True)
class HubContext:
    """The hub's shared parts."""

    settings: Settings
    courses: Courses
    published: PublishedCourses
    consumers: LiveConsumers
    registrations: LiveRegistrations
    admission: Admission
    invitations: Invitations
    platform_client: PlatformClient
    tool_keys: ToolKeys
    desk: DeskClient
    homes: HomesClient
    signature_search: Search
    database_url: str = field(repr=False)
    """The hub's, with its password."""
    spawn_queue: SpawnQueue = field(default_factory=SpawnQueue)
    starting: dict[tuple[str, str], asyncio.Task[Any]] = field(default_factory=dict)
    """Starts under way, by username and course."""
    user_ids: dict[str, int] = field(default_factory=dict)
    """Ids of users by name, as they were last seen; checked at each use."""


_context: HubContext | None = None


def open_context(settings: Settings, credentials: Credentials) -> HubContext:
    """Make the shared parts; :func:`hub_context` returns them from then on."""
    global _context
    invitations = Invitations(settings.paths.joined)
    courses = Courses(settings.paths.courses)
    consumers = LiveConsumers(settings.paths.consumers)
    registrations = LiveRegistrations(settings.paths.registrations, invitations.file)
    _context = HubContext(
        settings=settings,
        courses=courses,
        published=PublishedCourses(settings.paths.templates),
        consumers=consumers,
        registrations=registrations,
        admission=Admission(consumers, registrations, courses),
        invitations=invitations,
        platform_client=platform_client(settings, credentials),
        tool_keys=tool_keys(credentials),
        desk=DeskClient(settings, credentials.get("desk_api_token")),
        homes=HomesClient(settings.homes.socket),
        signature_search=Search(),
        database_url=database_url(settings.hub, credentials),
    )
    return _context


def hub_context() -> HubContext:
    """The hub's shared parts.

    Raises:
        RuntimeError: :func:`open_context` was not called.
    """
    if _context is None:
        raise RuntimeError(
            "atelier.hub.configure.configure() was not called in jupyterhub_config.py"
        )
    return _context
