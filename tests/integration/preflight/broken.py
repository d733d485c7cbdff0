"""Inventories with one mistake each, and what is said about it.

A mistake is what differs from `good`; `...` takes a variable out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .conftest import TAKEN_PORT, Files

SECRET = "8c1f0e5b7a2d4936a1b2c3d4e5f60718"
TOO_SHORT = "only-15-letters"


class Mistake(NamedTuple):
    """Variables that differ from a good inventory's, and the words that must be in the message."""

    name: str
    variables: dict[str, Any]
    said: tuple[str, ...]


def good(files: Files) -> dict[str, Any]:
    """Variables of a site that could be installed."""
    return {
        "atelier_domain": "mooc.univ.test",
        "atelier_tls": "files",
        "atelier_tls_certificate": files["good.pem"],
        "atelier_tls_key": files["good.key"],
        "atelier_gitlab_root_password": "Xk3-vvq9.Lm2Wq",
        "atelier_base_image_source": "archive",
        "atelier_base_image_archive": files["image.tar"],
        "atelier_consumers": [consumer()],
        "atelier_courses": [course(files)],
        # The machine that runs the tests may be small.
        "preflight_minimum_memory_mb": 256,
        "preflight_minimum_disk_mb": 256,
    }


def consumer(**changes: Any) -> dict[str, Any]:
    return _changed({"key": "fun", "platform": "fun", "secret": SECRET}, changes)


def course(files: Files, **changes: Any) -> dict[str, Any]:
    plain = {
        "slug": "rr1",
        "title": {"fr": "Recherche", "en": "Research"},
        "repository": files.repository,
    }
    return _changed(plain, changes)


def _changed(plain: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**plain, **changes}.items() if value is not ...}


def mistakes(files: Files) -> list[Mistake]:
    """All of them; each is the only one of its inventory."""

    def consumers(*items: dict[str, Any]) -> dict[str, Any]:
        return {"atelier_consumers": list(items)}

    def courses(**changes: Any) -> dict[str, Any]:
        return {"atelier_courses": [course(files, **changes)]}

    return [
        Mistake(
            "no_domain", {"atelier_domain": ...}, ("atelier_domain is not set", "mooc.example.org")
        ),
        Mistake(
            "address_for_a_domain",
            {"atelier_domain": "https://mooc.univ.test/"},
            ("atelier_domain is not a domain name (https://mooc.univ.test/)", "without https://"),
        ),
        Mistake(
            "one_name_for_two",
            {"atelier_gitlab_host": "hub.mooc.univ.test"},
            ("atelier_gitlab_host is the same as atelier_hub_host", "a name each"),
        ),
        Mistake(
            "unknown_tls",
            {"atelier_tls": "letsencrypt"},
            ("atelier_tls is unknown (letsencrypt)", "files, acme, self_signed"),
        ),
        Mistake(
            "certificate_forgotten",
            {"atelier_tls_certificate": ...},
            ("atelier_tls_certificate is not set, and atelier_tls is files",),
        ),
        Mistake(
            "certificate_elsewhere",
            {"atelier_tls_certificate": "/nowhere/site.pem"},
            ("atelier_tls_certificate leads to no file (/nowhere/site.pem)", "runs Ansible"),
        ),
        Mistake(
            "certificate_of_one_name",
            {"atelier_tls_certificate": files["narrow.pem"]},
            (
                "is not for gitlab.mooc.univ.test (but for hub.mooc.univ.test, *.notebooks",
                "all the site's names",
            ),
        ),
        Mistake(
            "no_certificate_for_notebooks",
            {"atelier_tls_certificate": files["no_wildcard.pem"]},
            (
                "atelier_tls_certificate is not for *.notebooks.mooc.univ.test",
                "`atelier_notebook_origin: shared` leaves all notebooks",
            ),
        ),
        Mistake(
            "acme_for_notebooks",
            {
                "atelier_tls": "acme",
                "atelier_contact_email": "a@univ.test",
                "preflight_acme_public": False,
            },
            (
                "atelier_acme_challenge is http, which gives no wildcard such as *.notebooks.mooc",
                "`atelier_notebook_origin: shared` leaves all notebooks",
            ),
        ),
        Mistake(
            "acme_by_a_command_that_is_none",
            {
                "atelier_tls": "acme",
                "atelier_contact_email": "a@univ.test",
                "preflight_acme_public": False,
                "atelier_acme_challenge": "dns-hook",
                "atelier_acme_dns_hook": files["page.html"],
            },
            ("atelier_acme_dns_hook is no program", "#!/bin/sh"),
        ),
        Mistake(
            "certificate_expired",
            {"atelier_tls_certificate": files["expired.pem"]},
            ("atelier_tls_certificate expired on", "Ask for a new one"),
        ),
        Mistake(
            "key_of_another",
            {"atelier_tls_key": files["other.key"]},
            ("atelier_tls_key is not the key of atelier_tls_certificate",),
        ),
        Mistake(
            "acme_without_address",
            {
                "atelier_tls": "acme",
                "preflight_acme_public": False,
                "atelier_notebook_origin": "shared",
            },
            ("atelier_contact_email is not set, and atelier_tls is acme",),
        ),
        Mistake(
            "acme_for_a_reserved_name",
            {
                "atelier_tls": "acme",
                "atelier_contact_email": "a@univ.test",
                "atelier_notebook_origin": "shared",
            },
            ("atelier_domain ends in test, for which no certificate authority signs",),
        ),
        Mistake(
            "password_of_the_example",
            {"atelier_gitlab_root_password": "change-me"},
            ("atelier_gitlab_root_password is still the example's value", "in the vault"),
        ),
        Mistake(
            "short_password",
            {"atelier_gitlab_root_password": "Sh0rt.1"},
            ("atelier_gitlab_root_password is too short (7 characters)",),
        ),
        Mistake(
            "consumer_without_secret",
            consumers(consumer(secret=...)),
            ("atelier_consumers[0] (fun).secret is not set", "openssl rand -hex 32"),
        ),
        Mistake(
            "short_secret",
            consumers(consumer(secret=TOO_SHORT)),
            ("atelier_consumers[0] (fun).secret is too short (15 characters)", "at least 32"),
        ),
        Mistake(
            "one_key_for_two",
            consumers(consumer(), consumer(secret=SECRET[::-1])),
            ("atelier_consumers has the key fun twice",),
        ),
        Mistake(
            "platform_with_spaces",
            consumers(consumer(platform="FUN MOOC")),
            ("atelier_consumers[0] (fun).platform is not usable (FUN MOOC)",),
        ),
        Mistake(
            "consumer_of_no_course",
            consumers(consumer(courses=["rr2"])),
            (
                "(fun).courses names a course that atelier_courses does not have (rr2)",
                "There are: rr1",
            ),
        ),
        Mistake(
            "two_courses_with_one_slug",
            {"atelier_courses": [course(files), course(files)]},
            ("atelier_courses has two courses with the slug rr1",),
        ),
        Mistake(
            "slug_of_gitlab", courses(slug="api"), ("atelier_courses[0] (api).slug is taken (api)",)
        ),
        Mistake(
            "course_without_source",
            courses(repository=...),
            ("atelier_courses[0] (rr1) has neither repository nor directory",),
        ),
        Mistake(
            "course_directory_empty",
            courses(repository=..., directory=files["empty"]),
            ("atelier_courses[0] (rr1).directory leads to no directory with files",),
        ),
        Mistake(
            "template_that_does_not_exist",
            courses(repository=f"{files.repository}.missing"),
            ("atelier_courses[0] (rr1).repository cannot be read", "not found"),
        ),
        Mistake(
            "branch_that_does_not_exist",
            courses(branch="autumn"),
            ("atelier_courses[0] (rr1).branch is autumn, which", "does not have", "push it"),
        ),
        Mistake(
            "unknown_course_image",
            courses(image={"recipe": "binder"}),
            ("atelier_courses[0] (rr1).image.recipe is unknown (binder)", "Use auto"),
        ),
        Mistake(
            "memory_without_unit",
            courses(memory="2 gigas"),
            ("atelier_courses[0] (rr1).memory is not a size (2 gigas)", "1G"),
        ),
        Mistake(
            "more_memory_than_there_is",
            courses(memory="900T"),
            ("atelier_courses[0] (rr1).memory is more than the server has",),
        ),
        Mistake(
            "misspelt_key", courses(pid=256), ("atelier_courses[0] (rr1).pid is not a key", "pids")
        ),
        Mistake(
            "base_image_forgotten",
            {"atelier_base_image_archive": ...},
            ("atelier_base_image_archive is not set, and atelier_base_image_source is archive",),
        ),
        Mistake(
            "base_image_of_another_kind",
            {"atelier_base_image_archive": files["page.html"]},
            ("atelier_base_image_archive is not an archive", "docker save"),
        ),
        Mistake(
            "external_without_token",
            {"gitlab_deployment": "external", "atelier_gitlab_url": "https://g.univ.test"},
            ("gitlab_admin_token is not set, and gitlab_deployment is external",),
        ),
        Mistake(
            "port_taken",
            {"atelier_https_port": TAKEN_PORT},
            (f"atelier_https_port is {TAKEN_PORT}, a port that python3 (elsewhere.service) holds",),
        ),
        Mistake(
            "authority_that_is_a_page",
            {"atelier_ca_certificates": [files["page.html"]]},
            ("atelier_ca_certificates is not a certificate",),
        ),
        Mistake(
            "proxy_without_scheme",
            {"atelier_https_proxy": "proxy.univ.test:3128"},
            ("atelier_https_proxy is not the address of a proxy", "http://proxy"),
        ),
        Mistake(
            "other_system",
            {"preflight_systems": ["debian 99"]},
            ("The server's operating system is debian 13, which is not supported", "debian 99"),
        ),
        Mistake(
            "too_little_memory",
            {"preflight_minimum_memory_mb": 10**8},
            ("MB of memory; GitLab and the hub need at least 100000000",),
        ),
    ]
