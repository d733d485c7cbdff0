"""Checks LTI 1.3 launches: OpenID Connect's third-party initiated login and its ID token.

Sources: 1EdTech Security Framework 1.0, section 5.1 (steps 1 to 3 and the checks of the ID token),
LTI Core 1.3, section 5.3 and 5.4 (claims), OpenID Connect Core 1.0, section 3.2.2.

The login request is unsigned, so it stores nothing on the server: ``state`` carries what must be
remembered, sealed by this site and bound to a secret in this browser's cookie. A token without
that cookie is refused, so an attacker cannot submit a launch in a victim's browser (login CSRF).
The nonce is recorded last, in the same store as those of LTI 1.1.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt

from atelier.config.models import Consumers
from atelier.config.registrations import Registration, Registrations
from atelier.config.schema.hosts import SETTING, PlatformHosts
from atelier.lti.claims13 import (
    CLAIM,
    DEEP_LINKING,
    DEEP_LINKING_SETTINGS,
    RESOURCE_LINK,
    as_params,
    is_time,
    migrated_user_id,
    services,
    text_at,
)
from atelier.lti.keysets13 import Keysets, UnknownKeyError
from atelier.lti.launch11 import Launch, LaunchError
from atelier.lti.nonces import NonceStore
from atelier.lti.sealed import Sealer, SealError
from atelier.lti.token_header13 import ALGORITHMS as ALGORITHMS
from atelier.lti.token_header13 import MAX_TOKEN_BYTES as MAX_TOKEN_BYTES
from atelier.lti.token_header13 import HeaderError, read_header

STATE_SECONDS = 600
"""Seconds within which a login must complete."""
MAX_HINT_LENGTH = 2048
LOGIN_PARAMETERS = (
    "iss",
    "login_hint",
    "target_link_uri",
    "lti_message_hint",
    "lti_deployment_id",
    "client_id",
)
"""Parameters of a login request (Security Framework 1.0, section 5.1.1.1; LTI Core 1.3, 4.1)."""
_PURPOSE = "lti13-login"


@dataclass(frozen=True)
class Login:
    """The redirect to the platform's authorization address."""

    address: str
    registration: Registration


@dataclass(frozen=True)
class Returned:
    """The state of a login, as the platform returned it."""

    registration: str
    issuer: str
    client_id: str
    nonce: str
    at: int
    browser: str
    """Digest of the login cookie of the browser that started."""
    request: dict[str, str]
    """Parameters of the login request."""

    def started_by(self, browser_secret: str | None) -> bool:
        """Whether the browser with that cookie started this login."""
        return browser_secret is not None and hmac.compare_digest(
            self.browser, browser_digest(browser_secret)
        )


@dataclass(frozen=True)
class Message:
    """A valid token with a new nonce."""

    registration: Registration
    client_id: str
    claims: dict[str, Any]
    launch: Launch

    @property
    def deep_linking(self) -> bool:
        """Whether this is a deep linking request; else it is a launch."""
        return self.claims.get(CLAIM + "message_type") == DEEP_LINKING


def browser_digest(secret: str) -> str:
    """Digest of a browser's secret, which may be shown."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def on_this_site(address: str, hub_url: str) -> bool:
    """Whether an address is on the hub's host, however a browser parses it."""
    plain = all(32 < ord(char) < 127 for char in address) and "\\" not in address
    return plain and (address == hub_url or address.startswith((hub_url + "/", hub_url + "?")))


def begin(
    request: Mapping[str, str],
    *,
    registrations: Registrations,
    hosts: PlatformHosts,
    hub_url: str,
    sealer: Sealer,
    browser_secret: str,
    now: float,
) -> Login:
    """Answer a platform's login initiation.

    Args:
        request: its parameters.
        registrations: the platforms known.
        hosts: those that need no TLS.
        hub_url: the hub's public address.
        sealer: seals the state.
        browser_secret: what the browser's cookie holds.
        now: present time, seconds since 1970.

    Raises:
        LaunchError: the login request is not valid; nothing was recorded.
    """
    for name in ("iss", "login_hint", "target_link_uri"):
        if not request.get(name, "").strip():
            raise LaunchError("launch_shape", f"login: {name} is absent or empty", 400)
    for name in LOGIN_PARAMETERS:
        if len(request.get(name, "")) > MAX_HINT_LENGTH:
            raise LaunchError("launch_shape", f"login: {name} is too long", 400)
    issuer, client_id = request["iss"], request.get("client_id", "").strip()
    registration = _registration(registrations, issuer, client_id)
    client_id = client_id or registration.client_ids[0]
    deployment = request.get("lti_deployment_id", "")
    if deployment and deployment not in registration.deployment_ids:
        raise LaunchError(
            "launch_consumer",
            f"registration {registration.key!r}: no deployment {deployment[:80]!r}",
            401,
        )
    if not on_this_site(request["target_link_uri"], hub_url):
        raise LaunchError(
            "launch_elsewhere",
            f"registration {registration.key!r}: target_link_uri"
            f" {request['target_link_uri'][:200]!r} is not below {hub_url}",
            400,
        )
    if not hosts.may_show(registration.auth_login_url):
        raise LaunchError(
            "launch_consumer",
            f"registration {registration.key!r}: auth_login_url is not https, and {SETTING} does"
            " not name its host",
            401,
        )
    nonce = secrets.token_urlsafe(24)
    state = {
        "registration": registration.key,
        "issuer": issuer,
        "client_id": client_id,
        "nonce": nonce,
        "at": int(now),
        "browser": browser_digest(browser_secret),
        "request": {name: request[name] for name in LOGIN_PARAMETERS if request.get(name)},
    }
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": client_id,
        "redirect_uri": launch_url(hub_url),
        "login_hint": request["login_hint"],
        "state": sealer.seal(_PURPOSE, state, now, STATE_SECONDS),
        "nonce": nonce,
    }
    if request.get("lti_message_hint"):
        query["lti_message_hint"] = request["lti_message_hint"]
    joint = "&" if "?" in registration.auth_login_url else "?"
    return Login(registration.auth_login_url + joint + urlencode(query), registration)


def launch_url(hub_url: str) -> str:
    """Address that receives tokens; platforms call it launch, redirect or tool URL."""
    return hub_url + "/hub/lti13/launch"


def _registration(registrations: Registrations, issuer: str, client_id: str) -> Registration:
    known = registrations.of_issuer(issuer)
    if not known:
        raise LaunchError("launch_consumer", f"no registration of issuer {issuer[:200]!r}", 401)
    if client_id:
        found = registrations.by_client(issuer, client_id)
        if found is None:
            raise LaunchError(
                "launch_consumer", f"issuer {issuer!r}: no client id {client_id[:80]!r}", 401
            )
        return found
    if len(known) > 1 or len(known[0].client_ids) > 1:
        raise LaunchError(
            "launch_consumer",
            f"issuer {issuer!r} sent no client_id, and has several registrations here",
            401,
        )
    return known[0]


def returned(state: str, sealer: Sealer, now: float) -> Returned:
    """Open the state that a platform returned.

    Raises:
        LaunchError: the state is not from this site, or has expired.
    """
    try:
        return Returned(**sealer.open(_PURPOSE, state, now))
    except SealError as error:
        raise LaunchError("launch_time", f"state: {error}", 401) from None


async def verify(
    token: str,
    state: Returned,
    *,
    registrations: Registrations,
    consumers: Consumers,
    keysets: Keysets,
    nonces: NonceStore,
    hub_url: str,
    now: float,
    window: int,
) -> Message:
    """Check a token and record it.

    Args:
        token: ``id_token`` as the platform's form holds it.
        state: what this site remembered; the browser's cookie was compared already.
        registrations: the platforms known.
        consumers: LTI 1.1 consumers, for learners whom a platform brings over from there.
        keysets: their public keys.
        nonces: what was used before.
        hub_url: the hub's public address.
        now: present time, seconds since 1970.
        window: how far the platform's clock may be off, seconds.

    Raises:
        LaunchError: it is not accepted; nothing is recorded unless everything was right.
    """
    registration = registrations.by_key(state.registration)
    if registration is None or state.client_id not in registration.client_ids:
        raise LaunchError("launch_consumer", f"no registration {state.registration!r} now", 401)
    claims = await _signed(token, registration, keysets)
    _check_token(claims, registration, state, now, window)
    _check_message(claims, registration, hub_url)
    params = as_params(claims)
    migrated = migrated_user_id(claims, registration, state.client_id, consumers, now)
    if migrated is not None:
        params["user_id"] = migrated
    if nonces.may_be_lost(state.at, now):
        detail = "begun before this machine started, may have been used then"
        raise _refusal(registration, "launch_time", detail)
    recorded = nonces.claim(
        f"lti13 {registration.key}",
        state.at,
        state.nonce,
        now=now,
        expires=state.at + STATE_SECONDS + window,
    )
    if not recorded:
        detail = f"registration {registration.key!r}: replay"
        raise LaunchError("launch_replay", detail, 401, params, registration)
    launch = Launch(registration, params, services(claims, registration, state.client_id))
    return Message(registration, state.client_id, claims, launch)


def _refusal(registration: Registration, key: str, detail: str, status: int = 401) -> LaunchError:
    return LaunchError(key, f"registration {registration.key!r}: {detail}", status)


async def _signed(token: str, registration: Registration, keysets: Keysets) -> dict[str, Any]:
    """The claims of a token that the platform signed."""
    try:
        algorithm, kid = read_header(token)
    except HeaderError as error:
        raise _refusal(registration, error.key, str(error), error.status) from None
    try:
        key = await keysets.key(registration, kid)
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[algorithm],
            # Times, issuer and audience are checked below, with this launch's clock.
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except UnknownKeyError as error:
        raise _refusal(registration, "launch_signature", str(error)) from None
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as error:
        detail = f"id_token: {type(error).__name__}"
        raise _refusal(registration, "launch_signature", detail) from None
    return claims


def _check_token(
    claims: Mapping[str, Any], registration: Registration, state: Returned, now: float, window: int
) -> None:
    """The checks of an ID token (Security Framework 1.0, section 5.1.3)."""
    if claims.get("iss") != state.issuer or state.issuer != registration.issuer:
        raise _refusal(registration, "launch_signature", f"iss is {str(claims.get('iss'))[:200]!r}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if state.client_id not in audiences:
        raise _refusal(registration, "launch_signature", f"aud is {str(audience)[:200]!r}")
    party = claims.get("azp")
    if (len(audiences) > 1 or party is not None) and party != state.client_id:
        raise _refusal(registration, "launch_signature", f"azp is {str(party)[:200]!r}")
    if not (is_time(claims.get("exp")) and is_time(claims.get("iat"))):
        raise _refusal(registration, "launch_shape", "exp and iat must be times", 400)
    if now > claims["exp"] + window:
        late = now - claims["exp"]
        raise _refusal(registration, "launch_time", f"id_token expired {late:.0f} s ago")
    if not state.at - window <= claims["iat"] <= now + window:
        off = claims["iat"] - now
        raise _refusal(registration, "launch_time", f"id_token is dated {off:+.0f} s from now")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode("utf-8", "surrogatepass"), state.nonce.encode()
    ):
        raise _refusal(registration, "launch_signature", "nonce is not the one of this login")


def _check_message(claims: Mapping[str, Any], registration: Registration, hub_url: str) -> None:
    """The claims every LTI message needs (LTI Core 1.3, section 5.3)."""
    deployment = claims.get(CLAIM + "deployment_id")
    if deployment not in registration.deployment_ids:
        raise _refusal(registration, "launch_consumer", f"no deployment {str(deployment)[:80]!r}")
    if claims.get(CLAIM + "version") != "1.3.0":
        raise _refusal(registration, "launch_shape", "version is not 1.3.0", 400)
    kind = claims.get(CLAIM + "message_type")
    if kind not in (RESOURCE_LINK, DEEP_LINKING):
        raise _refusal(registration, "launch_shape", f"message_type is {str(kind)[:80]!r}", 400)
    subject = claims.get("sub")
    if subject is None or (
        isinstance(subject, str) and not subject.strip()
    ):  # LTI Core 1.3, section 5.3.6.1
        raise _refusal(registration, "launch_nobody", "sub is absent: nobody is launching", 400)
    if not isinstance(subject, str) or len(subject) > 255:
        raise _refusal(registration, "launch_shape", "sub is no text of 1 to 255 characters", 400)
    if kind == RESOURCE_LINK and not text_at(claims, CLAIM + "resource_link", "id"):
        raise _refusal(registration, "launch_shape", "resource_link has no id", 400)
    if kind == DEEP_LINKING and not text_at(claims, DEEP_LINKING_SETTINGS, "deep_link_return_url"):
        raise _refusal(registration, "launch_shape", "no deep_link_return_url", 400)
    target = claims.get(CLAIM + "target_link_uri")
    if not isinstance(target, str) or not on_this_site(target, hub_url):
        detail = f"target_link_uri {str(target)[:200]!r} is not below {hub_url}"
        raise _refusal(registration, "launch_elsewhere", detail, 400)
