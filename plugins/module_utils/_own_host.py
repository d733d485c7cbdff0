# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""GitLab's token goes to GitLab's host and to no other, whatever an answer says.

This file is shared: modules use it as ``module_utils`` and the desk includes it as
``atelier._own_host``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
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

    class SameHost(requests.Session):
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
