"""What a learner may load into their own Jupyter server: pages that need no login."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tornado import web


class Shown(web.StaticFileHandler):
    """Files of the folder `public`, with headers that ask for more than their own pages."""

    def set_extra_headers(self, path: str) -> None:
        del path
        self.set_header("Service-Worker-Allowed", "/")
        self.set_header("Clear-Site-Data", '"*"')


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "evil_page"}]


def _load_jupyter_server_extension(server: Any) -> None:
    place = f"{server.base_url}public/(.*)"
    handler = (place, Shown, {"path": str(Path.home() / "public")})
    server.web_app.add_handlers(".*$", [handler])
