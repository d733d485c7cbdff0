"""A small site behind nginx, as browsers see it: https, host names, an LMS on another site."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lms.platform13 import Platform13
from lms.settings import Settings

from kit import course_page
from kit.site import Site, free_port
from kit.web_server import NOTEBOOKS, WebServer

LOCAL_NAMES = """
import socket

found = socket.getaddrinfo


def getaddrinfo(host, *rest, **options):
    local = isinstance(host, str) and host.endswith(".localhost")
    return found("127.0.0.1" if local else host, *rest, **options)


socket.getaddrinfo = getaddrinfo
"""
"""Names under .localhost are this machine to the site's processes, as they are to browsers."""


class FramedSite(Site):
    """A site whose public addresses are nginx's; ``hub_url`` stays the proxy's own."""

    def __init__(self, root: Path, web: WebServer) -> None:
        """Write the site's files for nginx's names."""
        self.web = web
        super().__init__(root)
        (root / "names").mkdir()
        (root / "names/sitecustomize.py").write_text(LOCAL_NAMES)

    def environment(self) -> dict[str, str]:
        """Environment of the site's processes, which find the public names on this machine."""
        usual = super().environment()
        return {**usual, "PYTHONPATH": f"{usual['PYTHONPATH']}{os.pathsep}{self.root / 'names'}"}

    def write_settings(self, **parts: dict[str, Any]) -> None:
        """Write atelier.yml with the public addresses; ``parts`` are added to its sections."""
        public = {
            "hub_url": self.web.hub_url,
            "gitlab_url": self.web.gitlab_url,
            "frame_ancestors": self.web.origins,
            "ca_file": str(self.web.root / "tls/fullchain.pem"),
            "notebook_origin": "learner" if self.web.notebooks else "shared",
            "notebook_domain": self.web.notebooks,
        }
        super().write_settings(**{**parts, "site": {**public, **parts.get("site", {})}})

    def start_proxy(self, *options: str) -> None:
        """Start the proxy as the role does."""
        super().start_proxy(*(["--host-routing"] if self.web.notebooks else []), *options)


@contextmanager
def framed_site(
    folders: pytest.TempPathFactory, notebooks: str | None = NOTEBOOKS
) -> Iterator[FramedSite]:
    """Run a site, and an LMS on another site whose pages may show it in frames.

    Args:
        folders: where its files go.
        notebooks: domain of learners' servers; None: they share the hub's origin.
    """
    web = WebServer(folders.mktemp("nginx"), notebooks=notebooks)
    site = FramedSite(folders.mktemp("framed"), web)
    gitlab = int(site.gitlab_url.rsplit(":", 1)[1])  # nobody listens there yet
    ports = {"hub": site.proxy_port, "gitlab": gitlab, "lms": free_port()}
    lms = Settings(web.hub_url, web.lms_url, "demo", "campus", site.consumer_secret)
    registration = Platform13(web.lms_url, web.hub_url, "").registration("campus-13", "campus")
    keys = f"http://127.0.0.1:{ports['lms']}/lti13/keys"
    site.write_registrations([{**registration, "jwks_url": keys}])
    with web.running(**ports), course_page.running(lms, ports["lms"]):
        try:
            site.start_all()
            yield site
        finally:
            site.close()
