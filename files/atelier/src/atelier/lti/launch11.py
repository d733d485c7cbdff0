"""Checks LTI 1.1 launches.

The order is: shape, consumer, timestamp window, signature, and only then the nonce is recorded. So
an unsigned request changes nothing. LTI 1.1 uses the signature of OAuth 1.0 (RFC 5849, section
3.4), over the address that the platform was given. That is the hub's public address; the headers
``Host`` and ``X-Forwarded-*`` are ignored.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from oauthlib.oauth1.rfc5849 import Client, signature  # type: ignore[import-untyped]

from atelier.config.models import Consumers, Launcher
from atelier.lti.nonces import NonceStore

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
LARGE_BYTES = 16 * 1024
"""Larger launches are checked in a thread, as that takes up to a tenth of a second."""
MAX_WAITING = 8
"""Maximum number of large launches that wait for their check."""
_aside = ThreadPoolExecutor(1, thread_name_prefix="large-launch")
_waiting = 0
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_REQUIRED = (
    "lti_message_type",
    "lti_version",
    "resource_link_id",
    "user_id",
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
)


class LaunchError(Exception):
    """A launch that is not accepted.

    Attributes:
        key: sentence for the learner, see :mod:`atelier.i18n.translate`.
        detail: for the log; holds no secret.
        status: HTTP status.
        params: the launch's parameters if its signature was valid (a replay), else None.
        consumer: the consumer, in the same case.
    """

    def __init__(
        self,
        key: str,
        detail: str,
        status: int,
        params: dict[str, str] | None = None,
        consumer: Launcher | None = None,
    ) -> None:
        super().__init__(detail)
        self.key = key
        self.detail = detail
        self.status = status
        self.params = params
        self.consumer = consumer


@dataclass(frozen=True)
class Launch:
    """A launch with a valid signature and a new nonce."""

    consumer: Launcher
    params: dict[str, str]
    services: dict[str, Any] | None = None
    """LTI 1.3: how the platform takes grades, see :func:`atelier.lti.claims13.services`."""


def read_form(body: bytes) -> list[tuple[str, str]]:
    """The parameters of a form in order, with duplicates.

    Raises:
        LaunchError: not a form in UTF-8, or too large.
    """
    if len(body) > MAX_BODY_BYTES:
        raise LaunchError("launch_shape", f"body of {len(body)} bytes", 413)
    try:
        return parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=1000,
        )
    except ValueError as error:
        raise LaunchError("launch_shape", f"not a form in UTF-8: {error}", 400) from None


def single(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """A form's parameters by name.

    Raises:
        LaunchError: a parameter occurs twice, so its value would be ambiguous.
    """
    params: dict[str, str] = {}
    for name, value in pairs:
        if name in params:
            raise LaunchError("launch_shape", f"parameter {name[:80]!r} is there twice", 400)
        params[name] = value
    return params


def expected_signature(
    url: str, query: str, pairs: Sequence[tuple[str, str]], key: str, secret: str
) -> str:
    """The HMAC-SHA1 signature a launch must bear (RFC 5849, sections 3.4.1 and 3.4.2).

    Args:
        url: the launch address, without query.
        query: the request's query string; its parameters are signed too.
        pairs: the form's parameters; ``oauth_signature`` is ignored.
        key: the consumer's key.
        secret: the consumer's secret.
    """
    collected = signature.collect_parameters(uri_query=query, body=list(pairs))
    base = signature.signature_base_string(
        "POST", signature.base_string_uri(url), signature.normalize_parameters(collected)
    )
    client = Client(client_key=key, client_secret=secret)
    return str(signature.sign_hmac_sha1_with_client(base, client))


def verify(
    body: bytes,
    *,
    url: str,
    query: str,
    consumers: Consumers,
    nonces: NonceStore,
    now: float,
    window: int,
) -> Launch:
    """Check a launch and record it.

    Args:
        body: the request's body.
        url: the public launch address.
        query: the request's query string.
        consumers: who may launch.
        nonces: what was launched before.
        now: present time, seconds since 1970.
        window: how far the timestamp may be from ``now``, seconds.

    Raises:
        LaunchError: it is not accepted; nothing is recorded unless the signature was right.
    """
    pairs = read_form(body)
    params = single(pairs)
    for name in _REQUIRED:
        if not params.get(name, "").strip():
            key = "launch_nobody" if name == "user_id" else "launch_shape"
            raise LaunchError(key, f"parameter {name} is absent or empty", 400)
    if params["lti_message_type"] != "basic-lti-launch-request":
        raise LaunchError("launch_shape", "lti_message_type is not a launch", 400)
    if not params["lti_version"].startswith("LTI-1p"):
        raise LaunchError("launch_shape", "lti_version is not LTI-1p0", 400)
    if params["oauth_signature_method"] != "HMAC-SHA1" or params.get("oauth_version") not in (
        None,
        "1.0",
    ):
        raise LaunchError("launch_shape", "not signed by OAuth 1.0, HMAC-SHA1", 400)
    if not _TIMESTAMP.fullmatch(params["oauth_timestamp"]):
        raise LaunchError("launch_shape", "oauth_timestamp is not a whole number", 400)
    key = params["oauth_consumer_key"]
    consumer = consumers.by_key(key)
    if consumer is None:
        raise LaunchError("launch_consumer", f"no consumer {key[:80]!r}", 401)
    timestamp = int(params["oauth_timestamp"])
    if abs(now - timestamp) > window:
        raise LaunchError(
            "launch_time",
            f"consumer {key!r}: oauth_timestamp is {now - timestamp:+.0f} s old,"
            f" {window} s are allowed",
            401,
        )
    try:
        expected = [
            expected_signature(url, query, pairs, key, secret)
            for secret in consumer.secrets_at(now)
        ]
    except ValueError as error:
        raise LaunchError("launch_shape", f"cannot be signed: {error}", 400) from None
    given = params["oauth_signature"].encode("utf-8", "surrogatepass")
    signed = [hmac.compare_digest(one.encode(), given) for one in expected]
    if not any(signed):
        raise LaunchError("launch_signature", f"consumer {key!r}: wrong signature", 401)
    if not signed[0]:
        log.warning("consumer %r signs with a secret that is being replaced", key)
    if nonces.may_be_lost(timestamp, now):
        detail = f"consumer {key!r}: signed before this machine started, may have been used then"
        raise LaunchError("launch_time", detail, 401)
    kept_until = timestamp + 2 * window + 60
    if not nonces.claim(key, timestamp, params["oauth_nonce"], now=now, expires=kept_until):
        raise LaunchError("launch_replay", f"consumer {key!r}: replay", 401, params, consumer)
    return Launch(consumer=consumer, params=params)


async def verify_aside(body: bytes, **values: Any) -> Launch:
    """Call :func:`verify` without blocking the event loop for a large launch.

    Raises:
        LaunchError: as :func:`verify`, or too many large launches are waiting.
    """
    global _waiting
    check = partial(verify, body, **values)
    if len(body) <= LARGE_BYTES:
        return check()
    if _waiting >= MAX_WAITING:
        raise LaunchError("launch_busy", f"body of {len(body)} bytes, and others wait", 503)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_aside, check)
    finally:
        _waiting -= 1
