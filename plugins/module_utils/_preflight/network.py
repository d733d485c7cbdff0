# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Preflight rules for the hosts and ports that learners' containers may reach."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
    entry_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.hosts import (
    host_name,
    private_host,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import as_integer

HOSTS = "atelier_learners_private_hosts"
PORTS = "atelier_learners_ports"
EXAMPLE = "[10.1.2.3, 10.1.0.0/16, git.campus.example:8443]"
_PARTS = re.compile(r"(?:\[(.+)\](?::([0-9]+))?|([^:]+)(?::([0-9]+))?|(.+))")
"""The same as role docker's ``__docker_host_and_port``."""
_METADATA = [ipaddress.ip_address(one) for one in ("169.254.169.254", "fd00:ec2::254")]


def learners_network_findings(settings: Settings) -> Iterator[Finding]:
    """Apply every rule of this file."""
    yield from _ports(settings.get("learners_ports"))
    entries = settings.get("learners_private_hosts") or []
    yield from entry_findings(entries, HOSTS, EXAMPLE, _entry)


def _ports(value: Any) -> Iterator[Finding]:
    if value is None:
        return
    if not isinstance(value, (list, tuple)) or not value:
        yield Finding(PORTS, "is not a list of ports", "Write it as a list: [80, 443], or [all].")
        return
    for number, port in enumerate(value):
        found = as_integer(port)
        if port != "all" and (found is None or not 0 < found < 65536):
            yield Finding(
                f"{PORTS}[{number}]",
                f"is neither a port between 1 and 65535 nor all ({port})",
                "Example: [80, 443].",
            )


def _entry(entry: Any) -> None:
    """Check a host or network, with or without a port.

    Raises:
        ValueError: the entry is invalid, or contains addresses that always stay blocked.
    """
    parts = _PARTS.fullmatch(entry) if isinstance(entry, str) else None
    if parts is None:
        raise ValueError("must be a host name, an IP address or a network, with a port or without")
    bracketed, its_port, host, host_port, bare = parts.groups()
    port = its_port or host_port
    if port is not None and not 0 < int(port) < 65536:
        raise ValueError("has a port that is not between 1 and 65535")
    named = bracketed or host or bare
    if bracketed and ":" not in bracketed:
        raise ValueError("has brackets, which are for IPv6 addresses")
    known = private_host(named)
    try:
        network = ipaddress.ip_network(known)
    except ValueError:
        if not re.search("[a-z]", host_name(known)):
            raise ValueError("is not an IP address") from None
        return
    if network.is_loopback or any(
        one in network for one in _METADATA if one.version == network.version
    ):
        raise ValueError("holds loopback or a cloud's metadata address, which stay closed")
