"""The whole of ``jupyterhub_config.py``, which is three lines::

from atelier.hub.configure import configure

configure(get_config())
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from atelier.config.credentials import Credentials
from atelier.config.models import Settings, SettingsError, load, settings_file
from atelier.hub.authenticator import AtelierAuthenticator, fill_user_info, reconcile
from atelier.hub.context import open_context
from atelier.hub.engines import spawner_settings
from atelier.hub.named_servers import only_courses
from atelier.hub.origins import origin_settings
from atelier.hub.sqlite_wal import use_write_ahead_log
from atelier.hub.web.pages import error_reference
from atelier.i18n.translate import DEFAULT, LANGUAGES, say
from atelier.learner import learner_of
from atelier.limits.logs import logging_config
from atelier.limits.requests import bound_hub
from atelier.web import HUB_TEMPLATES, STATIC
from atelier.web.headers import page_headers

GITLAB_CLIENT_ID = "service-gitlab"


def _key(credentials: Credentials, name: str) -> bytes:
    """A secret of 32 bytes, written as 64 hexadecimal digits.

    Raises:
        SettingsError: it is not.
    """
    try:
        value = bytes.fromhex(credentials.get(name))
    except ValueError:
        value = b""
    if len(value) != 32:
        raise SettingsError(f"credential {name!r}: must be 64 hexadecimal digits")
    return value


def services(settings: Settings, credentials: Credentials) -> list[dict[str, Any]]:
    """The hub's services: GitLab as an OAuth client, the desk, the idle culler."""
    known: list[dict[str, Any]] = [
        {
            "name": "gitlab",
            "display": False,
            "oauth_client_id": GITLAB_CLIENT_ID,
            "api_token": credentials.get("oauth_client_secret"),
            "oauth_redirect_uri": f"{settings.site.gitlab_url}/users/auth/oauth2_generic/callback",
            "oauth_no_confirm": True,
        },
        {
            "name": "desk",
            "display": False,
            "url": settings.desk.url,
            "timeout": 1,  # the hub starts also while the desk is down
            "api_token": credentials.get("desk_api_token"),
            "oauth_redirect_uri": f"{settings.site.hub_url}/services/desk/oauth_callback",
            "oauth_no_confirm": True,
        },
    ]
    timeout = settings.hub.idle_timeout_seconds
    if timeout:
        known.append(
            {
                "name": "idle-culler",
                "display": False,
                "command": [
                    sys.executable,
                    "-m",
                    "jupyterhub_idle_culler",
                    f"--timeout={timeout}",
                    f"--cull-every={min(300, max(10, timeout // 2))}",
                ],
            }
        )
    return known


def roles(settings: Settings) -> list[dict[str, Any]]:
    """Roles: learners may sign in to GitLab and the desk, the culler may stop servers.

    The desk has no scope on the hub: it checks a token by using that token.
    Learners cannot create tokens: no feature needs one, and a token would outlive a sign-out.
    """
    own = ("read:users", "users:activity", "servers", "access:servers")
    services = ("gitlab", "desk")
    known: list[dict[str, Any]] = [
        {
            "name": "user",
            "scopes": [
                *(f"{scope}!user" for scope in own),
                *(f"access:services!service={name}" for name in services),
            ],
        }
    ]
    if settings.hub.idle_timeout_seconds:
        known.append(
            {
                "name": "idle-culler",
                "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
                "services": ["idle-culler"],
            }
        )
    return known


def configure(c: Any) -> None:
    """Configure JupyterHub from ``atelier.yml`` and systemd's credentials.

    Args:
        c: what ``get_config()`` gives.

    Raises:
        SettingsError: a file is wrong or a credential absent; the text says which.
    """
    settings = load(Settings, settings_file())
    credentials = Credentials()
    context = open_context(settings, credentials)
    use_write_ahead_log(settings.hub.database_url)
    bound_hub()
    base_url = urlsplit(settings.site.hub_url).path + "/"

    c.JupyterHub.public_url = settings.site.hub_url + "/"
    c.JupyterHub.bind_url = settings.hub.public_bind + base_url
    c.JupyterHub.hub_bind_url = settings.hub.api_url
    c.JupyterHub.hub_connect_url = settings.hub.api_url
    c.JupyterHub.db_url = context.database_url
    c.JupyterHub.cookie_secret = _key(credentials, "cookie_secret")
    c.CryptKeeper.keys = [_key(credentials, "auth_state_key")]

    # The proxy is a separate unit, and learners' servers keep running when the hub restarts.
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.cleanup_servers = False
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = settings.hub.proxy_api_url
    c.ConfigurableHTTPProxy.auth_token = credentials.get("proxy_auth_token")

    c.JupyterHub.authenticator_class = AtelierAuthenticator
    c.Authenticator.allow_all = True  # only users whose launch a registered platform has signed
    c.Authenticator.enable_auth_state = True
    c.Authenticator.admin_users = set(settings.hub.admin_users)
    c.Authenticator.post_auth_hook = fill_user_info
    c.Authenticator.reconcile_auth_state_hook = reconcile

    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.named_server_limit_per_user = only_courses
    c.JupyterHub.logging_config = logging_config()
    c.JupyterHub.concurrent_spawn_limit = settings.hub.concurrent_spawn_limit
    c.JupyterHub.redirect_to_server = False
    c.JupyterHub.services = services(settings, credentials)
    c.JupyterHub.load_roles = roles(settings)
    spawner_settings(settings, c)
    origin_settings(settings, c)

    c.JupyterHub.template_paths = [str(HUB_TEMPLATES), str(STATIC)]
    c.JupyterHub.template_vars = {
        # in a namespace: JupyterHub would call plain functions itself, with the user
        "atelier": SimpleNamespace(
            say=say,
            languages=LANGUAGES,
            default_language=DEFAULT,
            learner_of=learner_of,
            error_reference=error_reference,
        ),
        "contact": settings.site.contact_email,
    }
    c.JupyterHub.tornado_settings = {"headers": page_headers(settings.site)}
