"""Preflight rules for certificate files. Runs on the controller, which has `cryptography`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import Finding

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )
except ImportError:  # ansible-core depends on it, so it exists wherever a playbook runs
    pass

CERTIFICATE, KEY = "atelier_tls_certificate", "atelier_tls_key"
ALL_NAMES = "Ask for a certificate with all the site's names, or correct atelier_domain."
SOON = timedelta(days=14)
SMALLEST_RSA = 2048


def site_certificate_findings(
    certificate: bytes,
    key: bytes,
    names: Mapping[str, Sequence[str]],
    now: datetime,
    *,
    variables: tuple[str, str] = (CERTIFICATE, KEY),
) -> Iterator[Finding]:
    """Check a certificate of the site.

    Args:
        certificate: PEM, the site's certificate first, then its chain.
        key: PEM, its private key.
        names: host names that it must cover, by the fix to suggest if it does not.
        now: date and time with a time zone.
        variables: names of certificate and key in messages.
    """
    for found in _certificate_findings(certificate, key, names, now):
        named = dict(zip((CERTIFICATE, KEY), variables, strict=True))[found.variable]
        problem = found.problem.replace(CERTIFICATE, variables[0])
        yield Finding(named, problem, found.fix, found.grave)


def _certificate_findings(
    certificate: bytes, key: bytes, names: Mapping[str, Sequence[str]], now: datetime
) -> Iterator[Finding]:
    try:
        chain = x509.load_pem_x509_certificates(certificate)
    except ValueError:
        yield Finding(
            CERTIFICATE,
            "is not a certificate",
            "It must be a PEM file that begins with -----BEGIN CERTIFICATE-----.",
        )
        return
    leaf = chain[0]
    yield from date_findings(leaf, now)
    for fix, wanted in names.items():
        missing = [name for name in wanted if not covers(leaf, name)]
        if missing:
            yield Finding(
                CERTIFICATE,
                f"is not for {', '.join(missing)}"
                f" (but for {', '.join(certificate_names(leaf)) or 'no name'})",
                fix,
            )
    yield from key_findings(leaf, key)
    if len(chain) == 1 and leaf.issuer != leaf.subject:
        yield Finding(
            CERTIFICATE,
            "comes without its chain",
            "Add the intermediate certificates after it, or some browsers and git will refuse it.",
            grave=False,
        )


def date_findings(leaf: x509.Certificate, now: datetime) -> Iterator[Finding]:
    """Check the validity period of a certificate."""
    first, last = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now > last:
        yield Finding(CERTIFICATE, f"expired on {last:%Y-%m-%d}", "Ask for a new one.")
    elif now < first:
        yield Finding(
            CERTIFICATE, f"is valid from {first:%Y-%m-%d} only", "Wait, or ask for another one."
        )
    elif now + SOON > last:
        yield Finding(CERTIFICATE, f"expires on {last:%Y-%m-%d}", "Renew it soon.", grave=False)


def key_findings(leaf: x509.Certificate, key: bytes) -> Iterator[Finding]:
    """Check the private key."""
    try:
        private = load_pem_private_key(key, password=None)
    except TypeError:
        yield Finding(
            KEY,
            "has a passphrase, which nginx cannot type",
            "Remove it (openssl pkey -in old.pem -out key.pem), and keep the file in the vault:"
            " ansible-vault encrypt key.pem.",
        )
        return
    except ValueError:
        yield Finding(
            KEY,
            "is not a private key",
            "It must be a PEM file that begins with -----BEGIN PRIVATE KEY-----.",
        )
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        yield Finding(
            KEY,
            "is not the key of atelier_tls_certificate",
            "Use the key the certificate was asked with.",
        )
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < SMALLEST_RSA:
        yield Finding(
            KEY, f"is too weak (RSA, {private.key_size} bits)", f"Use {SMALLEST_RSA} bits or more."
        )


def certificate_names(leaf: x509.Certificate) -> list[str]:
    """Return the DNS names of a certificate; browsers ignore all other names (RFC 9525)."""
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def covers(leaf: x509.Certificate, name: str) -> bool:
    """Return whether a certificate covers a name; a wildcard is for one label (RFC 9525, 6.3)."""
    parent = name.partition(".")[2]
    return any(
        known.lower() == name or known.lower() == f"*.{parent}" for known in certificate_names(leaf)
    )


def authority_findings(variable: str, path: str, content: bytes) -> Iterator[Finding]:
    """Check a certificate authority's file."""
    fix = "It must be a PEM file that begins with -----BEGIN CERTIFICATE-----."
    try:
        authorities = x509.load_pem_x509_certificates(content)
    except ValueError:
        if content[:2] == b"\x30\x82":
            fix = f"Convert it: openssl x509 -inform der -in {path} -out authority.pem."
        yield Finding(variable, f"is not a certificate ({path})", fix)
        return
    for authority in authorities:
        try:
            signs = authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            continue  # Old authorities without that extension are still in use.
        if not signs:
            yield Finding(
                variable,
                f"is the certificate of a site, not of an authority ({path})",
                "Ask for the certificate of the authority that signed it.",
            )


def issuers(content: bytes) -> set[x509.Name]:
    """Return the issuers of the certificates in a PEM file; empty if the file is invalid."""
    try:
        return {one.issuer for one in x509.load_pem_x509_certificates(content)}
    except ValueError:
        return set()


def strict_findings(
    variable: str, path: str, content: bytes, signers: Collection[x509.Name] | None = None
) -> Iterator[Finding]:
    """Find certificates that most programs accept but hub and desk refuse.

    Python 3.13 and later check certificates strictly as in RFC 5280 (OpenSSL's
    ``X509_V_FLAG_X509_STRICT``). This concerns hub and desk on Debian 13, but not git or curl.

    Args:
        variable: the setting with the file.
        path: the file.
        content: PEM; an invalid file is not reported here.
        signers: issuers of the site's own certificate. Findings about other authorities are advice:
            these sign for a proxy or a platform, and the site works without that connection.
            None: all findings are grave.
    """
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError:
        return
    for one in certificates:
        missing = list(strict_problems(one, signs=variable != CERTIFICATE))
        if missing:
            name = one.subject.rfc4514_string() or "a certificate without subject"
            yield Finding(
                variable,
                f"has {name}, which {' and '.join(missing)} ({path})",
                "Hub and desk refuse every connection that it vouches for, as Python 3.13 and later"
                " do (RFC 5280). Ask whoever runs that authority for a certificate with these"
                " extensions: the same key may be signed again.",
                grave=signers is None or one.subject in signers,
            )


def strict_problems(one: x509.Certificate, *, signs: bool) -> Iterator[str]:
    """Yield violations of RFC 5280 in a certificate, as ends of a sentence.

    Args:
        one: the certificate.
        signs: whether a self-signed certificate without basicConstraints counts as an authority.

    Source: OpenSSL's ``check_extensions`` (crypto/x509/x509_vfy.c).
    """
    constraints = _extension(one, x509.BasicConstraints)
    own = one.issuer == one.subject
    authority = constraints.value.ca if constraints is not None else own and signs
    if authority:
        if constraints is None:
            yield "lacks basicConstraints (4.2.1.9)"
        elif not constraints.critical:
            yield "has basicConstraints that are not critical (4.2.1.9)"
        usage = _extension(one, x509.KeyUsage)
        if usage is None:
            yield "lacks keyUsage (4.2.1.3)"
        elif not usage.value.key_cert_sign:
            yield "has a keyUsage without keyCertSign (4.2.1.3)"
        if not one.subject.rdns:
            yield "has an empty subject (4.1.2.6)"
        if _extension(one, x509.SubjectKeyIdentifier) is None:
            yield "lacks subjectKeyIdentifier (4.2.1.2)"
    if not own and _extension(one, x509.AuthorityKeyIdentifier) is None:
        yield "lacks authorityKeyIdentifier (4.2.1.1)"


def _extension(one: x509.Certificate, kind: type[Any]) -> Any:
    """Return an extension of a certificate, or None."""
    try:
        return one.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
