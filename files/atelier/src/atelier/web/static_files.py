"""Style sheets and scripts, for the desk."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from atelier.web import STATIC

CACHE_SECONDS = 300


class CachedStaticFiles(StaticFiles):
    """The package's static files, which browsers keep for :data:`CACHE_SECONDS`."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Starlette's response, with the headers of every static file."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = f"max-age={CACHE_SECONDS}"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
