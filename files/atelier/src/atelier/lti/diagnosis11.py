"""Finds out why a launch's signature is wrong, by trying the usual causes with the right secret.

A sender without the secret learns nothing, since no cause can match.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

from tornado.httputil import HTTPServerRequest

from atelier.config.models import Consumer, Consumers
from atelier.i18n.translate import say
from atelier.lti.launch11 import LaunchError, expected_signature, read_form

Pairs = Sequence[tuple[str, str]]
MAX_PARAMETERS = 80
"""Launches have about forty; signing every variant of more would take too long."""
MAX_SEARCHED_BYTES = 16 * 1024
"""Larger bodies are not examined; launches have a few thousand bytes."""
PAUSE_SECONDS = 1.0
"""Pause between the end of a search and the next one."""


@dataclass(frozen=True)
class Cause:
    """A reason that explains the signature: a sentence's key and its fields."""

    key: str
    fields: dict[str, str] = field(default_factory=dict)

    def in_english(self) -> str:
        """For the log."""
        return say(self.key, "en", **self.fields)


@dataclass(frozen=True)
class _Attempt:
    cause: Cause
    url: str
    query: str
    pairs: Pairs
    secret: str


def _addresses(url: str, seen_host: str) -> Iterator[str]:
    parts = urlsplit(url)
    hosts = [parts.netloc, parts.hostname or "", seen_host]
    hosts += [f"{parts.hostname}:{port}" for port in (80, 443, 8443)]
    known = {url}
    for scheme in ("https", "http"):
        for host in hosts:
            for path in (parts.path, parts.path + "/"):
                address = urlunsplit((scheme, host, path, "", ""))
                if host and address not in known:
                    known.add(address)
                    yield address


def _written_otherwise(pairs: Pairs) -> Iterator[Pairs]:
    def each(change: Callable[[str], str]) -> Pairs:
        return [(name, change(value)) for name, value in pairs]

    yield each(lambda value: value.replace("\r\n", "\n"))  # browsers send line ends as CRLF
    yield each(str.strip)
    yield each(lambda value: value.replace(" ", "+"))
    yield each(lambda value: quote(value, safe="~"))
    yield each(html.escape)
    yield each(html.unescape)


def _attempts(
    pairs: Pairs, url: str, query: str, seen_host: str, consumer: Consumer, consumers: Consumers
) -> Iterator[_Attempt]:
    secret = consumer.secret.get_secret_value()
    for address in _addresses(url, seen_host):
        cause = Cause("cause_address", {"signed": address, "right": url})
        yield _Attempt(cause, address, query, pairs, secret)
    if query:
        yield _Attempt(Cause("cause_query"), url, "", pairs, secret)
    for old in consumer.previous:
        former = old.secret.get_secret_value()
        yield _Attempt(Cause("cause_former_secret"), url, query, pairs, former)
    for other in consumers.consumers:
        if other.key != consumer.key:
            cause = Cause("cause_other_secret", {"consumer": other.key})
            yield _Attempt(cause, url, query, pairs, other.secret.get_secret_value())
    for padded in (f"{secret}\n", f"{secret} ", f" {secret}", f"{secret}\r\n"):
        yield _Attempt(Cause("cause_space_in_secret"), url, query, pairs, padded)
    for written in _written_otherwise(pairs):
        yield _Attempt(Cause("cause_encoding"), url, query, written, secret)
    for name, _ in pairs:
        rest = [pair for pair in pairs if pair[0] != name]
        cause = Cause("cause_unsigned", {"name": repr(name[:80])})
        yield _Attempt(cause, url, query, rest, secret)


def cause_of(
    body: bytes, *, url: str, query: str, seen_host: str, consumers: Consumers
) -> Cause | None:
    """Find the cause that explains a wrong signature.

    Args:
        body: the launch.
        url: the address it should be signed for.
        query: the request's query string.
        seen_host: the request's ``Host``, which a proxy may have changed.
        consumers: those known.

    Returns:
        None if no usual cause explains it, the launch is too large, or its consumer is unknown.
    """
    if len(body) > MAX_SEARCHED_BYTES:
        return None
    try:
        pairs = read_form(body)
    except LaunchError:
        return None
    params = dict(pairs)
    consumer = consumers.by_key(params.get("oauth_consumer_key", ""))
    given = params.get("oauth_signature", "").encode("utf-8", "surrogatepass")
    if consumer is None or not given or len(pairs) > MAX_PARAMETERS:
        return None
    for one in _attempts(pairs, url, query, seen_host, consumer, consumers):
        try:
            made = expected_signature(one.url, one.query, one.pairs, consumer.key, one.secret)
        except ValueError:
            continue
        if hmac.compare_digest(made.encode(), given):
            return one.cause
    return None


class Search:
    """Runs one search at a time in a separate thread, with a pause after each.

    A flood of bad launches therefore does not slow down the hub.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_at = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="diagnosis")
        self.busy = False
        """Whether one is under way."""

    async def find(self, look: Callable[[], Cause | None]) -> Cause:
        """Run a search, unless another one is running or has just ended.

        Args:
            look: the search; it blocks.
        """
        if self.busy or self._clock() < self._free_at:
            return Cause("cause_not_looked_for")
        self.busy = True
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, look)
        finally:
            self.busy = False
            self._free_at = self._clock() + PAUSE_SECONDS
        return found or Cause("cause_unknown")


async def explain(
    search: Search, consumers: Consumers, request: HTTPServerRequest, url: str
) -> Cause:
    """Why a request's signature is wrong.

    Args:
        search: the process's one search.
        consumers: those known.
        request: the launch.
        url: the address it should be signed for.
    """
    body, query, seen_host = request.body, request.query, request.host
    return await search.find(
        lambda: cause_of(body, url=url, query=query, seen_host=seen_host, consumers=consumers)
    )
