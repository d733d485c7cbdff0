"""What the LTI 1.3 handlers share: values bound to the browser they were sent to."""

from __future__ import annotations

import re
import secrets

from atelier.hub.context import hub_context
from atelier.hub.web.launch11 import LtiHandler
from atelier.i18n.translate import Language
from atelier.lti.sealed import Sealer

BROWSER_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class Lti13Handler(LtiHandler):
    """Base class of the LTI 1.3 handlers."""

    chosen_language: Language | None = None
    """The launch's own language, once it is known."""

    @property
    def sealer(self) -> Sealer:
        """Seals what leaves in the browser."""
        return Sealer(self.settings["cookie_secret"])

    def launch_language(self) -> Language:
        """Language of the page."""
        return self.chosen_language or super().launch_language()

    @property
    def _cookie_name(self) -> str:
        return "__Host-atelier-lti" if self._https else "atelier-lti"

    @property
    def _https(self) -> bool:
        return hub_context().settings.site.hub_url.startswith("https:")

    def browser_secret(self) -> str | None:
        """The value of this site's login cookie in this browser."""
        value = self.get_cookie(self._cookie_name)
        return value if value and BROWSER_SECRET.fullmatch(value) else None

    def keep_browser_secret(self) -> str:
        """Return the browser's secret; set the cookie if it has none.

        The cookie lasts for the browser's session, so several links can be opened at once. Where
        frames are allowed, nginx adds ``Partitioned`` as for all cookies: a frame's cookie then
        belongs to that course page only.
        """
        known = self.browser_secret()
        if known is not None:
            return known
        made = secrets.token_urlsafe(32)
        self.set_cookie(
            self._cookie_name,
            made,
            path="/",
            httponly=True,
            secure=self._https,
            samesite="None" if self._https else "Lax",  # the token is posted by another site
        )
        return made
