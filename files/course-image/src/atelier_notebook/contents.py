"""Jupyter's contents manager, with a sentence for the learner when the space is full."""

from __future__ import annotations

import os
from typing import Any

from atelier_toolbar.usage import full_space
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado import web

from atelier_notebook import texts
from atelier_notebook.start import FULL

INSUFFICIENT_STORAGE = 507  # RFC 4918, section 11.5


class Contents(AsyncLargeFileManager):
    """Saves as Jupyter does; if there is no room, the previous file stays complete."""

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Save a file.

        Raises:
            tornado.web.HTTPError: 507 with a sentence for the learner if there is no room;
                Jupyter's own errors otherwise.
        """
        try:
            saved: dict[str, Any] = await super().save(model, path)
        except web.HTTPError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in FULL:
                raise
            language = texts.language_of(os.environ.get("LANG", "fr"))
            said = texts.full(full_space(self.root_dir), language)
            raise web.HTTPError(INSUFFICIENT_STORAGE, said) from cause
        return saved
