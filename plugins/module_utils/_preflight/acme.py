"""Preflight rules for ACME certificates: challenges by port 80 or by DNS records."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.consumer import (
    placeholder,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import as_integer

# RFC 2606 and RFC 6761: no certificate authority signs for these.
RESERVED_ENDINGS = ("example.org", "example.com", "example.net", "localhost", "local", "test",
                    "invalid", "internal")  # fmt: skip
CHALLENGES = ("http", "dns-rfc2136", "dns-hook")
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
KEY_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
SHORTEST_KEY = 16
"""Least bytes of a TSIG key."""
LONGEST_WAIT = 3600
CHALLENGE = "atelier_acme_challenge"
HOOK = "atelier_acme_dns_hook"


def acme_findings(settings: Settings) -> Iterator[Finding]:
    """Apply every rule of this file to a site with `atelier_tls: acme`."""
    if not settings["contact_email"]:
        yield Finding(
            "atelier_contact_email",
            "is not set, and atelier_tls is acme",
            "Set it: the certificate authority writes there before a certificate expires.",
        )
    if settings["acme_public"]:
        for ending in RESERVED_ENDINGS:
            if f".{settings['hub_host']}".endswith(f".{ending}"):
                yield Finding(
                    "atelier_domain",
                    f"ends in {ending}, for which no certificate authority signs",
                    "Set it to your own domain, or atelier_tls to self_signed.",
                )
    challenge = settings["acme_challenge"]
    if challenge not in CHALLENGES:
        yield Finding(CHALLENGE, f"is unknown ({challenge})", f"Use one of: {_all(CHALLENGES)}.")
    if challenge == "http":
        yield from _http_findings(settings)
    if challenge == "dns-rfc2136":
        yield from _key_findings(settings)
    if challenge == "dns-hook":
        yield from _hook_findings(settings)
    if challenge in ("dns-rfc2136", "dns-hook"):
        yield from _seconds(settings, "acme_dns_wait_seconds", 0)


def _all(values: tuple[str, ...]) -> str:
    return ", ".join(values)


def _http_findings(settings: Settings) -> Iterator[Finding]:
    if as_integer(settings["http_port"]) != 80:
        yield Finding(
            "atelier_http_port",
            f"is {settings['http_port']}, and certificate authorities come to port 80",
            "Make sure that port 80 of the public address leads there.",
            grave=False,
        )
    for name in ("server", "key_name", "key_secret", "hook"):
        if settings[f"acme_dns_{name}"]:
            yield Finding(
                f"atelier_acme_dns_{name}",
                f"is set and not used: {CHALLENGE} is http",
                f"Set {CHALLENGE} to dns-rfc2136 or dns-hook, or remove it.",
                grave=False,
            )


def _key_findings(settings: Settings) -> Iterator[Finding]:
    """Check dynamic DNS updates with a key (RFC 2136, RFC 8945); messages never contain it."""
    server, name = settings["acme_dns_server"], settings["acme_dns_key_name"]
    secret, algorithm = settings["acme_dns_key_secret"], settings["acme_dns_key_algorithm"]
    because = f", and {CHALLENGE} is dns-rfc2136"
    address = "Give the IP address of the DNS server that takes updates of your zone (its primary)."
    if not server:
        yield Finding("atelier_acme_dns_server", f"is not set{because}", address)
    elif not _is_address(server):
        yield Finding("atelier_acme_dns_server", f"is not an IP address ({server})", address)
    port = as_integer(settings["acme_dns_port"])
    if port is None or not 1 <= port <= 65535:
        yield Finding(
            "atelier_acme_dns_port",
            f"is not a port ({settings['acme_dns_port']})",
            "Use a number from 1 to 65535; DNS servers are at 53.",
        )
    known = "Whoever runs the DNS server names it, for example `key atelier-acme {` in named.conf."
    if not name:
        yield Finding("atelier_acme_dns_key_name", f"is not set{because}", known)
    elif not KEY_NAME.fullmatch(str(name)):
        yield Finding("atelier_acme_dns_key_name", f"is not the name of a key ({name})", known)
    yield from _secret_findings(str(secret or ""), because)
    if algorithm not in ALGORITHMS:
        yield Finding(
            "atelier_acme_dns_key_algorithm",
            f"is unknown ({algorithm})",
            f"Use one of: {_all(ALGORITHMS)}.",
        )


def _secret_findings(secret: str, because: str) -> Iterator[Finding]:
    variable = "atelier_acme_dns_key_secret"
    fix = (
        "Put the key in the vault as the DNS server has it, in base64; `tsig-keygen` and"
        " `keymgr -t` make such keys."
    )
    if not secret:
        yield Finding(variable, f"is not set{because}", fix)
        return
    if placeholder(secret):
        yield Finding(variable, "is still the example's value", fix)
        return
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        yield Finding(variable, "is not base64", fix)
        return
    if len(key) < SHORTEST_KEY:
        yield Finding(variable, f"is too short ({len(key)} bytes)", fix)


def _hook_findings(settings: Settings) -> Iterator[Finding]:
    """Check the settings of the command for DNS records; the action plugin checks its file."""
    if not settings["acme_dns_hook"]:
        yield Finding(
            HOOK,
            f"is not set, and {CHALLENGE} is dns-hook",
            "Set it to the path, on the machine that runs Ansible, of a program that writes and"
            " removes DNS records (docs/operations.md, The certificate).",
        )
    yield from _seconds(settings, "acme_dns_hook_seconds", 1)


def hook_findings(path: str, content: bytes) -> Iterator[Finding]:
    """Check the file of the command that writes DNS records.

    Args:
        path: its path on the controller.
        content: its content.
    """
    if not content.startswith((b"#!/", b"\x7fELF")):
        yield Finding(
            HOOK,
            f"is no program ({path})",
            "Begin the script with the line of its interpreter, such as #!/bin/sh.",
        )


def _seconds(settings: Settings, name: str, least: int) -> Iterator[Finding]:
    value = as_integer(settings[name])
    if value is None or not least <= value <= LONGEST_WAIT:
        yield Finding(
            f"atelier_{name}",
            f"is not a number of seconds ({settings[name]})",
            f"Use a number from {least} to {LONGEST_WAIT}.",
        )


def _is_address(value: Any) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True
