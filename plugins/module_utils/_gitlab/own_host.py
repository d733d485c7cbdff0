# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""An HTTP session that sends GitLab's token only to GitLab's host, also after redirects.

This file is shared: modules use it as ``module_utils`` and the desk includes it as
``atelier.gitlab.own_host``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

with contextlib.suppress(ImportError):  # reported by connection.library_problem()
    import requests


def own_host_session(refusal: Callable[[str], Exception]) -> requests.Session:
    """Return a session that follows redirects on GitLab's host (renamed projects) only.

    requests removes only the credentials that it knows from a redirected request, so GitLab's token
    would be sent to any host that a redirect names.

    Args:
        refusal: returns the exception to raise, given a text that names both hosts.
    """

    known: dict[str, Mapping[str, Any]] = {}

    class SameHost(requests.Session):
        def merge_environment_settings(self, url: Any, *given: Any, **named: Any) -> Any:
            # requests reads the whole environment twice for each request, a third of its cost.
            # The result depends on the host, on this session's settings and on the arguments
            # only, so that it can be cached.
            parts = urlsplit(str(url))
            key = repr((parts.scheme, parts.netloc, given, sorted(named.items())))
            if key not in known:
                known[key] = super().merge_environment_settings(url, *given, **named)
            found: Mapping[str, Any] = known[key]
            return {**found, "proxies": dict(found["proxies"])}

        def rebuild_auth(
            self, prepared_request: requests.PreparedRequest, response: requests.Response
        ) -> None:
            old, new = str(response.request.url), str(prepared_request.url)
            if self.should_strip_auth(old, new):  # type: ignore[no-untyped-call]
                parts = urlsplit(new)
                raise refusal(
                    f"{old.partition('/api/')[0]} sends its visitors on to "
                    f"{parts.scheme}://{parts.netloc}, and the token was not sent there"
                )

    return SameHost()
