# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Preflight rules for hosts of course platforms in private networks or without TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
    entry_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.hosts import (
    SETTING,
    PlatformHosts,
    host_of,
    is_public,
    private_host,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import Flag
from ansible_collections.mooc.atelier.plugins.module_utils._schema.problems import SchemaError

NO_HOSTS = PlatformHosts()
ADDRESSES = ("auth_token_url", "jwks_url")
"""Addresses of a registration to which the server sends requests."""


def private_host_findings(settings: Settings) -> Iterator[Finding]:
    """Check ``atelier_platform_private_hosts``."""
    example = "[lms.campus.example, 10.1.0.0/16]"
    entries = settings.get("platform_private_hosts") or []
    yield from entry_findings(entries, SETTING, example, lambda entry: private_host(str(entry)))


def private_hosts(settings: Settings) -> PlatformHosts:
    """Read the setting as hub and desk do; ignore invalid entries."""
    entries = settings.get("platform_private_hosts") or []
    known = []
    for entry in entries if isinstance(entries, (list, tuple)) else []:
        try:
            known.append(private_host(str(entry)))
        except ValueError:
            continue
    return PlatformHosts(known)


def platform_hosts(settings: Settings) -> Iterator[dict[str, str]]:
    """Yield the hosts to which the server will send requests, with the setting that names each."""
    for variable in ("consumers", "registrations"):
        for number, item in enumerate(_dictionaries(settings.get(variable))):
            if item.get("state") == "absent":
                continue
            name = f"atelier_{variable}[{number}] ({item.get('key')})"
            named = item.get("hosts") if isinstance(item.get("hosts"), (list, tuple)) else ()
            addresses = [host_of(str(item[one])) for one in ADDRESSES if item.get(one)]
            for host in dict.fromkeys([*addresses, *map(str, named or ())]):
                if host:
                    yield {"variable": name, "host": host}


def resolve(host: str) -> list[str]:
    """Return the IP addresses of a host as this machine resolves them; empty if there are none."""
    try:
        return [str(one[4][0]) for one in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def private_platform_findings(
    hosts: Iterable[Mapping[str, str]],
    known: PlatformHosts,
    look_up: Callable[[str], list[str]] = resolve,
) -> Iterator[Finding]:
    """Find platforms in private networks to which the site would send no requests.

    Args:
        hosts: the hosts; see `platform_hosts`.
        known: the hosts of ``atelier_platform_private_hosts``.
        look_up: returns the IP addresses of a host.
    """
    for one in hosts:
        host, found = one["host"], look_up(one["host"])
        if found and not any(is_public(each) or known.names(host, each) for each in found):
            yield Finding(
                one["variable"],
                f"is a platform in a private network ({host} is {found[0]})",
                "The site talks to public platforms only, unless you name others:"
                f" {SETTING}: [{host}]",
            )


def staff_findings(settings: Settings) -> Iterator[Finding]:
    """Find courses without staff, because they name none of several platforms."""
    launchers = [
        item
        for variable in ("consumers", "registrations")
        for item in _dictionaries(settings.get(variable))
        if item.get("state") != "absent"
    ]
    trusted = [one for one in launchers if _is_true(one.get("trust_roles"))]
    if not trusted or len({str(one.get("platform")) for one in launchers}) < 2:
        return
    named = {
        str(slug)
        for one in trusted
        for slug in (one["courses"] if isinstance(one.get("courses"), (list, tuple)) else ())
    }
    for course in _dictionaries(settings.get("courses")):
        slug = course.get("slug")
        if course.get("consumers") is None and slug not in named:
            yield Finding(
                f"atelier_courses ({slug}).consumers",
                "is not set, and there are several platforms: nobody is staff in this course",
                "Name the keys whose instructors see everybody's answers there, or set courses of"
                " their consumers.",
                grave=False,
            )


def _is_true(value: Any) -> bool:
    try:
        return Flag().read(value)
    except SchemaError:
        return False


def _dictionaries(value: Any) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, (list, tuple)) else []
    return [item for item in items if isinstance(item, Mapping)]
