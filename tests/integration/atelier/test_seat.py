"""Where a learner's server runs, as the hub tells it."""

from __future__ import annotations

import httpx
from kit.platform11 import Visitor
from kit.site import Site

from .test_desk import server_token


def test_the_hub_says_where_a_server_is_to_that_server_alone(site: Site, visitor: Visitor) -> None:
    visitor.launch()

    def asked(course: str, token: str) -> tuple[int, object]:
        answer = httpx.get(
            f"{site.hub_url}/hub/atelier/seat/{course}",
            headers={"Authorization": f"token {token}"} if token else {},
            trust_env=False,
        )
        return answer.status_code, answer.json().get("address")

    token = server_token(visitor)
    assert asked("demo", token) == (200, "127.0.0.1")
    assert asked("other", token) == (403, None)
    for stranger in ("", "nonsense", site.secrets["desk_api_token"]):
        assert asked("demo", stranger) == (403, None)
