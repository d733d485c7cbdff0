"""Origins of learners' servers: a host name for each learner, or the hub's for all.

A notebook runs its owner's JavaScript. On the hub's origin that script could act for anybody who
opens the notebook. On a separate origin the browser keeps the hub, the desk and other learners'
servers out of its reach.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyterhub.handlers import base  # type: ignore[import-untyped]
from jupyterhub.utils import subdomain_hook_idna  # type: ignore[import-untyped]

from atelier.config.models import HOST_PREFIX, Settings, Site

TRUSTED_SECONDS = 3
"""Seconds for which a learner's server caches the hub's answer about a visitor. The server does not
receive the hub's cookies, so it notices a sign-out only when it asks again. 0: for ever."""
TOKEN_SECONDS = 7 * 24 * 3600
"""Longest life of browsers' OAuth tokens for learners' servers, the desk and GitLab."""
MAX_TOKEN_SECONDS = 30 * 24 * 3600
"""Longest life of a token that an administrator creates."""


def server_origin(site: Site, username: str) -> str:
    """Origin of a learner's server, without a trailing slash; empty if it is the hub's origin.

    Args:
        site: the site's addresses.
        username: the learner.
    """
    if site.notebooks is None:
        return ""
    parts = urlsplit(site.notebooks)
    port = f":{parts.port}" if parts.port else ""
    return f"https://{subdomain_hook_idna(username, parts.hostname, 'user')}{port}"


def server_arguments(site: Site) -> list[str]:
    """Command-line arguments with which a learner's server notices a sign-out within seconds."""
    return [f"--HubOAuth.cache_max_age={TRUSTED_SECONDS}"] if site.notebooks else []


def origin_settings(settings: Settings, c: Any) -> None:
    """Write the origins of learners' servers into JupyterHub's configuration.

    Args:
        settings: the site's settings.
        c: JupyterHub's configuration object.
    """
    c.JupyterHub.oauth_token_expires_in = TOKEN_SECONDS
    c.JupyterHub.token_expires_in_max_seconds = MAX_TOKEN_SECONDS
    site = settings.site
    if site.notebooks is None:
        return
    hub = urlsplit(site.hub_url).hostname

    def host(name: str, domain: str, kind: str) -> str:
        """The learner's host for a user's server, the hub's host for a service."""
        del domain  # the domain: the hub's for users, the notebooks' for services
        if kind == "service":
            return str(hub)
        return str(subdomain_hook_idna(name, site.notebook_domain, kind))

    c.JupyterHub.subdomain_host = site.notebooks
    c.JupyterHub.subdomain_hook = host
    c.JupyterHub.cookie_host_prefix_enabled = True
    keep_sessions_on_the_hub(site)


def keep_sessions_on_the_hub(site: Site) -> None:
    """Give JupyterHub's session cookie the prefix ``__Host-``, which no other host can set.

    JupyterHub prefixes its other cookies but sets this one for all hosts below the hub's. A page on
    a sibling host could otherwise plant a session id in a browser, and signing out would revoke
    nothing.
    """
    if site.hub_session_cookie == base.SESSION_COOKIE_NAME:
        return
    base.SESSION_COOKIE_NAME = site.hub_session_cookie
    set_cookie, clear_cookie = base.BaseHandler._set_cookie, base.BaseHandler.clear_cookie

    def set_host_cookie(
        self: Any, key: str, value: str, encrypted: bool = True, **overrides: Any
    ) -> None:
        if key.startswith(HOST_PREFIX):
            overrides.pop("domain", None)
        set_cookie(self, key, value, encrypted=encrypted, **overrides)

    def clear_host_cookie(self: Any, name: str, **options: Any) -> None:
        if name.startswith(HOST_PREFIX):
            options.pop("domain", None)
        clear_cookie(self, name, **options)

    base.BaseHandler._set_cookie = set_host_cookie
    base.BaseHandler.clear_cookie = clear_host_cookie
