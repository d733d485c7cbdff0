"""HTTP clients that find names under .localhost on this machine, as browsers do."""

from __future__ import annotations

import httpx


class LocalNames(httpx.HTTPTransport):
    """Connect to this machine whatever the name, as browsers do for names under .localhost."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to 127.0.0.1 with the name in the TLS handshake and the Host header."""
        local = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(local)
