"""The settings the server runs with, read from what reconfigure made of gitlab.rb."""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PROJECT_FEATURES = ("issues", "merge_requests", "wiki", "snippets", "builds", "container_registry")


class ConfigError(Exception):
    """gitlab.rb says something that GitLab refuses."""


@dataclass(frozen=True)
class OmniAuth:
    """The ``gitlab_rails['omniauth_*']`` settings, with Omnibus' defaults."""

    enabled: bool = True
    providers: tuple[Mapping[str, Any], ...] = ()
    auto_sign_in_with_provider: str | None = None
    allow_single_sign_on: bool | tuple[str, ...] = ("saml",)
    block_auto_created_users: bool = True
    auto_link_user: bool | tuple[str, ...] = ()
    external_providers: tuple[str, ...] = ()
    sync_profile_from_provider: bool | tuple[str, ...] = ()
    sync_profile_attributes: bool | tuple[str, ...] = ("email",)

    def provider(self, name: str) -> Mapping[str, Any] | None:
        """The provider's block, by the name that stands in its addresses."""
        return next((p for p in self.providers if p.get("name") == name), None)

    @staticmethod
    def names(setting: bool | tuple[str, ...], provider: str) -> bool:
        """Whether a setting that is a boolean or a list of providers covers this one."""
        return setting if isinstance(setting, bool) else provider in setting


@dataclass(frozen=True)
class Mail:
    """The mail server of the ``gitlab_rails['smtp_*']`` settings; GitLab's image has none."""

    address: str
    port: int = 25
    domain: str = "localhost"
    user_name: str = ""
    password: str = ""
    starttls: bool = True
    tls: bool = False
    verify: bool = True
    display_name: str = "GitLab"


@dataclass(frozen=True)
class Config:
    """Everything the server takes from gitlab.rb."""

    external_url: str
    listen_port: int = 80
    omniauth: OmniAuth = field(default_factory=OmniAuth)
    impersonation_enabled: bool = True
    default_can_create_group: bool = True
    username_changing_enabled: bool = True
    session_expire_delay: int = 10080
    monitoring_whitelist: tuple[Network, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    default_theme: int = 1
    email_from: str = ""
    mail: Mail | None = None
    backup_path: str = "/var/opt/gitlab/backups"
    project_features: Mapping[str, bool] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """external_url without a trailing slash."""
        return self.external_url.rstrip("/")

    @property
    def relative_root(self) -> str:
        """The path part of external_url: empty, or begins with a slash."""
        return urlsplit(self.base_url).path

    @property
    def host(self) -> str:
        """Host name, without the port."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def https(self) -> bool:
        """Whether visitors come by https (the TLS end may be an outer nginx)."""
        return self.external_url.startswith("https://")


def _listing(value: Any, default: bool | tuple[str, ...]) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return default


def _networks(value: Any, default: tuple[str, ...]) -> tuple[Network, ...]:
    entries = value if isinstance(value, list) else list(default)
    try:
        return tuple(ipaddress.ip_network(str(entry), strict=False) for entry in entries)
    except ValueError as error:
        raise ConfigError(f"not a network address in gitlab.rb: {error}") from error


def _omniauth(rails: Mapping[str, Any]) -> OmniAuth:
    default = OmniAuth()
    providers = rails.get("omniauth_providers")
    if providers is not None and not isinstance(providers, list):
        raise ConfigError("gitlab_rails['omniauth_providers'] must be an array")
    for provider in providers or []:
        if not isinstance(provider, dict) or not provider.get("name"):
            raise ConfigError("each of gitlab_rails['omniauth_providers'] needs a 'name'")
    external = _listing(rails.get("omniauth_external_providers"), ())
    auto = rails.get("omniauth_auto_sign_in_with_provider")
    return OmniAuth(
        enabled=bool(rails.get("omniauth_enabled", True)),
        providers=tuple(providers or ()),
        auto_sign_in_with_provider=str(auto) if auto else None,
        allow_single_sign_on=_listing(
            rails.get("omniauth_allow_single_sign_on"), default.allow_single_sign_on
        ),
        block_auto_created_users=bool(rails.get("omniauth_block_auto_created_users", True)),
        auto_link_user=_listing(rails.get("omniauth_auto_link_user"), ()),
        external_providers=external if isinstance(external, tuple) else (),
        sync_profile_from_provider=_listing(rails.get("omniauth_sync_profile_from_provider"), ()),
        sync_profile_attributes=_listing(
            rails.get("omniauth_sync_profile_attributes"), default.sync_profile_attributes
        ),
    )


def _section(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = values.get(name)
    # Reading a missing key in gitlab.rb makes an empty hash: not a value.
    return {k: v for k, v in section.items() if v != {}} if isinstance(section, dict) else {}


def _mail(rails: Mapping[str, Any]) -> Mail | None:
    if rails.get("gitlab_email_enabled") is False or not rails.get("smtp_enable"):
        return None
    if rails.get("smtp_tls") and rails.get("smtp_enable_starttls_auto"):
        raise ConfigError(
            "gitlab_rails['smtp_tls'] and gitlab_rails['smtp_enable_starttls_auto'] are mutually"
            " exclusive. Set one of them to false."
        )
    return Mail(
        address=str(rails.get("smtp_address") or "localhost"),
        port=int(rails.get("smtp_port") or 25),
        domain=str(rails.get("smtp_domain") or "localhost"),
        user_name=str(rails.get("smtp_user_name") or ""),
        password=str(rails.get("smtp_password") or ""),
        starttls=rails.get("smtp_enable_starttls_auto") is not False,
        tls=bool(rails.get("smtp_tls")),
        verify=rails.get("smtp_openssl_verify_mode") != "none",
        display_name=str(rails.get("gitlab_email_display_name") or "GitLab"),
    )


def from_gitlab_rb(values: Mapping[str, Any]) -> Config:
    """Settings from the evaluated gitlab.rb; ConfigError where GitLab would refuse it."""
    rails = _section(values, "gitlab_rails")
    nginx = {**_section(values, "nginx"), **_section(rails, "nginx")}
    url = values.get("external_url") or "http://localhost"
    parts = urlsplit(str(url))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            "GitLab external URL must include a schema and FQDN, e.g. http://gitlab.example.com/"
        )
    listen_port = nginx.get("listen_port")
    if listen_port is None:
        listen_port = parts.port or (443 if parts.scheme == "https" else 80)
    features = {
        name: bool(rails.get(f"gitlab_default_projects_features_{name}", True))
        for name in PROJECT_FEATURES
    }
    proxies = rails.get("trusted_proxies") or nginx.get("real_ip_trusted_addresses")
    return Config(
        external_url=str(url),
        listen_port=int(listen_port),
        omniauth=_omniauth(rails),
        impersonation_enabled=rails.get("impersonation_enabled") is not False,
        default_can_create_group=rails.get("gitlab_default_can_create_group") is not False,
        username_changing_enabled=rails.get("gitlab_username_changing_enabled") is not False,
        session_expire_delay=int(rails.get("session_expire_delay") or 10080),
        monitoring_whitelist=_networks(
            rails.get("monitoring_whitelist"), ("127.0.0.0/8", "::1/128")
        ),
        trusted_proxies=_networks(proxies, ()),
        default_theme=int(rails.get("gitlab_default_theme") or 1),
        email_from=str(rails.get("gitlab_email_from") or f"gitlab@{parts.hostname}"),
        mail=_mail(rails),
        backup_path=str(rails.get("backup_path") or "/var/opt/gitlab/backups"),
        project_features=features,
    )


def load(path: Path) -> Config:
    """Read the file reconfigure wrote."""
    return from_gitlab_rb(json.loads(path.read_text()))
