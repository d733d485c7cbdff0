"""Deep linking: a teacher chooses what a link in the course page opens.

Source: LTI Deep Linking 2.0, sections 3 and 4. The platform's request is stored in the page, sealed
and bound to the browser, and returns with the choice; the server stores nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from atelier.config.registrations import Registration, Registrations, is_platform_url
from atelier.config.schema.hosts import PlatformHosts, host_of
from atelier.lti.claims13 import CLAIM, DEEP_LINKING_SETTINGS, roles, text_at
from atelier.lti.launch11 import LaunchError
from atelier.lti.launch13 import Message, launch_url
from atelier.lti.roles import has_author_role
from atelier.lti.sealed import Sealer, SealError

CHOOSE_SECONDS = 3600
"""Seconds within which the teacher must choose."""
ANSWER_SECONDS = 300
ITEM = "ltiResourceLink"
MAX_DATA = 16 * 1024
MAX_TITLE = 255
_PURPOSE = "lti13-deep-linking"
_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"
_ABOVE = ("urn:lti:instrole:ims/lis/Administrator", "urn:lti:sysrole:ims/lis/Administrator")


@dataclass(frozen=True)
class Request:
    """A platform's request for a choice."""

    registration: str
    issuer: str
    client_id: str
    deployment_id: str
    return_url: str
    data: str | None
    browser: str
    """Digest of the browser's login cookie."""


@dataclass(frozen=True)
class Link:
    """A link that a teacher chose.

    Attributes:
        title: what the course page calls it.
        custom: the custom parameters that its launches carry, without the prefix ``custom_``.
        graded: identifier of the exercise whose grade the platform takes; None: it takes none.
    """

    title: str
    custom: Mapping[str, str]
    graded: str | None = None


def is_teacher(claims: Mapping[str, Any]) -> bool:
    """Whether a token's roles allow its bearer to edit the course."""
    given = roles(claims)
    return has_author_role(",".join(given)) or any(one in _ABOVE for one in given)


def request_of(message: Message, browser: str, hosts: PlatformHosts) -> Request:
    """Read the request from a deep linking message.

    Args:
        message: the platform's.
        browser: digest of the browser's login cookie.
        hosts: hosts that may be reached without TLS.

    Raises:
        LaunchError: the bearer is no teacher, or the platform does not want a link.
    """
    claims, registration = message.claims, message.registration

    def refusal(key: str, detail: str, status: int) -> LaunchError:
        return LaunchError(key, f"registration {registration.key!r}: {detail}", status)

    if not is_teacher(claims):
        raise refusal("not_a_teacher", "deep linking without a teaching role", 403)
    asked = claims[DEEP_LINKING_SETTINGS]
    accepted = asked.get("accept_types")
    if not isinstance(accepted, list) or ITEM not in accepted:
        raise refusal("launch_shape", f"accept_types has no {ITEM}", 400)
    return_url = text_at(claims, DEEP_LINKING_SETTINGS, "deep_link_return_url")
    if not is_platform_url(return_url) or not hosts.may_show(return_url):
        raise refusal("launch_shape", f"deep_link_return_url is {return_url[:200]!r}", 400)
    # The signed choice goes to the platform only, not to any host that a message may name.
    if host_of(return_url) not in registration.known_hosts:
        detail = f"deep_link_return_url is {return_url[:200]!r}: no host of the registration, nor"
        raise refusal("launch_shape", f"{detail} one of its `hosts`", 400)
    data = asked.get("data")
    if data is not None and (not isinstance(data, str) or len(data) > MAX_DATA):
        raise refusal("launch_shape", "data is not a text, or too long", 400)
    return Request(
        registration=registration.key,
        issuer=registration.issuer,
        client_id=message.client_id,
        deployment_id=str(claims[CLAIM + "deployment_id"]),
        return_url=return_url,
        data=data,
        browser=browser,
    )


def seal(request: Request, sealer: Sealer, now: float) -> str:
    """Seal a request for the page."""
    return sealer.seal(_PURPOSE, asdict(request), now, CHOOSE_SECONDS)


def unseal(
    sealed: str, registrations: Registrations, sealer: Sealer, now: float
) -> tuple[Request, Registration]:
    """Return the request that a page carried, and its current registration.

    Raises:
        LaunchError: it was not sealed by this site, has expired, or its registration was removed.
    """
    try:
        request = Request(**sealer.open(_PURPOSE, sealed, now))
    except SealError as error:
        raise LaunchError("launch_time", f"deep linking: {error}", 400) from None
    registration = registrations.by_client(request.issuer, request.client_id)
    if (
        registration is None
        or request.deployment_id not in registration.deployment_ids
        or host_of(request.return_url) not in registration.known_hosts
    ):
        detail = f"deep linking: no registration {request.registration!r} now"
        raise LaunchError("launch_consumer", detail, 401)
    return request, registration


def answer(request: Request, link: Link | None, hub_url: str, now: float) -> dict[str, Any]:
    """The claims of the response (section 3.2).

    Args:
        request: the platform's.
        link: what the teacher chose; None: nothing.
        hub_url: the hub's public address.
        now: present time, seconds since 1970.
    """
    items = []
    if link is not None:
        item: dict[str, Any] = {
            "type": ITEM,
            "title": link.title[:MAX_TITLE],
            "url": launch_url(hub_url),
            "custom": dict(link.custom),
        }
        if link.graded:
            # The platform makes a column for its grade (section 4.1.4); scores go from 0 to 1.
            item["lineItem"] = {
                "scoreMaximum": 1,
                "label": link.title[:MAX_TITLE],
                "resourceId": link.graded,
            }
        items.append(item)
    claims: dict[str, Any] = {
        "iss": request.client_id,
        "aud": request.issuer,
        "iat": int(now),
        "exp": int(now) + ANSWER_SECONDS,
        "nonce": secrets.token_urlsafe(24),
        CLAIM + "message_type": "LtiDeepLinkingResponse",
        CLAIM + "version": "1.3.0",
        CLAIM + "deployment_id": request.deployment_id,
        _CLAIM + "content_items": items,
    }
    if request.data is not None:
        claims[_CLAIM + "data"] = request.data
    return claims
