"""Signing out; and the hub's token page, which is closed to learners."""

from __future__ import annotations

from jupyterhub.handlers.login import LogoutHandler  # type: ignore[import-untyped]
from jupyterhub.handlers.pages import TokenPageHandler  # type: ignore[import-untyped]
from tornado import web

from atelier.courses.destinations import gitlab_leave
from atelier.hub.context import hub_context
from atelier.hub.web.pages import request_language

SIGNED_OUT = "signed-out"
"""Query parameter of ``/hub/atelier/go``: the browser returns from GitLab, signed out of both."""


class SignOutHandler(LogoutHandler):  # type: ignore[misc]
    """``/hub/logout``: signs out of the hub, the desk and GitLab.

    Any page can make a browser request this address by a link, an image or a frame. Only the hub's
    own form has the XSRF token that JupyterHub requires with a POST.
    """

    async def get(self) -> None:
        """Ask for confirmation, or say that nobody is signed in."""
        user = self.current_user
        if user is None:
            await self.render_logout_page()
            return
        lang = request_language(self, await user.get_auth_state())
        self.finish(await self.render_template("atelier_leave.html", lang=lang, title="log_out"))

    async def post(self) -> None:
        """Sign out, of GitLab too where its host can end sessions."""
        await self.default_handle_logout()
        self._jupyterhub_user = None
        site = hub_context().settings.site
        if site.gitlab_session_paths:
            self.redirect(gitlab_leave(site.gitlab_url, f"{SIGNED_OUT}=1"), status=303)
        else:
            self.redirect(f"{self.hub.base_url}logout", status=303)


class NoTokensHandler(TokenPageHandler):  # type: ignore[misc]
    """``/hub/token``: for administrators."""

    async def get(self) -> None:
        """The page for administrators; 404 for others."""
        user = self.current_user
        if user is not None and not user.admin:
            raise web.HTTPError(404)
        await super().get()
