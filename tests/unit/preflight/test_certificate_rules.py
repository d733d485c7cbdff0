"""Rules about certificate files, with real ones made on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.certificates import (
    ALL_NAMES,
    authority_findings,
    site_certificate_findings,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NAMES = ["hub.mooc.univ.fr", "gitlab.mooc.univ.fr"]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    *names: str,
    key: Key = KEY,
    starts: int = -10,
    ends: int = 90,
    authority: bool | None = False,
) -> bytes:
    """Return a certificate signed by another authority; days count from NOW."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Site")])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=starts))
        .not_valid_after(NOW + timedelta(days=ends))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    if authority is not None:
        constraints = x509.BasicConstraints(ca=authority, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
    return builder.sign(AUTHORITY_KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


def pem(key: Key, passphrase: bytes | None = None) -> bytes:
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


CHAIN = certificate(authority=True, key=AUTHORITY_KEY)


def problems(site: bytes, key: bytes = pem(KEY)) -> list[str]:
    found = site_certificate_findings(site, key, {ALL_NAMES: NAMES}, NOW)
    return [f"{finding.variable} {finding.problem}" for finding in found]


@pytest.mark.parametrize("names", [NAMES, ["*.mooc.univ.fr"], [name.upper() for name in NAMES]])
def test_good_certificates_pass(names: list[str]) -> None:
    assert problems(certificate(*names) + CHAIN) == []


def test_names_must_match() -> None:
    assert problems(certificate("hub.mooc.univ.fr") + CHAIN) == [
        "atelier_tls_certificate is not for gitlab.mooc.univ.fr (but for hub.mooc.univ.fr)"
    ]
    assert problems(certificate("*.univ.fr") + CHAIN) == [
        "atelier_tls_certificate is not for hub.mooc.univ.fr, gitlab.mooc.univ.fr"
        " (but for *.univ.fr)"
    ]
    assert "(but for no name)" in problems(certificate() + CHAIN)[0]


def test_dates_must_be_right() -> None:
    assert problems(certificate(*NAMES, ends=-1) + CHAIN) == [
        "atelier_tls_certificate expired on 2026-11-20"
    ]
    assert problems(certificate(*NAMES, starts=5) + CHAIN) == [
        "atelier_tls_certificate is valid from 2026-11-26 only"
    ]
    assert problems(certificate(*NAMES, ends=10) + CHAIN) == [
        "atelier_tls_certificate expires on 2026-12-01"
    ]


def test_the_key_must_be_the_certificates() -> None:
    other = pem(ec.generate_private_key(ec.SECP256R1()))
    assert problems(certificate(*NAMES) + CHAIN, other) == [
        "atelier_tls_key is not the key of atelier_tls_certificate"
    ]


def test_the_key_must_be_usable() -> None:
    site = certificate(*NAMES) + CHAIN
    assert problems(site, pem(KEY, b"passphrase"))[0].startswith("atelier_tls_key has a passphrase")
    assert problems(site, b"nothing") == ["atelier_tls_key is not a private key"]
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the weakness is what is tested
    assert problems(certificate(*NAMES, key=weak) + CHAIN, pem(weak)) == [
        "atelier_tls_key is too weak (RSA, 1024 bits)"
    ]


def test_other_files_are_not_certificates() -> None:
    assert problems(pem(KEY)) == ["atelier_tls_certificate is not a certificate"]


def test_a_missing_chain_is_only_advice() -> None:
    (finding,) = site_certificate_findings(certificate(*NAMES), pem(KEY), {ALL_NAMES: NAMES}, NOW)
    assert not finding.grave
    assert "chain" in finding.problem


@pytest.mark.parametrize("authority", [True, None])
def test_authorities_pass(authority: bool | None) -> None:
    assert list(authority_findings("v", "a.pem", certificate(authority=authority) * 2)) == []


def test_what_is_no_authority_is_named() -> None:
    (site,) = authority_findings("v", "a.pem", certificate(*NAMES))
    assert "of a site" in site.problem
    (text,) = authority_findings("v", "a.pem", b"<html>")
    assert "is not a certificate" in text.problem
    binary = x509.load_pem_x509_certificate(certificate(authority=True)).public_bytes(Encoding.DER)
    (converted,) = authority_findings("v", "a.pem", binary)
    assert "openssl x509 -inform der" in converted.fix
