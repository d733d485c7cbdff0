"""HTTP requests to platforms, through the site's web proxy and with its certificates.

A platform's addresses and answers are untrusted. A request goes to a public host over https, or to
a host that ``atelier_platform_private_hosts`` names. The name is resolved once and the connection
goes to the address that was checked, so DNS rebinding has no effect; the certificate is compared
with the name. Redirects are not followed, and size and duration of an answer are limited.

A web proxy resolves names itself and decides what it connects to. It is not asked for names that
this machine resolves to private addresses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import httpx

from atelier.config.credentials import Credentials
from atelier.config.models import Settings
from atelier.config.schema.hosts import SETTING, PlatformHosts

MAX_BYTES = 512 * 1024
TIMEOUT = httpx.Timeout(8, connect=4)
LONGEST_SECONDS = 20.0
"""Total time of a request, in case the answer arrives byte by byte."""
_SILENCE = (
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
    OSError,
)


class PlatformRequestError(Exception):
    """A request to a platform failed; the text says why, without secrets.

    Attributes:
        status: HTTP status; None: no answer, or not the expected content.
        silent: nobody answered, so that other requests to this host would fail too.
    """

    def __init__(self, text: str, status: int | None = None, *, silent: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.silent = silent


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""IP addresses of a host, for a port."""


async def _resolve(host: str, port: int) -> list[str]:
    """Resolve by ``/etc/hosts``, then DNS.

    Raises:
        OSError: the name is unknown, or no server answers.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class PlatformClient:
    """Sends requests to platforms.

    Args:
        ca_file: trusted certificates (PEM); None: those of the Python package.
        proxy: URL of the web proxy; None: direct connections.
        no_proxy: hosts and domains reached without the proxy, separated by commas.
        private_hosts: hosts that may be private and reached without TLS.
        transport: replaces the network in tests; names are then not resolved without ``resolve``.
        resolve: replaces the machine's resolver in tests.
    """

    def __init__(
        self,
        ca_file: Path | None = None,
        proxy: str | None = None,
        no_proxy: str = "",
        private_hosts: PlatformHosts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._ca_file = ca_file
        self._proxy = proxy
        self._no_proxy = no_proxy
        self.hosts = private_hosts or PlatformHosts()
        self._transport = transport
        self._resolve = resolve or (None if transport else _resolve)
        self._context: ssl.SSLContext | None = None

    def _by_proxy(self, url: httpx.URL) -> bool:
        """Whether the request goes through the web proxy."""
        host = url.netloc.decode("ascii")
        return bool(self._proxy) and not proxy_bypass_environment(host, {"no": self._no_proxy})

    async def _ways(self, url: httpx.URL) -> list[tuple[httpx.URL, dict[str, Any]]]:
        """The URL for each IP address of its host, with the headers and options to send.

        Raises:
            PlatformRequestError: this site does not send requests to the URL.
            OSError: the name cannot be resolved.
        """
        scheme, host = url.scheme, url.raw_host.decode("ascii")
        if scheme not in ("https", "http") or not host or url.userinfo:
            raise PlatformRequestError(
                f"{host or 'an address'}: not an https:// address without user name"
            )
        by_proxy = self._by_proxy(url)
        port = url.port or (443 if scheme == "https" else 80)
        try:
            found = await self._resolve(host, port) if self._resolve else [host]
        except OSError:
            if not by_proxy:
                raise
            found = []
        if self._resolve is None and not _is_address(host):  # a test without names
            allowed = [host] if scheme == "https" or self.hosts.names(host) else []
        else:
            allowed = [one for one in found if self.hosts.permits(scheme, host, one)]
        if by_proxy:
            # The proxy may resolve the name differently, so all known addresses must be allowed.
            known = bool(found) or scheme == "https" or self.hosts.names(host)
            allowed = [host] if known and len(allowed) == len(found) else []
        if not allowed:
            raise PlatformRequestError(f"{url}: {self._refusal(scheme, host)}")
        if by_proxy or self._resolve is None:
            return [(url, {})]
        headers = {"Host": url.netloc.decode("ascii")}
        # The name to compare with the certificate; httpx does so itself for IP addresses.
        more = {} if _is_address(host) else {"extensions": {"sni_hostname": host.rstrip(".")}}
        return [(url.copy_with(host=one), {"headers": headers, **more}) for one in allowed]

    def _refusal(self, scheme: str, host: str) -> str:
        """Why no request is sent to an address."""
        if scheme == "http":
            return f"not https, and {SETTING} does not name {host}"
        return f"{host} is in a private network, and {SETTING} does not name it"

    def _client(self, url: httpx.URL) -> httpx.AsyncClient:
        if self._context is None:
            self._context = ssl.create_default_context(
                cafile=str(self._ca_file) if self._ca_file else None
            )
        return httpx.AsyncClient(
            verify=self._context,
            proxy=self._proxy if self._transport is None and self._by_proxy(url) else None,
            transport=self._transport,
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Request a JSON object.

        Args:
            method: ``GET`` or ``POST``.
            url: the address.
            form: sent as a form.
            body: sent as JSON.
            headers: more headers.

        Raises:
            PlatformRequestError: no answer, not a success, too large, or not a JSON object.
        """
        content = await self._content(
            method,
            url,
            data=form,
            json=body,
            headers={"Accept": "application/json", **(headers or {})},
        )
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise PlatformRequestError(f"{url}: not a JSON object")
        return found

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Post a body.

        Args:
            url: the address.
            body: what is sent.
            headers: of the request, its content's type among them.

        Returns:
            The answer's body.

        Raises:
            PlatformRequestError: no answer, not a success, or too large.
        """
        return await self._content("POST", url, content=body, headers=headers)

    async def _content(self, method: str, url: str, **sent: Any) -> bytes:
        """Send a request and return the body of a successful answer."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                address = httpx.URL(url)
                status, content = await self._first(method, address, sent)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            # UnicodeError: a host that IDNA cannot encode, or a header that is not ASCII.
            silent = isinstance(error, _SILENCE)
            raise PlatformRequestError(f"{url}: {type(error).__name__}", silent=silent) from None
        if not 200 <= status < 300:
            raise PlatformRequestError(f"{url}: status {status}", status)
        return content

    async def _first(
        self, method: str, url: httpx.URL, sent: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        """Status and body from the first reachable IP address of the host."""
        ways = await self._ways(url)
        for number, (way, more) in enumerate(ways, 1):
            headers = {**(sent.get("headers") or {}), **more.get("headers", {})}
            try:
                async with (
                    self._client(url) as client,
                    client.stream(method, way, **{**sent, **more, "headers": headers}) as answer,
                ):
                    return answer.status_code, await _body(answer, url)
            except (httpx.ConnectError, httpx.ConnectTimeout):  # nothing was sent
                if number == len(ways):
                    raise
        raise AssertionError("there is one way at least")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _body(answer: httpx.Response, url: httpx.URL) -> bytes:
    """Read the body of an answer.

    Raises:
        PlatformRequestError: the body is too large.
    """
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MAX_BYTES:
            raise PlatformRequestError(f"{url}: more than {MAX_BYTES} bytes")
    return bytes(content)


def platform_client(settings: Settings, credentials: Credentials) -> PlatformClient:
    """Create the client from the site's settings.

    The proxy's URL may contain a password, so it is the credential ``web_proxy``; the second line,
    if any, lists the hosts reached without the proxy.
    """
    proxy, _, straight = (credentials.optional("web_proxy") or "").partition("\n")
    return PlatformClient(
        settings.site.ca_file,
        proxy.strip() or None,
        straight.strip(),
        PlatformHosts(settings.lti.private_hosts),
    )
