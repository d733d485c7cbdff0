"""Preflight rules for the host names of learners' servers, which need DNS and a certificate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
    is_name,
)

ORIGINS = ("learner", "shared")
# RFC 2606 and RFC 6761: not in DNS; browsers and tests resolve them in other ways.
NOT_IN_DNS = ("localhost", "test", "invalid", "example.org", "example.com", "example.net")
PROBE = "uaaaaaaaaaaaaaaaa"
"""An arbitrary username, to look up its host name."""
ORIGIN, DOMAIN = "atelier_notebook_origin", "atelier_notebook_domain"
CERTIFICATE = "atelier_notebook_tls_certificate"
AS_IT_WAS = (
    "Without it, the line `atelier_notebook_origin: shared` leaves all notebooks at the hub's"
    " address as before, where a learner's notebook may act for whoever opens it"
    " (docs/security.md)."
)


def has_own_hosts(settings: Settings) -> bool:
    """Return whether learners' servers get separate host names, in a valid domain."""
    return bool(settings["notebook_origin"] == "learner" and is_name(settings["notebook_domain"]))


def wildcard(settings: Settings) -> str:
    """Return the wildcard name for all learners' hosts."""
    return f"*.{settings['notebook_domain']}"


def notebook_findings(settings: Settings) -> Iterator[Finding]:
    """Apply the rules that need only the settings."""
    origin, domain = settings["notebook_origin"], settings["notebook_domain"]
    if origin not in ORIGINS:
        yield Finding(ORIGIN, f"is unknown ({origin})", f"Use one of: {', '.join(ORIGINS)}.")
        return
    if origin == "shared":
        yield Finding(
            ORIGIN,
            "is shared, so that what a learner puts into a notebook may act for whoever opens it:"
            " read their files, run their code, send forms as them, teachers included",
            "Have a wildcard name and certificate made, then remove the line (docs/security.md).",
            grave=False,
        )
        return
    if not is_name(domain):
        if domain != f"notebooks.{settings['domain'] or ''}":  # else atelier_domain is reported
            yield Finding(
                DOMAIN,
                f"is not a domain name ({domain})",
                "Use a full name in lower case, such as notebooks.mooc.example.org.",
            )
        return
    hosts = [str(settings[name]) for name in ("hub_host", "gitlab_host")]
    within = [host for host in hosts if f".{host}".endswith(f".{domain}")]
    if within:
        yield Finding(
            DOMAIN,
            f"holds the name of another site ({', '.join(within)})",
            "Use a domain for notebooks alone, such as notebooks.mooc.example.org.",
        )
    if bool(settings["notebook_tls_certificate"]) != bool(settings["notebook_tls_key"]):
        yield Finding(
            CERTIFICATE,
            "and atelier_notebook_tls_key are not set both",
            "Give the certificate and its key.",
        )
    if (
        settings["tls"] == "acme"
        and settings["acme_challenge"] == "http"
        and not settings["notebook_tls_certificate"]
    ):
        yield Finding(
            "atelier_acme_challenge",
            f"is http, which gives no wildcard such as {wildcard(settings)}",
            "Set it to dns-rfc2136 (a key for your DNS server) or dns-hook (a command of yours; see"
            " docs/configuration.md), or give a certificate for it in"
            f" atelier_notebook_tls_certificate and atelier_notebook_tls_key. {AS_IT_WAS}",
        )


def names_to_look_up(settings: Settings) -> list[str]:
    """Return the names to look up: a learner's and the hub's; empty for names outside DNS."""
    if not has_own_hosts(settings) or not is_name(settings["hub_host"]):
        return []
    domain = f".{settings['notebook_domain']}"
    if any(domain.endswith(f".{ending}") for ending in NOT_IN_DNS):
        return []
    return [f"{PROBE}{domain}", str(settings["hub_host"])]


def address_findings(
    settings: Settings,
    here: Mapping[str, Sequence[str]],
    there: Mapping[str, Sequence[str]],
    installed: bool,
) -> Iterator[Finding]:
    """Check the DNS records of learners' host names.

    Args:
        settings: the variables of role preflight, without their prefix.
        here: addresses of the names of `names_to_look_up` as the controller resolves them.
        there: the same for the server, whose names may be in its /etc/hosts.
        installed: whether a site is already installed on this server.
    """
    names = names_to_look_up(settings)
    if not names:
        return
    learner, hub = names
    if not here.get(learner) and not there.get(learner):
        yield Finding(
            DOMAIN,
            f"has no wildcard name: {wildcard(settings)} leads nowhere",
            f"Add {wildcard(settings)} to your DNS, with the addresses of {hub}. {AS_IT_WAS}",
            # A new site may not have any DNS records yet.
            grave=installed or bool(here.get(hub)),
        )
    elif here.get(learner) and here.get(hub) and not set(here[learner]) & set(here[hub]):
        yield Finding(
            DOMAIN,
            f"leads elsewhere: {wildcard(settings)} to {', '.join(sorted(here[learner]))}, and"
            f" {hub} to {', '.join(sorted(here[hub]))}",
            f"Have both lead to this server. {AS_IT_WAS}",
        )
