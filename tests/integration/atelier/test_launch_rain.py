"""Thousands of hostile launches at a real hub: no error of the server's, nobody signed in."""

from __future__ import annotations

import itertools
from collections import Counter
from urllib.parse import quote_plus, urlencode

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.platform11 import Visitor
from kit.site import Site

EXAMPLES = 80
VALUES = 5
PLACES = (
    "user_id", "oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature",
    "launch_presentation_locale", "custom_path", "custom_next", "roles", "lti_version",
)  # fmt: skip
hostile = st.one_of(
    st.binary(max_size=16).map(quote_plus),
    st.text(max_size=16).map(quote_plus),
    st.sampled_from(["", "%ff", "%00", "a" * 9000, "%0d%0aX:y", "1e9", "%E2%80%AE", "\xff"]),
)
header = st.sampled_from(
    ["evil.example", "127.0.0.1:1", "", "[::1]", "a" * 300, "hub.mooc.example:99999", "é", "http"]
)
NAMES = ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Scheme", "X-Forwarded-For", "Origin")


def test_a_rain_of_wrong_launches_wets_nobody(site: Site, visitor: Visitor) -> None:
    statuses: Counter[int] = Counter()
    said_before = len(site.log("hub"))
    genuine = visitor.form(path="journal.md", next="/hub/user-redirect/lab")
    assert set(PLACES) <= set(genuine)
    parts = [(name, quote_plus(str(value))) for name, value in genuine.items()]

    @settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        st.lists(hostile, min_size=VALUES, max_size=VALUES),
        st.lists(header, min_size=len(NAMES), max_size=len(NAMES)),
    )
    def drops(values: list[str], spoofed: list[str]) -> None:
        headers = [
            (name.encode(), value.encode())
            for name, value in zip(NAMES, spoofed, strict=True)
            if value
        ]
        headers.append((b"Content-Type", b"application/x-www-form-urlencoded"))
        for name, value in itertools.product(PLACES, values):
            body = "&".join(f"{one}={value if one == name else it}" for one, it in parts)
            answer = visitor.browser.post(
                visitor.launch_url, content=body.encode("latin-1"), headers=httpx.Headers(headers)
            )
            statuses[answer.status_code] += 1
            assert 400 <= answer.status_code < 500, (answer.status_code, headers, name, value)

    drops()
    assert sum(statuses.values()) > 0.9 * EXAMPLES * VALUES * len(PLACES)
    assert not any("login" in cookie.name for cookie in visitor.browser.cookies.jar)
    assert "Traceback" not in site.log("hub")[said_before:]
    spoofed = {"Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil"}
    answer = visitor.browser.post(visitor.launch_url, content=urlencode(genuine), headers={
        **spoofed, "Content-Type": "application/x-www-form-urlencoded",
    })  # fmt: skip
    assert answer.status_code == 302, "what was signed is still good, and once"
    assert "evil" not in answer.headers["location"]
