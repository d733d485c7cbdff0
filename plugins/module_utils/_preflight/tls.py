# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Checks the certificate of an external GitLab with the server's Python, as hub and desk will."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
)

TIMEOUT_SECONDS = 10


def context_of(authorities: str) -> ssl.SSLContext:
    """Return the TLS context of hub and desk: trusts the system's and the inventory's authorities.

    Args:
        authorities: the inventory's authorities (PEM).
    """
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context


def gitlab_certificate_findings(settings: Settings, context: ssl.SSLContext) -> Iterator[Finding]:
    """Say why hub and desk would refuse the certificate of an external GitLab.

    Addresses that do not answer are not reported here, and those behind a proxy are not checked.
    """
    url = str(settings.get("gitlab_url") or "")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        return
    if (
        settings.get("gitlab_deployment") != "external"
        or settings.get("https_proxy")
        or parts.scheme != "https"
        or not host
    ):
        return
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return
    except ssl.SSLCertVerificationError as error:
        yield Finding(
            "atelier_gitlab_url",
            f"leads to a certificate that hub and desk refuse ({url}: {error.verify_message})",
            "Have its authority in atelier_ca_certificates. One that is there lacks what RFC 5280"
            " asks for, and Python 3.13 and later with it: ask whoever runs it for a new one.",
        )
    except OSError:
        return
