"""Rules about the site's settings: mistakes are named with their variable, good settings pass."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    is_name,
    report,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.site import site_findings
from ansible_collections.mooc.atelier.plugins.module_utils._schema.consumer import placeholder

DIGEST = f"sha256:{'0' * 64}"
GOOD: dict[str, Any] = {
    "domain": "mooc.univ.fr",
    "hub_host": "hub.mooc.univ.fr",
    "gitlab_host": "gitlab.mooc.univ.fr",
    "http_port": 80,
    "https_port": 443,
    "extra_sites": [],
    "tls": "acme",
    "acme_public": True,
    "acme_challenge": "http",
    "acme_dns_server": "",
    "acme_dns_port": 53,
    "acme_dns_key_name": "",
    "acme_dns_key_secret": "",
    "acme_dns_key_algorithm": "hmac-sha256",
    "acme_dns_hook": "",
    "acme_dns_hook_seconds": 120,
    "acme_dns_wait_seconds": 60,
    "tls_certificate": "",
    "tls_key": "",
    "notebook_origin": "learner",
    "notebook_domain": "notebooks.mooc.univ.fr",
    "notebook_tls_certificate": "wildcard.pem",
    "notebook_tls_key": "wildcard.key",
    "contact_email": "mooc@univ.fr",
    "platform_origins": [],
    "http_proxy": "",
    "https_proxy": "",
    "gitlab_deployment": "omnibus",
    "gitlab_url": "",
    "gitlab_root_password": "Xk3-vvq9.Lm2Wq",
    "gitlab_admin_token": "",
    "gitlab_image": f"gitlab/gitlab-ce:19.3.3-ce.0@{DIGEST}",
    "gitlab_image_archive": "",
    "homes": "auto",
    "homes_directory": "/srv/atelier/homes",
    "base_image": f"debian:13-slim@{DIGEST}",
    "base_image_source": "registry",
    "base_image_archive": "",
}


def grave(**changes: Any) -> list[str]:
    return [finding.variable for finding in site_findings({**GOOD, **changes}) if finding.grave]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"http_port": "80", "https_port": "8443"},
        {"homes": "none", "homes_directory": "/homes"},
        {"tls": "self_signed", "domain": "atelier.localhost", "hub_host": "hub.atelier.localhost"},
        {"tls": "files", "tls_certificate": "a.pem", "tls_key": "k.pem", "contact_email": ""},
        {"https_proxy": "http://user:pw@proxy.univ.fr:3128"},
        {"extra_sites": [{"name": "lms.univ.fr", "upstream": "172.17.0.1:8800"}]},
        {"gitlab_deployment": "external", "gitlab_root_password": "",
         "gitlab_url": "https://g.univ.fr", "gitlab_admin_token": "glpat-0123456789abcdefghij"},
        {"base_image_source": "archive", "base_image_archive": "debian.tar"},
        {"gitlab_image": "registry.univ.fr:5000/mirror/gitlab-ce:19.3.3-ce.0"},
        {"gitlab_image": ""},
        {"notebook_domain": "notebooks-mooc.univ.fr"},
        {"notebook_origin": "shared", "notebook_tls_certificate": "", "notebook_tls_key": ""},
        {"platform_origins": ["https://lms.univ.fr", "https://apps.lms.univ.fr:8443"]},
        {"domain": "mooc.example.org", "hub_host": "hub.mooc.example.org", "acme_public": False},
    ],
)  # fmt: skip
def test_good_settings_pass(changes: dict[str, Any]) -> None:
    assert grave(**changes) == []


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"domain": ""}, "atelier_domain"),
        ({"domain": "https://mooc.univ.fr"}, "atelier_domain"),
        ({"domain": "localhost"}, "atelier_domain"),
        ({"domain": "10.0.0.1"}, "atelier_domain"),
        ({"domain": None}, "atelier_domain"),
        ({"domain": "mooc.example.org", "hub_host": "hub.mooc.example.org"}, "atelier_domain"),
        ({"hub_host": "hub.atelier.localhost"}, "atelier_domain"),
        ({"hub_host": "hub_1.univ.fr"}, "atelier_hub_host"),
        ({"gitlab_host": "gitlab.univ.fr/gitlab"}, "atelier_gitlab_host"),
        ({"gitlab_host": "hub.mooc.univ.fr"}, "atelier_gitlab_host"),
        ({"http_port": 443}, "atelier_http_port"),
        ({"homes": "quota"}, "atelier_homes"),
        ({"homes_directory": "srv/homes"}, "atelier_homes_directory"),
        ({"homes_directory": "/srv/my homes"}, "atelier_homes_directory"),
        ({"homes_directory": "/srv/../etc"}, "atelier_homes_directory"),
        ({"homes_directory": "/"}, "atelier_homes_directory"),
        ({"homes_directory": None}, "atelier_homes_directory"),
        ({"platform_origins": "https://lms.univ.fr"}, "atelier_platform_origins"),
        ({"platform_origins": ["lms.univ.fr"]}, "atelier_platform_origins[0]"),
        ({"platform_origins": ["http://lms.univ.fr"]}, "atelier_platform_origins[0]"),
        ({"platform_origins": ["https://lms.univ.fr/"]}, "atelier_platform_origins[0]"),
        ({"platform_origins": ["https://*.univ.fr"]}, "atelier_platform_origins[0]"),
        ({"platform_origins": ["https://lms.univ.fr", "*"]}, "atelier_platform_origins[1]"),
        ({"platform_origins": ["https://lms.univ.fr; x"]}, "atelier_platform_origins[0]"),
        ({"platform_origins": ["https://lms.univ.fr:0"]}, "atelier_platform_origins[0]"),
        ({"platform_origins": ["https://lms.univ.fr"] * 2}, "atelier_platform_origins"),
        ({"https_port": "many"}, "atelier_https_port"),
        ({"https_port": 70000}, "atelier_https_port"),
        ({"https_port": True}, "atelier_https_port"),
        ({"tls": "letsencrypt"}, "atelier_tls"),
        ({"tls": "files", "tls_key": "k"}, "atelier_tls_certificate"),
        ({"tls": "files", "tls_certificate": "c"}, "atelier_tls_key"),
        ({"notebook_origin": "each"}, "atelier_notebook_origin"),
        ({"notebook_domain": "notebooks"}, "atelier_notebook_domain"),
        ({"notebook_domain": "mooc.univ.fr"}, "atelier_notebook_domain"),
        ({"notebook_domain": "hub.mooc.univ.fr"}, "atelier_notebook_domain"),
        ({"notebook_tls_key": ""}, "atelier_notebook_tls_certificate"),
        ({"notebook_tls_certificate": "", "notebook_tls_key": ""}, "atelier_acme_challenge"),
        ({"contact_email": ""}, "atelier_contact_email"),
        ({"contact_email": "mooc at univ.fr"}, "atelier_contact_email"),
        ({"https_proxy": "proxy.univ.fr:3128"}, "atelier_https_proxy"),
        ({"http_proxy": "http://proxy:port"}, "atelier_http_proxy"),
        ({"extra_sites": "lms"}, "nginx_extra_sites"),
        ({"extra_sites": [{"name": "lms", "upstream": "a:1"}]}, "nginx_extra_sites[0].name"),
        ({"extra_sites": [{"name": "l.univ.fr", "upstream": "http://a:1"}]},
         "nginx_extra_sites[0].upstream"),
        ({"extra_sites": [{"name": "hub.mooc.univ.fr", "upstream": "a:1"}]}, "nginx_extra_sites"),
        ({"gitlab_deployment": "cloud"}, "gitlab_deployment"),
        ({"gitlab_root_password": ""}, "atelier_gitlab_root_password"),
        ({"gitlab_root_password": "Short-1"}, "atelier_gitlab_root_password"),
        ({"gitlab_root_password": "change-me"}, "atelier_gitlab_root_password"),
        ({"gitlab_root_password": "changeme12345678"}, "atelier_gitlab_root_password"),
        ({"gitlab_root_password": "aaaaaaaaaaaaaaaa"}, "atelier_gitlab_root_password"),
        ({"gitlab_deployment": "external", "gitlab_admin_token": "t0k3n-abc"},
         "atelier_gitlab_url"),
        ({"gitlab_deployment": "external", "gitlab_url": "https://g.univ.fr"},
         "gitlab_admin_token"),
        ({"gitlab_deployment": "external", "gitlab_url": "https://g.univ.fr/",
          "gitlab_admin_token": "t0k3n-abc"}, "atelier_gitlab_url"),
        ({"base_image_source": "docker"}, "atelier_base_image_source"),
        ({"base_image_source": "archive"}, "atelier_base_image_archive"),
        ({"base_image": "Debian 13"}, "atelier_base_image"),
        ({"gitlab_image": "gitlab/gitlab-ce:"}, "gitlab_image"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(changes: dict[str, Any], variable: str) -> None:
    assert grave(**changes) == [variable]


def test_port_80_elsewhere_is_only_advice() -> None:
    advice = [finding.variable for finding in site_findings({**GOOD, "http_port": 8080})]
    assert advice == ["atelier_http_port"]
    assert grave(http_port=8080) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, []),
        ({"base_image": "debian:13-slim"}, ["atelier_base_image"]),
        ({"base_image": f"registry.univ.fr:5000/debian@{DIGEST}"}, []),
        ({"base_image": "debian:13-slim", "base_image_source": "debootstrap"}, []),
        ({"gitlab_image": "gitlab/gitlab-ce:19.3.3-ce.0"}, ["gitlab_image"]),
        ({"gitlab_image": ""}, ["gitlab_image"]),
        ({"gitlab_image": "gitlab/gitlab-ce:19.3.3-ce.0", "gitlab_image_archive": "g.tar"}, []),
        ({"gitlab_image": "", "gitlab_deployment": "external", "gitlab_url": "https://g.univ.fr",
          "gitlab_admin_token": "glpat-0123456789abcdefghij"}, []),
    ],
)  # fmt: skip
def test_an_image_by_its_tag_alone_is_advised_against(
    changes: dict[str, Any], named: list[str]
) -> None:
    found = list(site_findings({**GOOD, **changes}))
    assert [finding.variable for finding in found] == named
    assert all("by its tag alone" in finding.problem for finding in found)
    assert not any(finding.grave for finding in found)


def test_secrets_are_never_quoted() -> None:
    found = site_findings({**GOOD, "gitlab_root_password": "Sh0rt-pw"})
    assert "Sh0rt-pw" not in report(found)


@pytest.mark.parametrize(
    "value",
    ["changeme", "CHANGE-ME", "change_me!", "password123", "secret", "replace me", "xxxxxx"],
)
def test_placeholders_are_recognised(value: str) -> None:
    assert placeholder(value)


@pytest.mark.parametrize(
    "value", ["secretary-of-state-9", "a-password-nobody-knows-42", "testament"]
)
def test_sentences_with_such_words_are_not_placeholders(value: str) -> None:
    assert not placeholder(value)


@pytest.mark.parametrize("value", ["a.b", "xn--nxasmq6b.fr", "a" * 63 + ".fr"])
def test_names_that_exist(value: str) -> None:
    assert is_name(value)


@pytest.mark.parametrize(
    "value", ["a..b", "-a.fr", "a-.fr", "a" * 64 + ".fr", "a.fr.", "a.fr:443", 7]
)
def test_names_that_cannot_exist(value: Any) -> None:
    assert not is_name(value)


def test_report_counts_what_is_grave() -> None:
    one = Finding("a", "is wrong", "Put it right.")
    advice = Finding("b", "is so so", "Do better.", grave=False)
    assert report([]) == report([advice]) == ""
    assert report([one, advice]).splitlines() == [
        "1 thing has to be put right. Nothing has been changed on the server.",
        "",
        "  1. a is wrong.",
        "     Put it right.",
    ]
    assert report([one, one]).startswith("2 things have")
