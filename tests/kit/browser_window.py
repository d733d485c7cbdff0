"""Chromium of a person who was never here before, as they have set it up."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, sync_playwright
from world import quiet_network

from kit.framed_site import FramedSite

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server")
BLOCK_THIRD_PARTY = 1
"""Chromium's `CookieControlsMode`: third-party cookies are refused."""
ALLOW = 0
PATIENCE_MILLISECONDS = 60_000

Window = Callable[[int], AbstractContextManager[BrowserContext]]


@pytest.fixture
def window(
    framed: FramedSite, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Window]:
    """Open a browser of a person who never was here, with their setting for cookies."""
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed: apt-get install chromium"

    @contextmanager
    def opened(cookies: int) -> Iterator[BrowserContext]:
        profile = tmp_path / f"profile-{cookies}"
        (profile / "Default").mkdir(parents=True)
        chosen = {"profile": {"cookie_controls_mode": cookies}}
        (profile / "Default/Preferences").write_text(json.dumps(chosen))
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=program,
                args=list(ARGUMENTS),
                env={**os.environ, "HOME": str(tmp_path)},
                ignore_https_errors=True,
                locale="en-GB",
            )
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            yield context
            context.close()

    network = tmp_path_factory.mktemp("network")  # a short path, as sockets need
    with quiet_network.wrapper(network, chromium, [framed.web.port]) as program:
        yield opened
