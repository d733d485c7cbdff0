"""Translates the claims of an LTI 1.3 token to the parameters of LTI 1.1.

The code after the checks is the same for both versions.

Sources: LTI Core 1.3, section 5 and appendix A (roles); LTI 1.3 Migration Guide, section 1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Mapping
from typing import Any

from atelier.config.models import Consumers
from atelier.config.registrations import Registration

log = logging.getLogger(__name__)

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING_SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
LAST_MOMENT = 10**12
"""Latest accepted time, seconds since 1970; larger values overflow date arithmetic."""
RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINKING = "LtiDeepLinkingRequest"

_MEMBERSHIP = re.compile(
    r"http://purl\.imsglobal\.org/vocab/lis/v2/membership(?:/([A-Za-z]+))?#([A-Za-z]+)"
)
"""A role in the course, and a sub-role (LTI Core 1.3, appendix A.2.2 and A.2.3)."""
_ROLES = {
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#": "urn:lti:instrole:ims/lis/",
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#": "urn:lti:sysrole:ims/lis/",
}


def text_at(claims: Mapping[str, Any], *path: str) -> str:
    """A string inside the claims; empty if absent or not a string."""
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found.strip() if isinstance(found, str) else ""


def is_time(value: Any) -> bool:
    """Whether a claim is a usable NumericDate (RFC 7519)."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < LAST_MOMENT


def role(name: str) -> str:
    """A role as LTI 1.1 writes it.

    ``…/membership#Instructor`` becomes ``Instructor``, and
    ``…/membership/Instructor#TeachingAssistant`` becomes ``Instructor/TeachingAssistant``; roles
    of an institution or a system become their URN.
    """
    if (found := _MEMBERSHIP.fullmatch(name)) is not None:
        return "/".join(filter(None, found.groups()))
    for prefix, short in _ROLES.items():
        if name.startswith(prefix):
            return short + name[len(prefix) :].replace("#", "/")
    return name


def roles(claims: Mapping[str, Any]) -> list[str]:
    """The token's roles as LTI 1.1 writes them; roles that contain a comma are left out."""
    given = claims.get(CLAIM + "roles")
    texts = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    return [role(one) for one in texts if "," not in one]


def as_params(claims: Mapping[str, Any]) -> dict[str, str]:
    """The launch's parameters: ``user_id``, names, locale, roles, and ``custom_*``."""
    params = {
        "user_id": str(claims["sub"]),
        "lis_person_name_full": text_at(claims, "name"),
        "lis_person_name_given": text_at(claims, "given_name"),
        "lis_person_name_family": text_at(claims, "family_name"),
        "lis_person_contact_email_primary": text_at(claims, "email"),
        "launch_presentation_locale": text_at(claims, CLAIM + "launch_presentation", "locale")
        or text_at(claims, "locale"),
        "context_id": text_at(claims, CLAIM + "context", "id"),
        "resource_link_id": text_at(claims, CLAIM + "resource_link", "id"),
        "roles": ",".join(roles(claims)),
    }
    custom = claims.get(CLAIM + "custom")
    for name, value in custom.items() if isinstance(custom, Mapping) else ():
        if isinstance(value, str):
            params[f"custom_{name}"] = value
    return {name: value for name, value in params.items() if value}


def services(
    claims: Mapping[str, Any], registration: Registration, client_id: str
) -> dict[str, Any]:
    """What the site needs to send this learner's grades back (Assignment and Grade Services 2.0).

    Returns:
        ``registration``, ``client_id``, ``deployment_id`` and ``sub`` of the launch; ``ags``: the
        platform's claim, or None if it takes no grades from this link.
    """
    grades = claims.get(GRADES)
    return {
        "registration": registration.key,
        "client_id": client_id,
        "deployment_id": claims[CLAIM + "deployment_id"],
        "sub": claims["sub"],
        "ags": dict(grades) if isinstance(grades, Mapping) else None,
    }


def migration_signature(claims: Mapping[str, Any], key: str, client_id: str, secret: str) -> str:
    """What ``oauth_consumer_key_sign`` must be (LTI 1.3 Migration Guide, section 1.1.1).

    Args:
        claims: the token's.
        key: the LTI 1.1 consumer's key.
        client_id: the one the token is for.
        secret: the consumer's secret.
    """
    deployment = str(claims.get(CLAIM + "deployment_id"))
    exp = str(claims.get("exp"))
    base = "&".join((key, deployment, str(claims["iss"]), client_id, exp, str(claims["nonce"])))
    digest = hmac.new(
        secret.encode("utf-8", "surrogatepass"),
        base.encode("utf-8", "surrogatepass"),
        hashlib.sha256,
    )
    return base64.b64encode(digest.digest()).decode()


def migrated_user_id(
    claims: Mapping[str, Any],
    registration: Registration,
    client_id: str,
    consumers: Consumers,
    now: float,
) -> str | None:
    """The ``user_id`` that a learner had in LTI 1.1, if the platform proves its claim.

    The proof is a signature with the secret of one of the same platform's consumers. Without it,
    the administrator of a registration could impersonate any learner.

    Returns:
        None if the claim is absent or not proved, which is logged.
    """
    claim = claims.get(CLAIM + "lti1p1")
    if not isinstance(claim, Mapping):
        return None
    key, user_id = text_at(claim, "oauth_consumer_key"), claim.get("user_id")
    given = text_at(claim, "oauth_consumer_key_sign")
    if not isinstance(user_id, str) or not user_id.strip() or not key or not given:
        return None
    consumer = consumers.by_key(key)
    if consumer is None or consumer.platform != registration.platform:
        log.warning(
            "registration %r: lti1p1 names the consumer %r, which is not one of platform %r",
            registration.key,
            key[:80],
            registration.platform,
        )
        return None
    for secret in consumer.secrets_at(now):
        expected = migration_signature(claims, key, client_id, secret)
        if hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass")):
            return user_id
    log.warning(
        "registration %r: lti1p1 is not signed with the secret of %r", registration.key, key
    )
    return None
