"""Preflight rules for the site as a whole: names, ports, TLS, proxy, GitLab, images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.acme import acme_findings
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    EMAIL,
    Finding,
    Settings,
    dictionaries,
    duplicates,
    is_name,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.network import (
    learners_network_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.notebooks import (
    notebook_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    private_host_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.consumer import (
    placeholder,
    repetitive,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import as_integer

TLS = ("files", "acme", "self_signed")
HOMES = ("auto", "image", "none")
BASE_SOURCES = ("registry", "archive", "debootstrap")
IMAGE = re.compile(
    r"(?:[a-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
GITLAB_PASSWORD_LENGTH = 12


def site_findings(settings: Settings) -> Iterator[Finding]:
    """Apply every rule of this file.

    Args:
        settings: the variables of role preflight, without their prefix.
    """
    yield from name_findings(settings)
    yield from port_findings(settings)
    yield from tls_findings(settings)
    yield from notebook_findings(settings)
    yield from proxy_findings(settings)
    yield from learners_network_findings(settings)
    yield from gitlab_findings(settings)
    yield from image_findings(settings)
    yield from home_findings(settings)


def home_findings(settings: Settings) -> Iterator[Finding]:
    """Check the settings for the place and the limits of learners' homes."""
    homes, directory = settings["homes"], settings["homes_directory"]
    if homes not in HOMES:
        yield Finding("atelier_homes", f"is unknown ({homes})", f"Use one of: {', '.join(HOMES)}.")
    elif homes == "none":
        yield Finding(
            "atelier_homes",
            "is none, so that what learners keep has no limit: one can fill the disk for"
            " everybody, GitLab and the hub included",
            "Remove the line: each home then moves into an image of its own at its next start.",
            grave=False,
        )
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", str(directory)) or ".." in str(directory):
        yield Finding(
            "atelier_homes_directory",
            f"is not the path of a folder of its own ({directory})",
            "Use an absolute path of letters, digits, dots, hyphens and underscores, such as"
            " /srv/atelier/homes.",
        )


def name_findings(settings: Settings) -> Iterator[Finding]:
    """Check domain and host names."""
    domain = settings["domain"]
    if not domain:
        yield Finding(
            "atelier_domain",
            "is not set",
            "Set it to the site's domain, for example atelier_domain: mooc.example.org.",
        )
        return
    if not is_name(domain):
        yield Finding(
            "atelier_domain",
            f"is not a domain name ({domain})",
            "Use a full name in lower case, without https:// and without a port, such as"
            " mooc.example.org.",
        )
        return
    hosts = {"atelier_hub_host": settings["hub_host"]}
    if settings["gitlab_deployment"] != "external":
        hosts["atelier_gitlab_host"] = settings["gitlab_host"]
    for variable, host in hosts.items():
        if not is_name(host):
            yield Finding(
                variable,
                f"is not a host name ({host})",
                "Use a full name in lower case, without https:// and without a port.",
            )
    if settings["hub_host"] == settings["gitlab_host"]:
        yield Finding(
            "atelier_gitlab_host",
            f"is the same as atelier_hub_host ({settings['hub_host']})",
            "Give the hub and GitLab a name each: notebooks run their authors' JavaScript, which"
            " must not share an origin with GitLab.",
        )
    yield from extra_site_findings(settings)
    yield from platform_origin_findings(settings)
    yield from private_host_findings(settings)


def extra_site_findings(settings: Settings) -> Iterator[Finding]:
    """Check `nginx_extra_sites`."""
    example = "[{name: lms.example.org, upstream: 127.0.0.1:8010}]"
    sites, findings = dictionaries(settings["extra_sites"], "nginx_extra_sites", example)
    yield from findings
    for variable, site in sites:
        if not is_name(site.get("name")):
            yield Finding(f"{variable}.name", "is not a host name", f"Example: {example}")
        if not re.fullmatch(r"[A-Za-z0-9.\[\]:-]+:[0-9]{1,5}", str(site.get("upstream", ""))):
            yield Finding(
                f"{variable}.upstream", "is not an address and a port", f"Example: {example}"
            )
    names = [settings["hub_host"], settings["gitlab_host"]]
    for name in duplicates([*map(str, names), *(str(site.get("name")) for _, site in sites)]):
        if name != settings["hub_host"] or settings["hub_host"] != settings["gitlab_host"]:
            yield Finding(
                "nginx_extra_sites", f"uses a name twice ({name})", "Give each site its own name."
            )


def platform_origin_findings(settings: Settings) -> Iterator[Finding]:
    """Check `atelier_platform_origins`: origins as browsers write them (RFC 6454)."""
    variable, example = "atelier_platform_origins", "[https://lms.example.org]"
    origins = settings["platform_origins"]
    if not isinstance(origins, (list, tuple)):
        yield Finding(variable, "is not a list", f"Write it as a list: {example}")
        return
    for number, origin in enumerate(origins):
        host, _, port = str(origin).removeprefix("https://").partition(":")
        plausible = is_name(host) and (not port or 1 <= (as_integer(port) or 0) <= 65535)
        if not str(origin).startswith("https://") or not plausible:
            yield Finding(
                f"{variable}[{number}]",
                f"is not the origin of a page ({origin})",
                "Write scheme and host as the address of the course page begins, with nothing after"
                f" them: {example}. Frames are for pages over https: browsers take no cookies in"
                " others.",
            )
    for origin in duplicates(map(str, origins)):
        yield Finding(variable, f"names {origin} twice", "Remove one.")


def port_findings(settings: Settings) -> Iterator[Finding]:
    """Check the two ports of the site."""
    ports = {name: as_integer(settings[name]) for name in ("http_port", "https_port")}
    for name, port in ports.items():
        if port is None or not 1 <= port <= 65535:
            yield Finding(
                f"atelier_{name}",
                f"is not a port ({settings[name]})",
                "Use a number from 1 to 65535.",
            )
    if ports["http_port"] is not None and ports["http_port"] == ports["https_port"]:
        yield Finding(
            "atelier_http_port",
            f"is the same as atelier_https_port ({ports['http_port']})",
            "Give http and https a port each: 80 and 443 unless something else must have them.",
        )


def tls_findings(settings: Settings) -> Iterator[Finding]:
    """Check the source of certificates; the action plugin checks the files."""
    mode, email = settings["tls"], settings["contact_email"]
    if mode not in TLS:
        yield Finding("atelier_tls", f"is unknown ({mode})", f"Use one of: {', '.join(TLS)}.")
    if email and not EMAIL.fullmatch(str(email)):
        yield Finding(
            "atelier_contact_email", f"is not an e-mail address ({email})", "Correct or remove it."
        )
    if mode == "files":
        for name, what in (("certificate", "certificate, followed by its chain"), ("key", "key")):
            if not settings[f"tls_{name}"]:
                yield Finding(
                    f"atelier_tls_{name}",
                    "is not set, and atelier_tls is files",
                    f"Set it to the path, on the machine that runs Ansible, of the PEM file of the"
                    f" {what}.",
                )
    if mode == "acme":
        yield from acme_findings(settings)


def proxy_findings(settings: Settings) -> Iterator[Finding]:
    """Check the institution's outgoing proxy."""
    for name in ("http_proxy", "https_proxy"):
        value = settings[name]
        if value and not is_web_address(value):
            yield Finding(
                f"atelier_{name}",
                "is not the address of a proxy",
                "Write it as http://proxy.example.org:3128, whatever the name of the variable.",
            )


def is_web_address(value: Any) -> bool:
    """Return whether the value is an http(s) address with a host and, if any, a valid port."""
    try:
        parts = urlsplit(str(value))
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def gitlab_findings(settings: Settings) -> Iterator[Finding]:
    """Check the settings for GitLab, installed by this collection or by the institution."""
    deployment = settings["gitlab_deployment"]
    if deployment == "omnibus":
        yield from password_findings(settings)
    elif deployment == "external":
        yield from external_findings(settings)
    else:
        yield Finding("gitlab_deployment", f"is unknown ({deployment})", "Use omnibus or external.")


def password_findings(settings: Settings) -> Iterator[Finding]:
    """Check the initial password of GitLab's administrator; messages never contain it."""
    variable, value = "atelier_gitlab_root_password", str(settings["gitlab_root_password"] or "")
    fix = (
        f"Put at least {GITLAB_PASSWORD_LENGTH} characters in the vault, for example what"
        " `openssl rand -base64 24` prints."
    )
    domain = str(settings["domain"] or "").split(".")[0].lower()
    if not value:
        yield Finding(variable, "is not set", fix)
    elif placeholder(value):
        yield Finding(variable, "is still the example's value", fix)
    elif len(value) < GITLAB_PASSWORD_LENGTH:
        yield Finding(variable, f"is too short ({len(value)} characters)", fix)
    elif repetitive(value) or value.lower() in {f"gitlab{domain}", f"{domain}gitlab"}:
        yield Finding(variable, "is too easy to guess", fix)


def external_findings(settings: Settings) -> Iterator[Finding]:
    """Check the settings for a GitLab that the institution already has."""
    url, token = settings["gitlab_url"], str(settings["gitlab_admin_token"] or "")
    if not url:
        yield Finding(
            "atelier_gitlab_url",
            "is not set, and gitlab_deployment is external",
            "Set it to the address of your GitLab, for example https://gitlab.example.org.",
        )
    elif not is_web_address(url) or str(url).endswith("/") or not str(url).startswith("https://"):
        yield Finding(
            "atelier_gitlab_url",
            f"is not usable ({url})",
            "Write it as https://gitlab.example.org, without a slash at the end.",
        )
    if not token or placeholder(token) or re.search(r"\s", token):
        state = "is not usable" if token else "is not set"
        yield Finding(
            "gitlab_admin_token",
            f"{state}, and gitlab_deployment is external",
            "Make a personal access token of an administrator, scopes api and write_repository, and"
            " put it in the vault.",
        )


def image_findings(settings: Settings) -> Iterator[Finding]:
    """Check the base image of course images, and GitLab's image."""
    source = settings["base_image_source"]
    if source not in BASE_SOURCES:
        yield Finding(
            "atelier_base_image_source",
            f"is unknown ({source})",
            f"Use one of: {', '.join(BASE_SOURCES)}.",
        )
    if source == "archive" and not settings["base_image_archive"]:
        yield Finding(
            "atelier_base_image_archive",
            "is not set, and atelier_base_image_source is archive",
            "Set it to the path, on the machine that runs Ansible, of a file made by"
            " `docker save`.",
        )
    images = {"atelier_base_image": settings["base_image"]}
    if settings["gitlab_deployment"] == "omnibus":
        images["gitlab_image"] = settings["gitlab_image"]
    pulled = {
        "atelier_base_image": source == "registry",
        "gitlab_image": not settings.get("gitlab_image_archive"),
    }
    for variable, image in images.items():
        if image and not IMAGE.fullmatch(str(image)):
            yield Finding(
                variable, f"is not the name of an image ({image})", "Example: debian:13-slim."
            )
        elif pulled[variable] and "@sha256:" not in str(image):
            yield Finding(
                variable,
                f"names an image by its tag alone ({image or 'the default'}): what a registry gives"
                " under that name can change",
                "Add the digest of the one that you have tried: name:tag@sha256:...; docker image"
                " inspect --format '{{.RepoDigests}}' shows it.",
                grave=False,
            )
