"""Certificates that are asked for: what each way of showing that names are ours needs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.acme import (
    acme_findings,
    hook_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.site import site_findings

from .test_site_rules import GOOD

SECRET = "c2l4dGVlbiBieXRlcyBhbmQgbW9yZQ=="
KEY: dict[str, Any] = {
    "acme_challenge": "dns-rfc2136",
    "acme_dns_server": "192.0.2.53",
    "acme_dns_key_name": "atelier-acme",
    "acme_dns_key_secret": SECRET,
    "notebook_tls_certificate": "",
    "notebook_tls_key": "",
}
HOOK: dict[str, Any] = {
    "acme_challenge": "dns-hook",
    "acme_dns_hook": "files/dns-hook",
    "notebook_tls_certificate": "",
    "notebook_tls_key": "",
}


@pytest.mark.parametrize(
    "changes",
    [
        KEY,
        KEY | {"acme_dns_server": "2001:db8::53", "acme_dns_port": "5353"},
        KEY | {"acme_dns_key_name": "acme.univ.fr.", "acme_dns_key_algorithm": "hmac-sha512"},
        KEY | {"acme_dns_wait_seconds": 0, "http_port": 8080},
        HOOK,
        HOOK | {"acme_dns_hook_seconds": "600"},
    ],
)
def test_a_record_in_dns_gives_the_wildcard_too(changes: dict[str, Any]) -> None:
    assert list(site_findings({**GOOD, **changes})) == []


@pytest.mark.parametrize(
    ("changes", "variable", "problem"),
    [
        ({"acme_challenge": "dns"}, "acme_challenge", "is unknown (dns)"),
        (KEY | {"acme_dns_server": ""}, "acme_dns_server", "is not set, and atelier_acme_chall"),
        (KEY | {"acme_dns_server": "ns1.univ.fr"}, "acme_dns_server", "not an IP address (ns1"),
        (KEY | {"acme_dns_port": 0}, "acme_dns_port", "is not a port (0)"),
        (KEY | {"acme_dns_key_name": ""}, "acme_dns_key_name", "is not set, and"),
        (KEY | {"acme_dns_key_name": "a b"}, "acme_dns_key_name", "not the name of a key (a b)"),
        (KEY | {"acme_dns_key_secret": ""}, "acme_dns_key_secret", "is not set, and"),
        (KEY | {"acme_dns_key_secret": "change-me"}, "acme_dns_key_secret", "the example's value"),
        (KEY | {"acme_dns_key_secret": "no base64!"}, "acme_dns_key_secret", "is not base64"),
        (KEY | {"acme_dns_key_secret": "c2hvcnQ="}, "acme_dns_key_secret", "too short (5 bytes)"),
        (KEY | {"acme_dns_key_algorithm": "md5"}, "acme_dns_key_algorithm", "is unknown (md5)"),
        (KEY | {"acme_dns_wait_seconds": -1}, "acme_dns_wait_seconds", "number of seconds (-1)"),
        (HOOK | {"acme_dns_hook": ""}, "acme_dns_hook", "is not set, and"),
        (HOOK | {"acme_dns_hook_seconds": 0}, "acme_dns_hook_seconds", "number of seconds (0)"),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], variable: str, problem: str) -> None:
    (finding,) = site_findings({**GOOD, **changes})
    assert finding.grave
    assert finding.variable == f"atelier_{variable}"
    assert problem in finding.problem


def test_all_mistakes_are_told_at_once_and_no_secret() -> None:
    broken = KEY | {"acme_dns_server": "", "acme_dns_key_name": "", "acme_dns_port": "x"}
    found = list(acme_findings({**GOOD, **broken, "acme_dns_key_secret": "hush hush"}))
    assert len(found) == 4
    assert "hush" not in str(found)


def test_port_80_without_a_wildcard_says_what_to_do() -> None:
    plain = {**GOOD, "notebook_tls_certificate": "", "notebook_tls_key": ""}
    (finding,) = site_findings(plain)
    assert (finding.variable, finding.grave) == ("atelier_acme_challenge", True)
    assert "*.notebooks.mooc.univ.fr" in finding.problem
    assert "dns-rfc2136" in finding.fix
    assert "dns-hook" in finding.fix
    assert "atelier_notebook_origin: shared" in finding.fix


def test_what_is_not_used_is_advice() -> None:
    (finding,) = site_findings({**GOOD, "acme_dns_server": "192.0.2.53"})
    assert not finding.grave
    assert finding.problem == "is set and not used: atelier_acme_challenge is http"


@pytest.mark.parametrize(
    ("content", "good"), [(b"#!/bin/sh\n", True), (b"\x7fELF\x02", True), (b"nsupdate\n", False)]
)
def test_a_command_is_a_program(content: bytes, good: bool) -> None:
    assert (list(hook_findings("files/dns-hook", content)) == []) is good
