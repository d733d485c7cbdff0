"""Requests to platforms: through the site's web proxy, with its certificates, small and short.

What a platform's address answers is data from outside: it is read up to a limit, redirects are
not followed (an address in the settings is the one that was meant), and nothing waits for long.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import httpx

from atelier.live import Credentials
from atelier.settings import Settings

MAX_BYTES = 512 * 1024
TIMEOUT = httpx.Timeout(8, connect=4)
LONGEST_SECONDS = 20.0
"""In all: an answer may come byte by byte."""
_SILENCE = (
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
    OSError,
)


class OutsideError(Exception):
    """An address outside did not give what was asked; the text says why, without any secret.

    Attributes:
        status: of its answer; None: there was none, or it was not what was asked.
        silent: nobody answered: whatever else is asked there now will fare the same.
    """

    def __init__(self, text: str, status: int | None = None, *, silent: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.silent = silent


class Outside:
    """Calls addresses outside this site.

    Args:
        ca_file: certificates trusted (PEM); None: those of the Python package.
        proxy: web proxy, as an address; None: straight.
        no_proxy: hosts and domains reached without it, separated by commas.
        transport: instead of the network, for tests.
    """

    def __init__(
        self,
        ca_file: Path | None = None,
        proxy: str | None = None,
        no_proxy: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._ca_file = ca_file
        self._proxy = proxy
        self._no_proxy = no_proxy
        self._transport = transport
        self._context: ssl.SSLContext | None = None

    def _client(self, url: str) -> httpx.AsyncClient:
        if self._context is None:
            self._context = ssl.create_default_context(
                cafile=str(self._ca_file) if self._ca_file else None
            )
        host = urlsplit(url).netloc.rpartition("@")[2]
        straight = not self._proxy or proxy_bypass_environment(host, {"no": self._no_proxy})
        return httpx.AsyncClient(
            verify=self._context,
            proxy=None if straight else self._proxy,
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
        """Ask an address for a JSON object.

        Args:
            method: ``GET`` or ``POST``.
            url: the address.
            form: sent as a form.
            body: sent as JSON.
            headers: more headers.

        Raises:
            OutsideError: no answer, not a success, too large, or not a JSON object.
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
            raise OutsideError(f"{url}: not a JSON object")
        return found

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Post a body as it is.

        Args:
            url: the address.
            body: what is sent.
            headers: of the request, its content's type among them.

        Returns:
            The answer's body.

        Raises:
            OutsideError: no answer, not a success, or too large.
        """
        return await self._content("POST", url, content=body, headers=headers)

    async def _content(self, method: str, url: str, **sent: Any) -> bytes:
        """The body of an answer, if it is a success."""
        try:
            async with (
                asyncio.timeout(LONGEST_SECONDS),
                self._client(url) as client,
                client.stream(method, url, **sent) as answer,
            ):
                content = bytearray()
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MAX_BYTES:
                        raise OutsideError(f"{url}: more than {MAX_BYTES} bytes")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            # UnicodeError: a host that IDNA does not know, a header that is not ASCII.
            silent = isinstance(error, _SILENCE)
            raise OutsideError(f"{url}: {type(error).__name__}", silent=silent) from None
        if not answer.is_success:
            status = answer.status_code
            raise OutsideError(f"{url}: status {status}", status)
        return bytes(content)


def outside(settings: Settings, credentials: Credentials) -> Outside:
    """How this site reaches platforms.

    A proxy's address may hold a password: it comes as the credential ``web_proxy``, whose second
    line, if any, names what is reached without it.
    """
    proxy, _, straight = (credentials.optional("web_proxy") or "").partition("\n")
    return Outside(settings.site.ca_file, proxy.strip() or None, straight.strip())
