# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Rules about LTI 1.3 registrations: what a platform's forms say, copied into the inventory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mooc.atelier.plugins.module_utils._platform_hosts import (
    SETTING,
    PlatformHosts,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    KEY,
    SLUG,
    Finding,
    dictionaries,
    duplicates,
    reference_findings,
    unknown_keys,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    NO_HOSTS,
    host_findings,
)

REGISTRATION_KEYS = (
    "key", "platform", "issuer", "client_ids", "deployment_ids", "auth_login_url",
    "auth_token_url", "auth_audience", "jwks_url", "jwks", "courses", "trust_email",
    "trust_roles", "hosts", "state",
)  # fmt: skip
ADDRESSES = ("auth_login_url", "auth_token_url", "jwks_url")
STATES = ("present", "absent")
EXAMPLE = (
    "{key: moodle-13, platform: moodle, issuer: https://moodle.univ.fr, client_ids: [...],"
    ' deployment_ids: ["1"], auth_login_url: ..., auth_token_url: ..., jwks_url: ...}'
)


def registration_findings(
    value: Any, consumers: list[str], slugs: list[str], private_hosts: PlatformHosts = NO_HOSTS
) -> Iterator[Finding]:
    """Rules about names, addresses and lists.

    Args:
        value: ``atelier_registrations``.
        consumers: keys of ``atelier_consumers``.
        slugs: those of ``atelier_courses``.
        private_hosts: ``atelier_platform_private_hosts``.
    """
    registrations, findings = dictionaries(value, "atelier_registrations", EXAMPLE)
    yield from findings
    keys = [str(item["key"]) for _, item in registrations if item.get("key")]
    for twice in duplicates(keys):
        yield Finding(
            "atelier_registrations", f"has the key {twice} twice", "Give each its own key."
        )
    for both in sorted(set(keys) & set(consumers)):
        yield Finding(
            "atelier_registrations",
            f"has the key {both}, which a consumer of atelier_consumers has too",
            f"Give it another key, such as {both}-13. The same platform in both is right.",
        )
    clients = [
        f"{item.get('issuer')} {client}"
        for _, item in registrations
        for client in _texts(item.get("client_ids")) or ()
    ]
    for twice in duplicates(clients):
        yield Finding(
            "atelier_registrations",
            f"has one client id of one issuer twice ({twice})",
            "Write one registration for it, with all its deployment_ids.",
        )
    for variable, item in registrations:
        yield from one_registration(variable, item, private_hosts)
        yield from reference_findings(
            f"{variable}.courses", item.get("courses"), slugs, "course", "atelier_courses"
        )


def one_registration(
    variable: str, item: Mapping[str, Any], private_hosts: PlatformHosts
) -> Iterator[Finding]:
    """Rules about one registration; messages name it by its key where it has one."""
    key: Any = item.get("key")
    name = f"{variable} ({key})" if isinstance(key, str) and key else variable
    yield from unknown_keys(name, item, REGISTRATION_KEYS)
    if not isinstance(key, str) or not KEY.fullmatch(key):
        yield Finding(
            f"{name}.key",
            "is not usable" if key else "is not set",
            f"Use letters, digits, dots, hyphens and underscores. Example: {EXAMPLE}.",
        )
    state = item.get("state", "present")
    if state not in STATES:
        yield Finding(f"{name}.state", f"is unknown ({state})", f"Use {' or '.join(STATES)}.")
    for trust in ("trust_email", "trust_roles"):
        if not isinstance(item.get(trust, False), bool):
            yield Finding(f"{name}.{trust}", "is neither true nor false", "Write true or false.")
    platform = item.get("platform")
    if not isinstance(platform, str) or not SLUG.fullmatch(platform):
        yield Finding(
            f"{name}.platform",
            f"is not usable ({platform})" if platform else "is not set",
            "Use 2 to 40 lower-case letters, digits and hyphens, a letter first: the one that the"
            " platform's consumers have in atelier_consumers, if it has any.",
        )
    if not isinstance(item.get("issuer"), str) or not item["issuer"]:
        yield Finding(
            f"{name}.issuer",
            "is not set",
            "Copy the platform's issuer (platform id), character by character.",
        )
    for listed in ("client_ids", "deployment_ids"):
        if not _texts(item.get(listed)):
            yield Finding(
                f"{name}.{listed}",
                "is not a list of texts",
                f'Write a list, numbers in quotes: {listed}: ["1"].',
            )
    yield from host_findings(f"{name}.hosts", item.get("hosts", []))
    yield from address_findings(name, item, private_hosts)


def address_findings(
    name: str, item: Mapping[str, Any], private_hosts: PlatformHosts
) -> Iterator[Finding]:
    """Rules about the platform's addresses and keys."""
    if not item.get("auth_login_url"):
        yield Finding(
            f"{name}.auth_login_url", "is not set", "It is the platform's authentication address."
        )
    for address in ADDRESSES:
        value = item.get(address)
        if value and not _is_address(value, private_hosts):
            yield Finding(
                f"{name}.{address}",
                f"is not an https:// address ({value})",
                "Copy it from the platform's page about the tool, a slash at its end included. A"
                f" platform without TLS has to be named in {SETTING}.",
            )
    if bool(item.get("jwks_url")) == bool(item.get("jwks")):
        yield Finding(
            f"{name}.jwks_url",
            "is needed, or jwks, and not both",
            "Copy the address of the platform's public key set.",
        )


def _texts(value: Any) -> list[str]:
    """The texts of a list; none when it is something else, or holds something else."""
    if not isinstance(value, (list, tuple)):
        return []
    return [str(one) for one in value] if all(isinstance(one, str) and one for one in value) else []


def _is_address(value: Any, private_hosts: PlatformHosts) -> bool:
    """Whether it is an https address, or an http one of a host that was named for that."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        host = parts.hostname if parts else None
    except ValueError:
        return False
    if parts is None or not host or " " in value:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and private_hosts.names(host))
