"""Access tokens, from Open edX's own code."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest
from atelier.config.models import SettingsError
from atelier.config.registrations import Registration
from atelier.lti.access_tokens import SCORE_SCOPE, PlatformTokens, ServiceError
from atelier.lti.http import PlatformClient
from atelier.lti.tool_keys import ToolKeys
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from lms.platform13 import CLIENT_ID, Platform13, make_key

PEM = make_key()
TOOL = ToolKeys(PEM)
PUBLIC = (
    load_pem_private_key(PEM.encode(), None)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
LMS = Platform13("https://lms.example", "https://hub.mooc.example", make_key(), tool_key=PUBLIC)


class Campus:
    """A platform's token address, and what it was asked."""

    def __init__(self, answer: dict[str, Any] | None = None, keys: ToolKeys = TOOL) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer = answer
        self.now = time.time()  # Open edX's code looks at the clock
        outside = PlatformClient(transport=httpx.MockTransport(self._reply))
        self.tokens = PlatformTokens(outside, keys, clock=lambda: self.now)

    def _reply(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        self.asked.append(form)
        found = LMS.access_token(form) if self.answer is None else self.answer
        return httpx.Response(200, json=found)

    def token(self, **changes: Any) -> str:
        registration = Registration.model_validate(LMS.registration("fun-13", "fun", **changes))
        return asyncio.run(self.tokens.token(registration, CLIENT_ID))


def test_open_edx_gives_a_token_for_scores() -> None:
    assert LMS.permits(Campus().token(), SCORE_SCOPE)


def test_the_assertion_is_for_this_platform_alone_and_short() -> None:
    campus = Campus({"access_token": "a"})
    campus.token()
    made = jwt.decode(campus.asked[0]["client_assertion"], options={"verify_signature": False})
    assert made["iss"] == made["sub"] == CLIENT_ID
    assert made["aud"] == "https://lms.example/lti13/token"
    assert made["exp"] - made["iat"] <= 60
    campus.now += 3600
    campus.token(auth_audience="https://lms.example")
    again = jwt.decode(campus.asked[1]["client_assertion"], options={"verify_signature": False})
    assert again["aud"] == "https://lms.example"
    assert again["jti"] != made["jti"]


def test_a_token_serves_until_it_ends_or_is_refused() -> None:
    campus = Campus({"access_token": "a", "expires_in": 3600, "scope": SCORE_SCOPE})
    assert [campus.token() for _ in range(3)] == ["a"] * 3
    assert len(campus.asked) == 1
    campus.now += 3600 - 30
    campus.token()
    assert len(campus.asked) == 2
    campus.tokens.forget("a")
    campus.token()
    assert len(campus.asked) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "gives no access_token"),
        ({"access_token": 3}, "gives no access_token"),
        ({"access_token": "a", "scope": "something else"}, "does not permit"),
    ],
)
def test_a_platform_that_refuses_is_named(answer: dict[str, Any], said: str) -> None:
    with pytest.raises(ServiceError, match=rf"'fun-13'.*{said}"):
        Campus(answer).token()


def test_what_is_missing_here_is_named_too() -> None:
    with pytest.raises(ServiceError, match="auth_token_url is not set"):
        Campus().token(auth_token_url=None)
    with pytest.raises(ServiceError, match="'lti_tool_keys'"):
        Campus(keys=ToolKeys("")).token()


def test_a_key_in_rotation_is_still_published_and_the_new_one_signs() -> None:
    newest = make_key()
    keys = ToolKeys(newest + "\n" + PEM)
    published = [key["kid"] for key in keys.published()["keys"]]
    assert published[1:] == [key["kid"] for key in TOOL.published()["keys"]]
    assert jwt.get_unverified_header(keys.sign({"a": 1}))["kid"] == published[0]
    assert "d" not in keys.published()["keys"][0]


@pytest.mark.parametrize("inside", ["", "x", PEM.split("-----")[2][:200]])
def test_what_is_not_a_key_is_named_and_not_repeated(inside: str) -> None:
    with pytest.raises(SettingsError, match="lti_tool_keys") as error:
        ToolKeys(f"-----BEGIN PRIVATE KEY-----\n{inside}\n-----END PRIVATE KEY-----")
    assert len(str(error.value)) < 120
