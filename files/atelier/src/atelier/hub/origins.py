"""Where learners' servers answer: on a host name of each learner's own, or all on the hub's.

A notebook runs its owner's JavaScript. On the hub's origin it may do what whoever opens it may do;
on an origin of its own, a browser gives it nothing of the hub, the desk or another learner.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyterhub.handlers import base  # type: ignore[import-untyped]
from jupyterhub.utils import subdomain_hook_idna  # type: ignore[import-untyped]

from atelier.config.models import HOST_PREFIX, Settings, Site

TRUSTED_SECONDS = 3
"""How long a learner's server may trust what the hub said of a visitor. It does not get the hub's
cookies, so a sign-out shows there only when it asks again. 0 would mean for ever."""
TOKEN_SECONDS = 7 * 24 * 3600
"""Longest life of what the hub gives to browsers for learners' servers, desk and GitLab."""
MAX_TOKEN_SECONDS = 30 * 24 * 3600
"""Longest life of a token that an administrator makes."""


def server_origin(site: Site, username: str) -> str:
    """Origin of a learner's server, without a slash; empty where it is the hub's own.

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
    """What a learner's server is started with, so that it soon sees who signed out."""
    return [f"--HubOAuth.cache_max_age={TRUSTED_SECONDS}"] if site.notebooks else []


def origin_settings(settings: Settings, c: Any) -> None:
    """Write into JupyterHub's configuration where learners' servers answer.

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
        """Host of a learner's server; of a service, whose pages are the site's own, the hub's."""
        del domain  # for users the hub's, for services the learners'
        if kind == "service":
            return str(hub)
        return str(subdomain_hook_idna(name, site.notebook_domain, kind))

    c.JupyterHub.subdomain_host = site.notebooks
    c.JupyterHub.subdomain_hook = host
    c.JupyterHub.cookie_host_prefix_enabled = True
    keep_sessions_on_the_hub(site)


def keep_sessions_on_the_hub(site: Site) -> None:
    """Have JupyterHub's cookie of sessions set and read under a name that no other host can set.

    JupyterHub prefixes its other cookies only, and gives this one to all hosts below the hub's: a
    page on a relative of the hub's host could put a session of its own choice into a browser, and
    signing out would then revoke nothing.
    """
    if site.hub_session_cookie == base.SESSION_COOKIE_NAME:
        return
    base.SESSION_COOKIE_NAME = site.hub_session_cookie
    set_cookie, clear_cookie = base.BaseHandler._set_cookie, base.BaseHandler.clear_cookie

    def set_here(self: Any, key: str, value: str, encrypted: bool = True, **overrides: Any) -> None:
        if key.startswith(HOST_PREFIX):
            overrides.pop("domain", None)
        set_cookie(self, key, value, encrypted=encrypted, **overrides)

    def clear_here(self: Any, name: str, **options: Any) -> None:
        if name.startswith(HOST_PREFIX):
            options.pop("domain", None)
        clear_cookie(self, name, **options)

    base.BaseHandler._set_cookie = set_here
    base.BaseHandler.clear_cookie = clear_here
