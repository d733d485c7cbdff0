"""Rate limits of the API, as administrators switch them on."""

import email.utils
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gitlab_standin.testing import Standin

from .conftest import NewUser, token_of

PERIOD = 10**9
"""A window that does not end during a test."""
LIMIT = 10
OFF = {"throttle_authenticated_api_enabled": False, "throttle_unauthenticated_api_enabled": False}


def switch(standin: Standin, kind: str, limit: int) -> None:
    settings: dict[str, Any] = {
        f"throttle_{kind}_api_enabled": True,
        f"throttle_{kind}_api_requests_per_period": limit,
        f"throttle_{kind}_api_period_in_seconds": PERIOD,
    }
    standin.gitlab.http_put("/application/settings", post_data=settings)


def ask(standin: Standin, token: str | None, path: str = "/user", **headers: str) -> httpx.Response:
    given = {**headers, "PRIVATE-TOKEN": token} if token else headers
    return httpx.get(f"{standin.url}/api/v4{path}", headers=given, trust_env=False)


@pytest.fixture(autouse=True)
def off_again(standin: Standin) -> Iterator[None]:
    """Root has used little of its own quota, and can switch the limits off."""
    yield
    standin.gitlab.http_put("/application/settings", post_data=OFF)


def test_nothing_is_limited_at_first(standin: Standin, new_user: NewUser) -> None:
    token = token_of(new_user(), "api")
    assert all(ask(standin, token).status_code == 200 for _ in range(2 * LIMIT))


def test_a_user_who_asks_too_often_is_told_when_to_come_back(
    standin: Standin, new_user: NewUser
) -> None:
    ada, basile = new_user(), new_user()
    tokens = [token_of(ada, "api"), token_of(ada, "read_api")]
    switch(standin, "authenticated", LIMIT)
    began = int(time.time())
    answers = [ask(standin, tokens[number % 2]) for number in range(LIMIT)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any(name.startswith("ratelimit") for name in answers[-1].headers)
    for number in (1, 2):
        answer = ask(standin, tokens[0])
        assert (answer.status_code, answer.text) == (429, "Retry later\n")
        assert answer.headers["content-type"].startswith("text/plain")
        told = answer.headers
        assert told["RateLimit-Name"] == "throttle_authenticated_api"
        assert told["RateLimit-Limit"] == "1"  # of a minute, rounded up
        assert told["RateLimit-Observed"] == str(LIMIT + number)
        assert told["RateLimit-Remaining"] == "0"
        reset = int(told["RateLimit-Reset"])
        assert reset % PERIOD == 0
        assert began < reset <= time.time() + PERIOD
        assert abs(reset - time.time() - int(told["Retry-After"])) < 2
        moment = email.utils.parsedate_to_datetime(told["RateLimit-ResetTime"])
        assert moment.timestamp() == reset
    assert ask(standin, token_of(basile, "api")).status_code == 200, "others have their own quota"
    assert ask(standin, None, "/version").status_code == 401
    standin.gitlab.http_put("/application/settings", post_data=OFF)
    assert ask(standin, tokens[0]).status_code == 200


def test_without_a_valid_token_requests_are_counted_by_address(standin: Standin) -> None:
    switch(standin, "unauthenticated", 3)
    codes = [ask(standin, token, "/user").status_code for token in (None, "glpat-wrong", None)]
    assert codes == [401, 401, 401]
    answer = ask(standin, None, "/nowhere")
    assert answer.status_code == 429
    assert answer.headers["RateLimit-Name"] == "throttle_unauthenticated_api"
    elsewhere = ask(standin, None, "/user", **{"X-Forwarded-For": "192.0.2.1"})
    assert elsewhere.status_code == 401
    assert ask(standin, standin.root_token).status_code == 200
