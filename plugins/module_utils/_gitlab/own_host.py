# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""GitLab's token goes to GitLab's host and to no other, whatever an answer says.

This file is shared: modules use it as ``module_utils`` and the desk includes it as
``atelier.gitlab.own_host``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

with contextlib.suppress(ImportError):  # said in full by _gitlab.library_problem()
    import requests


def own_host_session(refusal: Callable[[str], Exception]) -> requests.Session:
    """Follows redirects on GitLab's own host (renamed projects), and to no other.

    requests takes only its own kind of credentials off a redirected request: GitLab's token would
    go along to whoever the answer names.

    Args:
        refusal: makes the exception to raise from a text that names both hosts.
    """

    known: dict[str, Mapping[str, Any]] = {}

    class SameHost(requests.Session):
        def merge_environment_settings(self, url: Any, *given: Any, **named: Any) -> Any:
            # requests goes through all of the environment, twice, for every single request: a
            # third of what a request costs here. The host stays, and so does the answer. All
            # the rest that it looks at are this session's own settings, and the caller's.
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
