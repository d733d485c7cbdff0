"""Templates, static files and response headers of hub and desk."""

from __future__ import annotations

from pathlib import Path

_TEMPLATES = Path(__file__).parent / "templates"
HUB_TEMPLATES = _TEMPLATES / "hub"
"""Templates with JupyterHub's names replace JupyterHub's own."""
DESK_TEMPLATES = _TEMPLATES / "desk"
STATIC = Path(__file__).parent / "static"
