"""A browser that can be watched while a test walks through it."""

from __future__ import annotations

import os
from typing import Any

import pytest

SLOW_MS = 400
"""Between what a test does in a browser that somebody looks at."""
"""Pause after each action of a browser that somebody watches, milliseconds."""


def visible() -> dict[str, Any]:
    """Return Playwright's options for a browser one sees, where ATELIER_HEADED=1 asks for it."""
    if os.environ.get("ATELIER_HEADED") != "1":
        return {}
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        pytest.fail("ATELIER_HEADED=1 needs a display: DISPLAY is not set", pytrace=False)
    return {"headless": False, "slow_mo": SLOW_MS}
