"""What the hub's parts share: settings, live files, the desk.

JupyterHub makes authenticator, handlers and spawners itself; they find these here. ``hub.py``
opens the house once, when the configuration is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from atelier.admission import Admission
from atelier.deskclient import DeskClient
from atelier.homes.client import HomesClient
from atelier.joined import Joined
from atelier.live import (
    Courses,
    Credentials,
    LiveConsumers,
    LiveRegistrations,
    database_url,
)
from atelier.outside import Outside, outside
from atelier.settings import Settings
from atelier.toolkeys import ToolKeys, tool_keys


@dataclass(frozen=True)
class House:
    """The hub's shared parts."""

    settings: Settings
    courses: Courses
    consumers: LiveConsumers
    registrations: LiveRegistrations
    admission: Admission
    joined: Joined
    outside: Outside
    tool_keys: ToolKeys
    desk: DeskClient
    homes: HomesClient
    database_url: str = field(repr=False)
    """The hub's, with its password."""


_house: House | None = None


def open_house(settings: Settings, credentials: Credentials) -> House:
    """Make the shared parts from the settings; they are what :func:`house` gives from then on."""
    global _house
    joined = Joined(settings.paths.joined)
    courses = Courses(settings.paths.courses)
    consumers = LiveConsumers(settings.paths.consumers)
    registrations = LiveRegistrations(settings.paths.registrations, joined.file)
    _house = House(
        settings=settings,
        courses=courses,
        consumers=consumers,
        registrations=registrations,
        admission=Admission(consumers, registrations, courses),
        joined=joined,
        outside=outside(settings, credentials),
        tool_keys=tool_keys(credentials),
        desk=DeskClient(settings, credentials.get("desk_api_token")),
        homes=HomesClient(settings.homes.socket),
        database_url=database_url(settings.hub, credentials),
    )
    return _house


def house() -> House:
    """The hub's shared parts.

    Raises:
        RuntimeError: :func:`open_house` was not called.
    """
    if _house is None:
        raise RuntimeError("atelier.hub.configure() was not called in jupyterhub_config.py")
    return _house
