"""Requests in bad weather: what is sent again, what is looked for first, how long all wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3.exceptions
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import calls as _calls
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.calls import (
    Calls,
)
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab.errors import (
    GitLabUnavailableError,
)
from gitlab.exceptions import GitlabAuthenticationError, GitlabHttpError
from kit.clock import Clock

Answer = Any


class Client:
    """Answers requests from a script: a value, an exception, or a code."""

    def __init__(self, script: list[Answer]) -> None:
        self.session = requests.Session()
        self.script = script
        self.asked: list[tuple[str, str, Any]] = []

    def http_request(self, verb: str, path: str, **given: Any) -> requests.Response:
        assert given["obey_rate_limit"] is False
        assert given["retry_transient_errors"] is False
        self.asked.append((verb, path, given["query_data"] or given["post_data"]))
        answer = self.script.pop(0)
        response = requests.Response()
        if isinstance(answer, tuple):
            answer, headers = answer
            response.headers.update(headers)
        for hook in self.session.hooks["response"]:
            hook(response)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            raise GitlabHttpError(response_code=answer, error_message="no", response_body=b"")
        response.status_code = 200
        response._content = answer if isinstance(answer, bytes) else b'{"id": 1}'
        return response


def calls(*script: Answer) -> tuple[Calls, Client, Clock]:
    client, clock = Client(list(script)), Clock()
    made = Calls(lambda: client, sleep=clock.sleep, clock=clock)  # type: ignore[arg-type, return-value]
    return made, client, clock


def refused() -> requests.exceptions.ConnectionError:
    """No connection was made: nothing reached GitLab."""
    reason = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
    error = urllib3.exceptions.MaxRetryError(None, "/", reason)  # type: ignore[arg-type]
    return requests.exceptions.ConnectionError(error)


def dropped() -> requests.exceptions.ConnectionError:
    """The connection ended after the request had been sent."""
    return requests.exceptions.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError())
    )


def test_which_failures_certainly_reached_nobody() -> None:
    assert _calls.never_sent(refused())
    assert _calls.never_sent(requests.exceptions.ConnectTimeout("slow"))
    assert not _calls.never_sent(dropped())
    assert not _calls.never_sent(requests.exceptions.ReadTimeout("slow"))


@pytest.mark.parametrize("failure", [500, 502, 503, 504, dropped(), refused()])
def test_reading_is_repeated_with_growing_pauses(failure: Answer) -> None:
    made, client, clock = calls(failure, failure, failure, b'{"id": 7}')
    assert made.get("/users/7") == {"id": 7}
    assert len(client.asked) == 4
    assert clock.slept[0] < clock.slept[1] < clock.slept[2]
    assert made.counts.read == 4


def test_it_gives_up_in_bounded_time() -> None:
    made, client, clock = calls(*[502] * 50)
    with pytest.raises(GitLabUnavailableError) as told:
        made.get("/users")
    assert isinstance(told.value.__cause__, GitlabHttpError)
    assert len(client.asked) == _calls.TRIES
    assert sum(clock.slept) < 60


@pytest.mark.parametrize("code", [400, 403, 404, 409, 422])
def test_answers_that_repeating_does_not_cure(code: int) -> None:
    made, client, _clock = calls(code)
    with pytest.raises(GitlabHttpError) as told:
        made.put("/users/1", {"name": "x"})
    assert len(client.asked) == 1
    assert vars(told.value)["asked"] == "PUT /users/1"


def test_a_certificate_is_not_tried_again() -> None:
    made, client, _clock = calls(requests.exceptions.SSLError("self-signed"))
    with pytest.raises(requests.exceptions.SSLError):
        made.get("/users")
    assert len(client.asked) == 1


def test_a_refused_token_is_not_tried_again() -> None:
    made, client, _clock = calls(GitlabAuthenticationError(response_code=401))
    with pytest.raises(GitlabAuthenticationError):
        made.get("/users")
    assert len(client.asked) == 1


def test_429_holds_back_for_as_long_as_asked_and_does_not_count_as_failure() -> None:
    made, client, clock = calls(*[(429, {"Retry-After": "30"})] * 10, b'{"id": 1}')
    begun = clock.now
    made.act("/users/1/block")
    assert clock.now - begun >= 300
    assert len(client.asked) == 11
    assert max(clock.slept) <= 1.0  # in small steps, so that a stop is noticed


def test_429_without_a_time_waits_longer_and_longer() -> None:
    made, _client, clock = calls(*[(429, {})] * 5, b'{"id": 1}')
    begun = clock.now
    made.get("/users")
    assert clock.now - begun >= 0.75 * (0.25 + 0.5 + 1 + 2 + 4)


def test_429_for_hours_is_told_instead_of_waited_for() -> None:
    made, _client, clock = calls((429, {"Retry-After": "7200"}))
    with pytest.raises(GitLabUnavailableError, match="7200 s"):
        made.get("/users")
    assert clock.slept == []


def make(
    present: Callable[[], Any], *script: Answer
) -> tuple[tuple[Any, bool] | Exception, Client]:
    made, client, _clock = calls(*script)
    try:
        return made.make("/users", {"username": "a"}, present), client
    except Exception as error:
        return error, client


@pytest.mark.parametrize("doubt", [500, 502, dropped(), requests.exceptions.ReadTimeout("slow")])
def test_after_a_doubt_it_looks_before_it_makes_again(doubt: Answer) -> None:
    """The first try had been carried out: one object."""
    result, client = make(lambda: {"id": 5}, doubt)
    assert result == ({"id": 5}, False)
    assert [verb for verb, _, _ in client.asked] == ["post"]


def test_after_a_doubt_it_makes_again_what_is_not_there() -> None:
    result, client = make(lambda: None, dropped(), 500, b'{"id": 6}')
    assert result == ({"id": 6}, False)
    assert len(client.asked) == 3


def test_a_first_try_that_was_only_late_is_found_at_the_second() -> None:
    """After a doubt nothing is there; GitLab finishes the first try, and refuses the second."""
    looks = iter([None, {"id": 5}])
    result, client = make(lambda: next(looks), dropped(), 409)
    assert result == ({"id": 5}, False)
    assert len(client.asked) == 2


def test_what_never_left_is_simply_sent_again() -> None:
    def present() -> Any:
        raise AssertionError("there is nothing to look for")

    result, _client = make(present, refused(), refused(), b'{"id": 6}')
    assert result == ({"id": 6}, True)


def test_a_conflict_with_something_else_stays_an_error() -> None:
    result, client = make(lambda: None, 409)
    assert isinstance(result, GitlabHttpError)
    assert len(client.asked) == 1


def test_deleting_what_is_gone_is_fine() -> None:
    made, client, _clock = calls(dropped(), 404)
    made.remove("/users/1")
    assert len(client.asked) == 2


def test_nothing_is_sent_after_a_stop() -> None:
    made, client, _clock = calls(b"{}")
    made.stop.set()
    with pytest.raises(_calls.StoppedError):
        made.get("/users")
    assert client.asked == []


def test_pages_follow_the_links_on_the_address_that_was_asked() -> None:
    link = '<https://gitlab.elsewhere.org/api/v4/users?cursor=abc&pagination=keyset>; rel="next"'
    made, client, _clock = calls((b'[{"id": 2}]', {"Link": link}), b'[{"id": 1}]')
    pages = list(made.pages("/users", keyset=True))
    assert pages == [[{"id": 2}], [{"id": 1}]]
    assert [path for _, path, _ in client.asked] == ["/users", "/users"]
    assert client.asked[0][2]["per_page"] == 100
    assert client.asked[1][2] == {"cursor": "abc", "pagination": "keyset"}


def test_an_answer_that_is_not_json_is_somebody_else() -> None:
    made, _client, _clock = calls(b"<html>")
    with pytest.raises(_calls.NotGitLabError):
        made.get("/version")


def test_paths_are_encoded() -> None:
    assert _calls.path_of("projects", "a/b c", "forks") == "/projects/a%2Fb%20c/forks"
