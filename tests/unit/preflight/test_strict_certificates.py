"""What Python 3.13 refuses in certificates: the preflight says the same, beforehand."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.errors import (
    GitLabUnavailableError,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.spaces import (
    classify,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.certificates import (
    issuers,
    strict_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.server import strictly
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.tls import (
    context_of,
    gitlab_certificate_findings,
)
from kit.certificates import Authority, signed_by_itself

HOST = "gitlab.campus.example"


def handshake(authority: Path, certificate: Path, *, strict: bool) -> str:
    """How a client of that authority takes a server; empty: it accepts it."""
    client = ssl.create_default_context(cafile=str(authority))
    client.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if strict:
        client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=HOST)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                if side is near:
                    return str(error)
                raise
    return ""


@pytest.mark.parametrize("key_usage", [True, False])
@pytest.mark.parametrize("identifiers", [True, False])
@pytest.mark.parametrize("critical", [True, False])
def test_it_says_what_openssl_says(
    tmp_path: Path, key_usage: bool, identifiers: bool, critical: bool
) -> None:
    authority = Authority(tmp_path, key_usage=key_usage, identifiers=identifiers, critical=critical)
    site = authority.sign(HOST)
    assert handshake(authority.file, site, strict=False) == "", "git and curl accept it"
    refused = handshake(authority.file, site, strict=True)
    leaf = site.read_bytes().split(b"-----BEGIN PRIVATE")[0]
    found = [
        *strict_findings("atelier_ca_certificates", "ca.pem", authority.file.read_bytes()),
        *strict_findings("atelier_tls_certificate", "site.pem", leaf),
    ]
    assert bool(refused) == bool(found), (refused, found)


def test_a_certificate_that_nobody_else_signed_is_no_authority(tmp_path: Path) -> None:
    """One that a site signed itself may lack it all, where it is trusted as it is."""
    alone = signed_by_itself(tmp_path, HOST)
    assert handshake(alone, alone, strict=True) == ""
    leaf = alone.read_bytes().split(b"-----BEGIN PRIVATE")[0]
    assert list(strict_findings("atelier_tls_certificate", "site.pem", leaf)) == []


def test_the_authority_and_the_way_out_are_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path, key_usage=False)
    (found,) = strict_findings("atelier_ca_certificates", "ca.pem", authority.file.read_bytes())
    assert found.variable == "atelier_ca_certificates"
    assert "CN=tests' authority ca" in found.problem
    assert "lacks keyUsage" in found.problem
    assert "(ca.pem)" in found.problem
    assert "signed again" in found.fix
    assert list(strict_findings("v", "x", b"<html>")) == [], "that is told elsewhere"


def test_an_authority_is_grave_where_it_signed_the_site_s_certificate(tmp_path: Path) -> None:
    """One that vouches for a proxy, say, leaves a site that works."""
    authority = Authority(tmp_path, key_usage=False)
    content = authority.file.read_bytes()
    signers = issuers(authority.sign(HOST).read_bytes().split(b"-----BEGIN PRIVATE")[0])
    (found,) = strict_findings("atelier_ca_certificates", "ca.pem", content, signers)
    assert found.grave
    (found,) = strict_findings("atelier_ca_certificates", "ca.pem", content, issuers(b"nothing"))
    assert not found.grave


@pytest.mark.parametrize(
    ("version", "grave"), [((3, 11, 2), False), ((3, 13, 0), True), ((3, 14, 1), True)]
)
def test_it_is_grave_where_the_server_s_python_is_strict(
    version: tuple[int, ...], grave: bool
) -> None:
    one = {"variable": "v", "problem": "p", "fix": "f"}
    found, advice = strictly([{**one, "grave": True}, {**one, "grave": False}], version)
    assert found.grave is grave
    assert not advice.grave


def test_the_desk_says_which_rule_is_broken() -> None:
    error = requests.exceptions.SSLError(
        "HTTPSConnectionPool(host='g', port=443): Max retries exceeded with url: /api (Caused by"
        " SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify"
        " failed: CA cert does not include key usage extension (_ssl.c:1032)')))"
    )
    ours = classify(error, "preparing a space")
    assert isinstance(ours, GitLabUnavailableError)
    assert "CA cert does not include key usage extension" in str(ours)
    assert "atelier_ca_certificates" in str(ours)
    assert "SSLError" in str(classify(requests.exceptions.SSLError("EOF"), "x"))


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A GitLab elsewhere, whose authority has no keyUsage: its address, and that authority."""
    authority = Authority(tmp_path, key_usage=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.sign("localhost"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://localhost:{server.server_address[1]}", authority.file.read_text()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("strict", "known", "said"),
    [
        (False, True, ""),
        (True, True, "key usage"),
        (False, False, "certificate"),
    ],
)
def test_a_gitlab_elsewhere_is_asked_as_the_desk_will(
    gitlab: tuple[str, str], strict: bool, known: bool, said: str
) -> None:
    url, authority = gitlab
    context = context_of(authority if known else "")
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    settings = {"gitlab_deployment": "external", "gitlab_url": url, "https_proxy": ""}
    found = list(gitlab_certificate_findings(settings, context))
    assert bool(found) == bool(said)
    for one in found:
        assert one.grave
        assert said in one.problem
        assert url in one.problem


@pytest.mark.parametrize(
    "settings",
    [
        {"gitlab_deployment": "omnibus", "gitlab_url": "https://localhost:1"},
        {"gitlab_deployment": "external", "gitlab_url": "https://localhost:1"},
        {"gitlab_deployment": "external", "gitlab_url": "https://["},
        {"gitlab_deployment": "external", "gitlab_url": ""},
    ],
)
def test_what_cannot_be_asked_is_no_finding(settings: dict[str, str]) -> None:
    assert list(gitlab_certificate_findings(settings, context_of(""))) == []
