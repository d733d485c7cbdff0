"""What starts learners' servers: one module for each engine."""

from __future__ import annotations

from typing import Any

from atelier.config.models import Settings
from atelier.hub.engines.docker import docker_settings


def spawner_settings(settings: Settings, config: Any) -> None:
    """Write what runs learners' servers into JupyterHub's configuration.

    Args:
        settings: the site's settings; ``spawner.kind`` names the engine, of which there is one.
        config: JupyterHub's configuration object.
    """
    engines = {"docker": docker_settings}
    engines[settings.spawner.kind](settings, config)
