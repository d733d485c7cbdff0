# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Preflight rules for LTI 1.3 registrations, whose values operators copy from the platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    dictionaries,
    duplicates,
    reference_findings,
    schema_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import NO_HOSTS
from ansible_collections.mooc.atelier.plugins.module_utils._schema.hosts import PlatformHosts
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import Reading
from ansible_collections.mooc.atelier.plugins.module_utils._schema.registration import (
    EXAMPLE,
    REGISTRATION,
)


def registration_findings(
    value: Any, consumers: list[str], slugs: list[str], private_hosts: PlatformHosts = NO_HOSTS
) -> Iterator[Finding]:
    """Check names, addresses and lists.

    Args:
        value: ``atelier_registrations``.
        consumers: keys of ``atelier_consumers``.
        slugs: slugs of ``atelier_courses``.
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
        for client in dict.fromkeys(_texts(item.get("client_ids")))
    ]
    for twice in duplicates(clients):
        yield Finding(
            "atelier_registrations",
            f"has one client id of one issuer twice ({twice})",
            "Write one registration for it, with all its deployment_ids.",
        )
    for variable, item in registrations:
        yield from one_registration(variable, item, slugs, private_hosts)


def one_registration(
    variable: str, item: Mapping[str, Any], slugs: list[str], private_hosts: PlatformHosts
) -> Iterator[Finding]:
    """Check a registration; messages contain its key, if it has one."""
    key: Any = item.get("key")
    name = f"{variable} ({key})" if isinstance(key, str) and key else variable
    problems = REGISTRATION.problems(item, Reading(private_hosts=private_hosts))
    yield from schema_findings(name, problems)
    if item.get("state") != "absent" and not any(one.key == "courses" for one in problems):
        yield from reference_findings(
            f"{variable}.courses", item.get("courses"), slugs, "course", "atelier_courses"
        )


def _texts(value: Any) -> list[str]:
    """Return a list of texts; empty if the value is anything else."""
    if not isinstance(value, (list, tuple)):
        return []
    return [str(one) for one in value] if all(isinstance(one, str) and one for one in value) else []
