"""Signing out, and the hub's page of tokens, which learners have no use for."""

from __future__ import annotations

from jupyterhub.handlers.login import LogoutHandler  # type: ignore[import-untyped]
from jupyterhub.handlers.pages import TokenPageHandler  # type: ignore[import-untyped]
from tornado import web

from atelier.courses.destinations import gitlab_leave
from atelier.hub.context import hub_context
from atelier.hub.web.pages import request_language

SIGNED_OUT = "signed-out"
"""In the query of ``/hub/atelier/go``: the browser comes back from GitLab, signed out of both."""


class SignOutHandler(LogoutHandler):  # type: ignore[misc]
    """``/hub/logout``: signs out of the hub, the desk and GitLab.

    A link, an image or a frame anywhere may have a browser ask for this address; only a form of
    ours holds what JupyterHub wants to see with a POST.
    """

    async def get(self) -> None:
        """Ask; to whoever is signed out already, say so."""
        user = self.current_user
        if user is None:
            await self.render_logout_page()
            return
        lang = request_language(self, await user.get_auth_state())
        self.finish(await self.render_template("atelier_leave.html", lang=lang, title="log_out"))

    async def post(self) -> None:
        """Sign out, by GitLab's way out where there is one."""
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
        """The page, or that there is none."""
        user = self.current_user
        if user is not None and not user.admin:
            raise web.HTTPError(404)
        await super().get()
